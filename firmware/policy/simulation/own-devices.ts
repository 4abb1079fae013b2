/** Which of a house's devices are simulated, and which stay in its load as they ran. */
import type { BatteryStore } from '../../domain/flexibility.ts';
import { DAY_MS, type Sample } from '../forecast/series.ts';
import type { Days } from './days.ts';
import type { Span } from './own-span.ts';

export interface OwnDevice {
  readonly id: string;
  readonly name: string;
  /** What it wants every day by when and, if it says so, from when on, local `HH:MM`. */
  readonly deadline: { readonly time: string; readonly from?: string; readonly energy_Wh: number } | null;
  readonly battery: BatteryStore | null;
}

/** Means of quarter hours, W, oldest first. */
export type Took = readonly Sample[];

export interface Roles {
  /** By id: simulated, so not base load; and what gives, which is the sun. */
  readonly asTold: readonly string[];
  readonly producers: readonly string[];
  simulated(span: Span): { devices: Pick<Days, 'battery' | 'car'>; notes: string[] };
}

type Battery = NonNullable<Days['battery']>;
type Car = NonNullable<Days['car']>;

/** The batteries, as one, and what takes most of those that want energy by a time are simulated. */
export function rolesOf(devices: readonly OwnDevice[], took: (id: string) => Took): Roles {
  const batteries = devices.filter((d) => d.battery);
  const sumOf = (d: OwnDevice): number => took(d.id).reduce((sum, { value }) => sum + value, 0);
  const sums = new Map(devices.map((d) => [d.id, sumOf(d)]));
  const producers = devices.filter((d) => !d.battery && (sums.get(d.id) ?? 0) < 0);
  const [car] = devices
    .filter((d) => d.deadline && !d.battery && (sums.get(d.id) ?? 0) > 0)
    .sort((a, b) => (sums.get(b.id) ?? 0) - (sums.get(a.id) ?? 0));
  const asTold = car ? [...batteries, car] : batteries;
  const others = devices.filter((d) => !asTold.includes(d) && !producers.includes(d));
  return {
    asTold: asTold.map((d) => d.id),
    producers: producers.map((d) => d.id),
    simulated: (span) => {
      const battery = asOne(batteries.flatMap((d) => d.battery ?? []));
      const drawn = car ? carOf(car, took(car.id), span) : null;
      return {
        devices: { ...(battery && { battery }), ...(drawn && { car: drawn }) },
        notes: [
          ...batteryNote(batteries),
          ...(car && drawn ? [carNote(car, drawn)] : []),
          ...(others.length > 0 ? [`Stays in the base load as it ran: ${namesOf(others)}.`] : []),
        ],
      };
    },
  };
}

const namesOf = (devices: readonly OwnDevice[]): string => devices.map((d) => d.name).join(', ');

function batteryNote(batteries: readonly OwnDevice[]): string[] {
  if (batteries.length === 0) return [];
  const many = batteries.length > 1 ? ', as one battery' : '';
  return [
    `${namesOf(batteries)}: what it took and gave is not in the base load; it is simulated as configured${many}.`,
  ];
}

function asOne(batteries: readonly BatteryStore[]): Battery | null {
  const sum = (of: (b: BatteryStore) => number): number => batteries.reduce((all, b) => all + of(b), 0);
  const capacity_Wh = sum((b) => b.capacity_Wh);
  const mean = (of: (b: BatteryStore) => number): number => sum((b) => of(b) * b.capacity_Wh) / capacity_Wh;
  if (batteries.length === 0) return null;
  return {
    capacity_kwh: sum((b) => b.capacity_Wh * b.mostFill) / 1000,
    least_kwh: sum((b) => b.capacity_Wh * b.leastFill) / 1000,
    charge_max_kw: sum((b) => b.charge_W) / 1000,
    discharge_max_kw: sum((b) => b.discharge_W) / 1000,
    eta_charge: mean((b) => b.chargeEfficiency),
    eta_discharge: mean((b) => b.dischargeEfficiency),
    wear_per_kwh: mean((b) => b.wear_perWh) * 1000,
    grid_charge: batteries.every((b) => b.gridCharge),
    grid_discharge: batteries.every((b) => b.gridDischarge),
  };
}

/** Below it no charging point begins: 6 A on one phase, kW. */
const LEAST_KW = 1.38;

/** It is there from its hour, or from one deadline, to the next deadline; what it took on average is what it wants, its best quarter hour its power. */
function carOf({ deadline }: OwnDevice, took: Took, { fromMs, untilMs }: Span): Car | null {
  const within = took.filter(({ atMs, value }) => atMs >= fromMs && atMs < untilMs && value > 0);
  if (!deadline || within.length === 0) return null;
  const days = (untilMs - fromMs) / DAY_MS;
  const need_kwh = within.reduce((sum, { value }) => sum + value / 4000, 0) / days;
  const max_kw = Math.max(...within.map(({ value }) => value / 1000), need_kwh / 8);
  return {
    arrives: deadline.from ?? deadline.time,
    leaves: deadline.time,
    need_kwh,
    min_kw: Math.min(LEAST_KW, max_kw),
    max_kw,
  };
}

function carNote({ name, deadline }: OwnDevice, { need_kwh, arrives, leaves }: Car): string {
  const there = deadline?.from ? `as there from ${arrives}` : 'as there all day: when it was is not known';
  return `${name}: what it took is not in the base load; it is simulated as wanting its mean, ${need_kwh.toFixed(1)} kWh a day, by ${leaves}, and ${there}.`;
}
