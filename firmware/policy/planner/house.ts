/** The house as a scenario for the planner, and its schedule as slots that the rules follow. */
import { maxOf } from '../../domain/flexibility.ts';
import type { FollowerMode, HousePlanSlot } from '../../domain/house-plan.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { LIMITS } from '../../domain/limits.ts';
import { pricesBetween } from '../../domain/price-curve.ts';
import type { WallMs } from '../../domain/time.ts';
import type { HouseForecasts } from '../forecast/house.ts';
import { isControllable, isProducer } from '../plan.ts';
import { isForced } from '../rules/owner.ts';
import { at, type Device, type PlanEvent, parseScenario, type Scenario, type Schedule } from './scenario.ts';

export const PLAN_SLOT_MS = 900_000;
/** Two days: beyond them no market says anything. */
const MOST_SLOTS = 192;

/** A device that wants energy by a time, runs when it is cheap, and is not told otherwise by its owner. */
export function isPlanned(image: Image, d: DeviceImage): boolean {
  const { need } = d.flexibility;
  if (!isControllable(d) || isProducer(d) || d.mode !== 'cheap' || !need || need.energy_Wh <= 0) return false;
  return (
    d.override.kind === 'automatic' && !isForced(image, d) && d.health === 'ok' && maxOf(d.flexibility) > 0
  );
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

/** Null where there is nothing to plan: no price, no clock, no device that waits. */
export function houseScenario(image: Image, forecasts: HouseForecasts): Scenario | null {
  if (!image.wallTrusted) return null;
  const { fromMs, slots } = horizonOf(image);
  const planned = image.devices.filter((d) => isPlanned(image, d)).slice(0, LIMITS.planDevices - 1);
  if (slots < 2 || planned.length === 0) return null;
  const { fuse_A, phases, nominal_V } = image.site;
  const kw = (values: readonly number[]): number[] =>
    Array.from({ length: slots }, (_, i) => at(values, i) / 1000);
  // Of equal hours the earlier: what is done cannot go wrong any more.
  const buy = slotPrices(image, 'importPrice', fromMs, slots).map((x, i) => (x ?? 0) + i * 1e-6);
  const devices: unknown[] = planned.map((d) => carOf(d, fromMs, slots, Math.max(0.1, ...buy.map(Math.abs))));
  const producers = image.devices.filter(isProducer);
  if (producers.length)
    devices.push({ id: 'the-sun', type: 'pv', available_kw: kw(forecasts.solar.mean), curtailable: true });
  const scenario = parseScenario({
    id: 'house',
    n: slots,
    dt_h: PLAN_SLOT_MS / 3_600_000,
    grid: { import_max_kw: (fuse_A * phases * nominal_V) / 1000, export_max_kw: 1000 },
    prices: { import: buy, export: slotPrices(image, 'exportPrice', fromMs, slots).map((x) => x ?? 0) },
    base_load_kw: kw(forecasts.load.mean),
    devices,
    events: limitsOf(image, fromMs, slots),
  });
  return scenario.ok ? scenario.value : null;
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

/** What each device is meant to do by slot. Power that the sun carries alone is told as surplus: the sun may not come. */
export function followed(
  image: Image,
  s: Scenario,
  schedule: Schedule,
  fromMs: WallMs,
): Map<string, HousePlanSlot[]> {
  const plan = new Map<string, HousePlanSlot[]>();
  for (const d of s.devices) {
    if (d.type !== 'ev') continue;
    const slots = Array.from({ length: s.n }, (_, t): HousePlanSlot => {
      const power_W = Math.round(at(schedule[d.id]?.power_kw, t) * 1000);
      const begin = fromMs + t * PLAN_SLOT_MS;
      return { fromMs: begin, untilMs: begin + PLAN_SLOT_MS, mode: modeOf(s, d, t, power_W), power_W };
    });
    plan.set(
      d.id,
      slots.filter((x) => x.untilMs <= (deadlineOf(image, d.id) ?? Infinity) + PLAN_SLOT_MS),
    );
  }
  return plan;
}

const deadlineOf = (image: Image, id: string): number | null =>
  image.devices.find((d) => d.id === id)?.flexibility.need?.byMs ?? null;

function modeOf(s: Scenario, d: Extract<Device, { type: 'ev' }>, t: number, power_W: number): FollowerMode {
  const sun = s.devices.reduce((sum, x) => sum + (x.type === 'pv' ? at(x.available_kw, t) : 0), 0);
  if (power_W <= 0) return sun > at(s.base_load_kw, t) ? 'SURPLUS' : 'OFF';
  if (sun - at(s.base_load_kw, t) >= power_W / 1000) return 'SURPLUS';
  return power_W >= d.max_kw * 1000 - 1 ? 'RUN' : 'UP_TO';
}
