/** The home with a battery, a heat pump that warms the house, and what is planned for both. */
import type { BatteryStore, HeatStore } from '../../firmware/domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../../firmware/domain/image.ts';
import type { Reason } from '../../firmware/domain/instruction.ts';
import type { Mode, ModeSlot } from '../../firmware/domain/mode.ts';
import { NOON } from './clock.ts';
import { device, flexibility } from './house.ts';

const QUARTER = 900_000;
const HOUR = 4 * QUARTER;
const START = Math.floor(NOON / QUARTER) * QUARTER;

export const BATTERY: BatteryStore = {
  ...{ kind: 'battery', capacity_Wh: 10_000, fill: 0.68, leastFill: 0.2, mostFill: 1 },
  ...{ charge_W: 5000, discharge_W: 5000, chargeEfficiency: 0.95, dischargeEfficiency: 0.95 },
  ...{ wear_perWh: 0.00003, gridCharge: true, gridDischarge: true },
};
export const HOUSE: HeatStore = {
  ...{ kind: 'heat', what: 'house', temperature_C: 20.8, outdoor_C: 3, capacity_WhPerK: 9000, most_C: 23 },
  ...{ loss_WPerK: 180, ambient_C: null, cop: [{ outdoor_C: 0, cop: 3 }] },
  comfort: [
    { from: '06:00', lo_C: 20, hi_C: 22 },
    { from: '22:00', lo_C: 18, hi_C: 21 },
  ],
};

export const batteryDevice = (power_W: number | null, store: Partial<BatteryStore> = {}): DeviceImage =>
  device(
    'battery',
    power_W,
    flexibility({
      ...{ kind: 'battery', name: 'Home battery', controlType: 'FILL_RATE_BASED_CONTROL' },
      ...{ ranges: [{ min_W: -5000, max_W: 5000 }], store: { ...BATTERY, ...store } },
    }),
    { kind: 'automatic' },
  );
export const heatPump = (power_W: number | null, store: Partial<HeatStore> = {}): DeviceImage =>
  device(
    'floor',
    power_W,
    flexibility({
      ...{ kind: 'heat-pump', name: 'Underfloor heating', controlType: 'FILL_RATE_BASED_CONTROL' },
      ...{ ranges: [{ min_W: 0, max_W: 2400 }], store: { ...HOUSE, ...store } },
    }),
    { kind: 'automatic' },
  );

/** By the hour from now: sun until 19:00, then the house, then cheap power from the grid. */
function meant(hour: number): {
  readonly battery: Mode;
  readonly battery_W: number;
  readonly heat_W: number;
} {
  if (hour < 2) return { battery: { kind: 'selfConsume' }, battery_W: 900, heat_W: 0 };
  if (hour < 5) return { battery: { kind: 'discharge', target_W: 1800 }, battery_W: -1800, heat_W: 0 };
  if (hour < 9) return { battery: { kind: 'hold' }, battery_W: 0, heat_W: 0 };
  if (hour < 12) return { battery: { kind: 'charge', upTo_W: 2900 }, battery_W: 2900, heat_W: 1200 };
  return { battery: { kind: 'selfConsume' }, battery_W: -400, heat_W: 0 };
}

const SLOTS = Array.from({ length: 96 }, (_, i) => meant(Math.floor(i / 4)));

/** From full or warm enough to the end of each quarter hour. */
const course = (start: number, step: (slot: (typeof SLOTS)[number]) => number): number[] => {
  const values = [start];
  for (const slot of SLOTS) values.push(Math.min(start === 0.68 ? 1 : 23, (values.at(-1) ?? 0) + step(slot)));
  return values;
};
const COURSE = {
  battery: course(BATTERY.fill ?? 0, ({ battery_W }) => (battery_W * 0.95) / 4 / BATTERY.capacity_Wh),
  floor: course(20.8, ({ heat_W }) => (heat_W > 0 ? 0.12 : -0.02)),
};

const modes = (of: (hour: number) => Mode): ModeSlot[] =>
  SLOTS.map((_, i) => ({
    fromMs: START + i * QUARTER,
    untilMs: START + (i + 1) * QUARTER,
    mode: of(Math.floor(i / 4)),
  }));

const CHARGES: Reason = {
  code: 'PLANNED',
  values: { mode: 'charge', fill: 0.68, untilMs: START + 3 * HOUR, price: 0.000213, waitingCosts: 0.84 },
};
const WARM: Reason = { code: 'WARM_ENOUGH', values: { temperature_C: 20.8, lo_C: 20, hi_C: 22 } };

/** @param battery_W charging positive */
export function withStores(
  snapshot: Snapshot,
  battery_W: number | null = 1200,
  fill: number | null = 0.68,
): Snapshot {
  const { image, decision, plan } = snapshot;
  const stores = [batteryDevice(battery_W, { fill }), heatPump(0)];
  return {
    ...snapshot,
    image: { ...image, devices: [...stores, ...image.devices] },
    decision: decision && {
      ...decision,
      devices: [
        { resource: 'battery', setPoint_W: 1200, reasons: [CHARGES], planned: [] },
        { resource: 'floor', setPoint_W: 0, reasons: [WARM], planned: [] },
        ...decision.devices,
      ],
    },
    plan: plan
      ? {
          ...plan,
          modes: {
            battery: modes((hour) => meant(hour).battery),
            floor: modes((hour) => ({ kind: 'heat', level: meant(hour).heat_W > 0 ? 'boost' : 'off' })),
          },
          madeMs: START,
          course: COURSE,
          courseMs: Array.from({ length: SLOTS.length + 1 }, (_, i) => START + i * QUARTER),
        }
      : null,
  };
}
