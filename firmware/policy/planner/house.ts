/** The house as a scenario for the planner, and its schedule as slots that the rules follow. */
import { maxOf } from '../../domain/flexibility.ts';
import { type HousePlan, PLAN_VALID_MS } from '../../domain/house-plan.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { ModeSlot, Modes, PlannedSlot } from '../../domain/mode.ts';
import { pricesBetween } from '../../domain/price-curve.ts';
import type { WallMs } from '../../domain/time.ts';
import type { HouseForecasts } from '../forecast/house.ts';
import type { Forecast } from '../forecast/series.ts';
import { isControllable, isProducer } from '../plan.ts';
import { isForced } from '../rules/owner.ts';
import { at, type Device, type PlanEvent, parseScenario, type Scenario, type Schedule } from './scenario.ts';

export const PLAN_SLOT_MS = 900_000;
/** Two days: beyond them no market says anything. */
const MOST_SLOTS = 192;

/** A device that wants energy by a time, runs when it is cheap, and is not told otherwise by its owner. */
export const isPlanned = (image: Image, d: DeviceImage): boolean =>
  wants(d) && !isForced(image, d) && d.health === 'ok';

function wants(d: DeviceImage): boolean {
  const { need } = d.flexibility;
  const waits = isControllable(d) && !isProducer(d) && d.mode === 'cheap' && d.override.kind === 'automatic';
  return waits && need !== null && need.energy_Wh > 0 && maxOf(d.flexibility) > 0;
}

/** From the quarter hour that is running up to the first one without a price. */
export function horizonOf(image: Image): { fromMs: WallMs; slots: number } {
  const fromMs = Math.floor(image.wallMs / PLAN_SLOT_MS) * PLAN_SLOT_MS;
  const prices = slotPrices(image, 'importPrice', fromMs, MOST_SLOTS);
  const gap = prices.indexOf(null);
  return { fromMs, slots: gap < 0 ? MOST_SLOTS : gap };
}

/** Currency per kWh by slot: what holds in the middle of it. */
function slotPrices(
  { signals, site }: Image,
  kind: 'importPrice' | 'exportPrice',
  fromMs: WallMs,
  slots: number,
): (number | null)[] {
  const curve = pricesBetween(signals, kind, site, fromMs, fromMs + slots * PLAN_SLOT_MS);
  return Array.from({ length: slots }, (_, i) => {
    const middle = fromMs + (i + 0.5) * PLAN_SLOT_MS;
    const price = curve.find((s) => s.fromMs <= middle && middle < s.untilMs)?.price ?? null;
    return price === null ? null : price * 1000;
  });
}

const SUN = 'the-sun';

/**
 * Without what has to be forecast: base load and sun are 0. Null where there is nothing to plan: no price, no clock, no
 * device that waits.
 */
export function houseScenario(image: Image): Scenario | null {
  if (!image.wallTrusted) return null;
  const { fromMs, slots } = horizonOf(image);
  const planned = image.devices.filter((d) => isPlanned(image, d)).slice(0, LIMITS.planDevices - 1);
  if (slots < 2 || planned.length === 0) return null;
  const { fuse_A, phases, nominal_V } = image.site;
  const unknown = new Array<number>(slots).fill(0);
  // Of equal hours the earlier: what is done cannot go wrong any more.
  const buy = slotPrices(image, 'importPrice', fromMs, slots).map((x, i) => (x ?? 0) + i * 1e-6);
  const devices: unknown[] = planned.map((d) => carOf(d, fromMs, slots, Math.max(0.1, ...buy.map(Math.abs))));
  const producers = image.devices.filter(isProducer);
  if (producers.length) devices.push({ id: SUN, type: 'pv', available_kw: unknown, curtailable: true });
  const scenario = parseScenario({
    id: 'house',
    n: slots,
    dt_h: PLAN_SLOT_MS / 3_600_000,
    grid: { import_max_kw: (fuse_A * phases * nominal_V) / 1000, export_max_kw: 1000 },
    prices: { import: buy, export: slotPrices(image, 'exportPrice', fromMs, slots).map((x) => x ?? 0) },
    base_load_kw: unknown,
    devices,
    events: limitsOf(image, fromMs, slots),
  });
  return scenario.ok ? scenario.value : null;
}

export function withForecasts(s: Scenario, { load, solar }: HouseForecasts): Scenario {
  const kw = ({ mean }: Forecast): number[] => Array.from({ length: s.n }, (_, t) => at(mean, t) / 1000);
  const devices = s.devices.map((d) =>
    d.type === 'pv' && d.id === SUN ? { ...d, available_kw: kw(solar) } : d,
  );
  return { ...s, base_load_kw: kw(load), devices };
}

/** Whatever wants energy by a time is a car to the planner: off, or between its least and its most in steps. */
function carOf(
  d: DeviceImage,
  fromMs: WallMs,
  slots: number,
  dearest: number,
): Extract<Device, { type: 'ev' }> {
  const { ranges, step_W, need, steerable } = d.flexibility;
  const running = ranges.filter((r) => r.max_W > 0);
  const least = Math.max(1, Math.min(...running.map((r) => Math.max(r.min_W, 1))));
  const max_kw = maxOf(d.flexibility) / 1000;
  const min_kw = Math.min(max_kw, least / 1000);
  const required_kwh = (need?.energy_Wh ?? 0) / 1000;
  const depart_slot = Math.min(slots, Math.floor(((need?.byMs ?? fromMs) - fromMs) / PLAN_SLOT_MS));
  // What cannot be taken in halves of a slot may be taken in a whole one.
  const perSlot = (min_kw * PLAN_SLOT_MS) / 3_600_000;
  return {
    id: d.id,
    type: 'ev',
    arrive_slot: 0,
    depart_slot,
    required_kwh,
    capacity_left_kwh: Math.ceil(required_kwh / perSlot) * perSlot + perSlot,
    min_kw,
    max_kw,
    step_kw: max_kw - min_kw > 1e-6 ? step_W / 1000 : null,
    unserved_per_kwh: 20 * dearest,
    extra_value_per_kwh: 0,
    steerable,
  };
}

/** The operator's limits that are known to come, as events. */
function limitsOf(image: Image, fromMs: WallMs, slots: number): PlanEvent[] {
  const slotOf = (ms: WallMs): number => Math.min(slots, Math.max(0, (ms - fromMs) / PLAN_SLOT_MS));
  return image.signals
    .filter((s) => s.binding === 'commandable' && (s.kind === 'importLimit' || s.kind === 'exportLimit'))
    .flatMap((s) =>
      s.intervals.flatMap(({ fromMs: begin, untilMs, value }): PlanEvent[] => {
        const [start, end] = [Math.floor(slotOf(begin)), Math.ceil(slotOf(untilMs))];
        if (value === null || end <= start || untilMs <= image.wallMs) return [];
        const steerable = s.scope === 'controllable' ? 'steerable_limit' : 'import_limit';
        const kind = s.kind === 'exportLimit' ? 'export_limit' : steerable;
        const limit_kw = Math.max(0, value) / 1000;
        return [{ id: s.id.slice(0, 64), kind, start, end, limit_kw, hard: true, announced_slot: 0 }];
      }),
    )
    .slice(0, LIMITS.planEvents);
}

/** The schedule in means by slot, from which the followers' modes are read. */
export function plannedSlots(
  image: Image,
  s: Scenario,
  schedule: Schedule,
  import_kw: ArrayLike<number>,
  export_kw: ArrayLike<number>,
): PlannedSlot[] {
  const { fromMs } = horizonOf(image);
  const W = (kw: number): number => Math.round(kw * 1000);
  const cars = s.devices.filter((d) => d.type === 'ev');
  return Array.from({ length: s.n }, (_, t) => ({
    fromMs: fromMs + t * PLAN_SLOT_MS,
    untilMs: fromMs + (t + 1) * PLAN_SLOT_MS,
    grid_W: W(at(import_kw, t) - at(export_kw, t)),
    devices: Object.fromEntries(
      cars
        .filter((d) => t < d.depart_slot)
        .map((d) => [
          d.id,
          { is: 'car' as const, power_W: W(at(schedule[d.id]?.power_kw, t)), most_W: W(d.max_kw) },
        ]),
    ),
  }));
}

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

/** Covers ramping and the thermostat's own pauses: a little more time than the energy needs. */
const TIME_RESERVE = 1.1;

/**
 * What of a plan may be followed now: nothing of one that is old, nothing for a device that wants nothing or is not
 * planned any more, and no waiting for one whose time only just suffices.
 */
export function modesNow(plan: HousePlan | null, image: Pick<Image, 'devices' | 'wallMs'>): Modes {
  const { wallMs } = image;
  if (!plan || wallMs >= plan.untilMs || Math.abs(wallMs - plan.madeMs) > PLAN_VALID_MS) return {};
  const followed = image.devices.filter((d) => plan.modes[d.id] && wants(d) && !presses(d, wallMs));
  return Object.fromEntries(followed.map((d) => [d.id, plan.modes[d.id] ?? []]));
}

function presses({ flexibility }: DeviceImage, wallMs: WallMs): boolean {
  const { need } = flexibility;
  if (!need) return false;
  const durationMs = (need.energy_Wh / Math.max(1, maxOf(flexibility))) * 3_600_000 * TIME_RESERVE;
  return wallMs >= need.byMs - durationMs;
}
