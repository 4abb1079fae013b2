/** The planner's schedule of the house as modes that the rules follow, and what of them may be followed now. */
import { maxOf } from '../../domain/flexibility.ts';
import { type HousePlan, PLAN_VALID_MS } from '../../domain/house-plan.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import type { ModeSlot, Modes, PlannedDevice, PlannedSlot } from '../../domain/mode.ts';
import { comfortAt } from '../comfort.ts';
import { isControllable, isProducer, runningPowers_W } from '../plan.ts';
import { timeNeededMs } from '../price-plan.ts';
import type { Alternative } from './alternative.ts';
import { highestMean } from './billing.ts';
import { runsIn } from './house-program.ts';
import { beginMs, type HouseSlots } from './house-slots.ts';
import { plannedAs } from './house-stores.ts';
import { at, type Device, type DeviceSchedule, type Scenario, type Schedule } from './scenario.ts';

/** What came of planning: powers by slot, and what the stores come to by them. */
export interface PlannedHouse {
  readonly schedule: Schedule;
  readonly import_kw: ArrayLike<number>;
  readonly export_kw: ArrayLike<number>;
  readonly course?: Readonly<Record<string, readonly number[]>>;
  /** What the roofs are expected to give. */
  readonly solar_kw?: readonly number[];
  /** The highest mean import of a quarter hour in this month. */
  readonly peak_kw?: number;
}

/** The schedule in means by slot, from which the followers' modes are read. */
export function plannedSlots(
  image: Image,
  slots: HouseSlots,
  s: Scenario,
  plan: PlannedHouse,
): PlannedSlot[] {
  const grid_W = (t: number): number => W(at(plan.import_kw, t) - at(plan.export_kw, t));
  const roofs = image.devices.filter(isRoof).map((d) => d.id);
  const meanings = s.devices.flatMap((d) => {
    const meaning = meaningOf(image, slots, d, plan);
    // Roofs are one to the planner.
    return (d.type === 'pv' ? roofs : [d.id]).map((id) => [id, meaning] as const);
  });
  return Array.from({ length: s.n }, (_, t) => ({
    fromMs: beginMs(slots, t),
    untilMs: beginMs(slots, t + 1),
    grid_W: grid_W(t),
    devices: Object.fromEntries(
      meanings.flatMap(([id, meaning]) => {
        const planned = meaning(t);
        return planned ? [[id, planned]] : [];
      }),
    ),
  }));
}

const W = (kw: number): number => Math.round(kw * 1000);

function meaningOf(
  image: Image,
  slots: HouseSlots,
  d: Device,
  plan: PlannedHouse,
): (t: number) => PlannedDevice | null {
  const p: DeviceSchedule = plan.schedule[d.id] ?? {};
  if (d.type === 'ev')
    return (t) =>
      t < d.depart_slot ? { is: 'car', power_W: W(at(p.power_kw, t)), most_W: W(d.max_kw) } : null;
  if (d.type === 'pv')
    return (t) => {
      const [power_W, most_W] = [-W(at(p.used_kw, t)), W(at(plan.solar_kw, t))];
      return p.used_kw && -power_W < most_W - NOTHING_W ? { is: 'solar', power_W, most_W } : null;
    };
  if (d.type === 'battery')
    return (t) => ({
      is: 'battery',
      power_W: W(at(p.charge_kw, t) - at(p.discharge_kw, t)),
      most_W: W(d.charge_max_kw),
    });
  const device = image.devices.find((x) => x.id === d.id);
  if (d.type === 'appliance') {
    const most_W = device ? maxOf(device.flexibility) : 0;
    const start = p.start ?? null;
    const [from, until] = start === null ? [0, 0] : runsIn(slots, d, start);
    // On from its begin to its end, also while it draws nothing.
    return (t) => ({ is: 'load', power_W: t >= from && t < until ? most_W : 0, most_W });
  }
  const store = device?.flexibility.store;
  if (d.type !== 'thermal' || !device || store?.kind !== 'heat') return () => null;
  const modulates = device.flexibility.ranges.some((r) => r.max_W > Math.max(0, r.min_W));
  const levels = modulates ? {} : { levels_W: runningPowers_W(device) };
  const bandAt = (t: number): number => comfortAt(store, beginMs(slots, t + 1), image.site.timeZone).hi_C;
  return (t) => ({
    is: 'heat',
    power_W: W(at(p.power_kw, t)),
    most_W: W(d.max_kw),
    ...levels,
    isBeyondBand: (plan.course?.[d.id]?.[t + 1] ?? Number.NEGATIVE_INFINITY) > bandAt(t) + BEYOND_K,
  });
}

/** The model is not exact to these. */
const BEYOND_K = 0.1;
const NOTHING_W = 20;

/**
 * A device that is not meant to run takes the sun nobody foresaw, where that is worth less fed in than what it would
 * cost when it is planned to run.
 */
export function orSurplus(modes: Modes, s: Scenario, schedule: Schedule): Modes {
  return Object.fromEntries(
    Object.entries(modes).map(([id, slots]) => {
      const planned = s.prices.import.filter((_, t) => at(schedule[id]?.power_kw, t) > 0);
      const cheapest = planned.length ? Math.min(...planned) : Number.NEGATIVE_INFINITY;
      return [
        id,
        slots.map(
          (x, t): ModeSlot =>
            x.mode.kind === 'off' && at(s.prices.export, t) < cheapest
              ? { ...x, mode: { kind: 'surplus' } }
              : x,
        ),
      ];
    }),
  );
}

/** Production that does as it is told. */
export const isRoof = (d: DeviceImage): boolean =>
  isProducer(d) && isControllable(d) && d.health === 'ok' && d.override.kind === 'automatic';

/** The first `now` slots know what the other choice would cost; later plans will know it of later ones. */
export const withAlternatives = (
  modes: Modes,
  now: number,
  alternatives: Readonly<Record<string, Alternative>> = {},
): Modes =>
  Object.fromEntries(
    Object.entries(modes).map(([id, slots]) => [
      id,
      slots.map((slot, t) => (t < now ? { ...slot, ...alternatives[id] } : slot)),
    ]),
  );

/**
 * Where peaks are billed batteries, and loads that can wait, keep to the highest import that is free, paid for already or
 * planned; a slot in which more is planned is one that the rest of its quarter hour makes up for.
 */
export function underPeak(modes: Modes, s: Scenario, { import_kw, peak_kw }: PlannedHouse): Modes {
  if (!s.grid.peak || s.grid.peak.price_per_kw <= 0) return modes;
  const most_kw = Math.max(s.grid.peak.free_kw, peak_kw ?? 0, highestMean(s, import_kw));
  const keeps = new Set(s.devices.flatMap((d) => (d.type === 'pv' ? [] : [d.id])));
  return Object.fromEntries(
    Object.entries(modes).map(([id, slots]) => [
      id,
      keeps.has(id)
        ? slots.map((slot, t) => ({ ...slot, importUpTo_W: W(Math.max(most_kw, at(import_kw, t))) }))
        : slots,
    ]),
  );
}

/**
 * What of a plan may be followed now: nothing of one that is old, nothing for a device that wants nothing or is not
 * planned any more, and no waiting for one whose time only just suffices.
 */
export function modesNow(plan: HousePlan | null, image: Pick<Image, 'devices' | 'wallMs'>): Modes {
  const { wallMs } = image;
  if (!plan || wallMs >= plan.untilMs || Math.abs(wallMs - plan.madeMs) > PLAN_VALID_MS) return {};
  const followed = image.devices.filter(
    (d) => plan.modes[d.id] && (isRoof(d) || (plannedAs(d) !== null && !presses(d, wallMs))),
  );
  return Object.fromEntries(followed.map((d) => [d.id, plan.modes[d.id] ?? []]));
}

function presses(d: DeviceImage, wallMs: number): boolean {
  const { need } = d.flexibility;
  return need !== null && plannedAs(d) === 'car' && wallMs >= need.byMs - timeNeededMs(d);
}
