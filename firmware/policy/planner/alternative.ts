/**
 * What the other choice would cost now, by the plan's own model: the device does it, makes the best of the time after, and
 * all others keep to the plan. "Now" are the first slots: those that are over before a plan is made again.
 */

import { highestMean } from './billing.ts';
import { planHeat } from './heat-response.ts';
import { evaluate } from './model.ts';
import { pricesBeside, scheduled } from './others.ts';
import {
  type BatteryPrices,
  type PriceOf,
  planAppliance,
  planBattery,
  planCar,
  socChange,
} from './respond.ts';
import { at, type Device, type DeviceOf, type Scenario, type Schedule } from './scenario.ts';
import { breachPrice, type SlotCosts, slotCosts } from './slot-cost.ts';
import { netPower, steadyRanges, ticksOf } from './slots.ts';

/** In the site's currency; null where it cannot be told. One of them is there: of what the device does not do. */
export interface Alternative {
  readonly startingNowCosts?: number | null;
  readonly waitingCosts?: number | null;
}

/** Below this a device rests, kW. */
const RESTS_KW = 0.02;

/** By device, for cars, batteries, heat and appliances; `now` slots are now. */
export function alternatives(s: Scenario, schedule: Schedule, now = 1): Record<string, Alternative> {
  const planned = evaluate(s, schedule);
  const costs = costsUnder(s, planned.import_kw);
  const costOf = (d: Device, powers: Float64Array | null): number | null => {
    if (!powers) return null;
    const next = withSun(s, { ...schedule, [d.id]: scheduleOf(d, powers) }, costs);
    const { cost, feasible } = evaluate(s, next);
    return feasible || !planned.feasible ? Math.max(0, cost - planned.cost) : null;
  };
  const entries = s.devices.flatMap((d): [string, Alternative][] => {
    if (d.type === 'appliance') return otherStart(s, d, schedule, costs, now);
    if (d.type !== 'ev' && d.type !== 'battery' && d.type !== 'thermal') return [];
    const runs = Math.abs(at(netPower(s, d, schedule[d.id] ?? {}), 0)) > RESTS_KW;
    const powers = runs ? resting(s, d, schedule, costs, now) : starting(s, d, schedule, costs, now);
    return [[d.id, runs ? { waitingCosts: costOf(d, powers) } : { startingNowCosts: costOf(d, powers) }]];
  });
  return Object.fromEntries(entries);
}

/** A cycle that waits begins now; one that begins now waits for the best start after it. None for one that may not wait. */
function otherStart(
  s: Scenario,
  d: DeviceOf<'appliance'>,
  schedule: Schedule,
  costs: SlotCosts,
  now: number,
): [string, Alternative][] {
  const planned = evaluate(s, schedule);
  const costOf = (start: number | null): number | null => {
    const { cost, feasible } = evaluate(s, withSun(s, { ...schedule, [d.id]: { start } }, costs));
    return start !== null && (feasible || !planned.feasible) ? Math.max(0, cost - planned.cost) : null;
  };
  const start = schedule[d.id]?.start;
  if (start !== 0) return [[d.id, { startingNowCosts: costOf(0) }]];
  const later = { ...d, earliest_slot: now };
  return [
    [d.id, { waitingCosts: costOf(planAppliance(s, later, besideOthers(s, d, schedule, costs).price)) }],
  ];
}

type Store = DeviceOf<'ev'> | DeviceOf<'battery'> | DeviceOf<'thermal'>;

const scheduleOf = (d: Device, powers: Float64Array): Schedule[string] =>
  d.type === 'battery'
    ? {
        charge_kw: Array.from(powers, (x) => Math.max(0, x)),
        discharge_kw: Array.from(powers, (x) => Math.max(0, -x)),
      }
    : { power_kw: Array.from(powers) };

/** The best course with nothing done now; null where it may not rest. */
const resting = (
  s: Scenario,
  d: Store,
  schedule: Schedule,
  costs: SlotCosts,
  now: number,
): Float64Array | null => bestWhere(s, d, schedule, costs, now, (power) => Math.abs(power) <= RESTS_KW);

/** Energy by a time is taken at once and without a pause; a store begins now, and sees. Null where it cannot. */
function starting(
  s: Scenario,
  d: Store,
  schedule: Schedule,
  costs: SlotCosts,
  now: number,
): Float64Array | null {
  if (d.type === 'ev') return d.arrive_slot > 0 ? null : atOnce(s, d);
  const least_kw = d.type === 'battery' ? d.charge_max_kw / 2 : RESTS_KW;
  return bestWhere(s, d, schedule, costs, now, (power) => power > least_kw);
}

function atOnce(s: Scenario, d: DeviceOf<'ev'>): Float64Array | null {
  const powers = new Float64Array(s.n);
  let left_kwh = d.required_kwh;
  for (const range of steadyRanges(s, d)) {
    if (left_kwh <= 1e-6) break;
    const hours = ticksOf(s, range) * s.dt_h;
    const wanted = Math.min(d.max_kw, left_kwh / hours);
    const stepped = d.step_kw ? Math.ceil(wanted / d.step_kw - 1e-6) * d.step_kw : wanted;
    const power = Math.min(d.max_kw, Math.max(d.min_kw, stepped));
    powers.fill(power, range.from, range.until);
    left_kwh -= hours * power;
  }
  return left_kwh > 1e-3 ? null : powers;
}

function bestWhere(
  s: Scenario,
  d: Store,
  schedule: Schedule,
  costs: SlotCosts,
  slots: number,
  allows: (power_kw: number) => boolean,
): Float64Array | null {
  const { price, kinks } = besideOthers(s, d, schedule, costs);
  const forbidden = 1000 * breachPrice(s);
  const told: PriceOf = (t, x) => price(t, x) + (t < slots && !allows(x) ? forbidden : 0);
  const powers =
    d.type === 'battery'
      ? planBattery(s, d, { price: told, kinks })
      : d.type === 'ev'
        ? planCar(s, d, told)
        : planHeat(s, d, told);
  return powers.subarray(0, slots).every(allows) ? powers : null;
}

/** A schedule whose batteries do otherwise than planned in the first `now` slots: after them they make the best of it. */
export function carriedOn(s: Scenario, planned: Schedule, begun: Schedule, now: number): Schedule {
  const costs = costsUnder(s, evaluate(s, planned).import_kw);
  const next = { ...begun };
  const rest = { ...s, n: s.n - now, spans: s.spans?.slice(now) };
  for (const d of s.devices) {
    if (d.type !== 'battery') continue;
    const before_kw = netPower(s, d, planned[d.id] ?? {});
    const first_kw = netPower(s, d, begun[d.id] ?? {}).subarray(0, now);
    if (first_kw.every((x, t) => Math.abs(x - at(before_kw, t)) < RESTS_KW)) continue;
    const soc0_kwh = first_kw.reduce((soc, x, t) => soc + socChange(s, d, t, x), d.soc0_kwh);
    const { price, kinks } = besideOthers(s, d, next, costs);
    const later = planBattery(
      rest,
      { ...d, soc0_kwh },
      { price: (t, x) => price(t + now, x), kinks: (t) => kinks(t + now) },
    );
    next[d.id] = scheduleOf(d, Float64Array.of(...first_kw, ...later));
  }
  return next;
}

/** What a slot costs by the power of one device, the others doing as scheduled, and where that bends. */
const besideOthers = (s: Scenario, d: Device, schedule: Schedule, costs: SlotCosts): BatteryPrices =>
  pricesBeside(d, costs, scheduled(s, schedule, [d.id]));

/** Peaks up to the highest of these imports are paid for. */
const costsUnder = (s: Scenario, import_kw: Float64Array): SlotCosts =>
  slotCosts(s, {
    threshold_kw: s.grid.peak ? Math.max(s.grid.peak.free_kw, highestMean(s, import_kw)) : null,
    window_per_kwh: null,
  });

/** The sun is used as far as it pays beside what the loads then do. A house has one roof here. */
function withSun(s: Scenario, schedule: Schedule, costs: SlotCosts): Schedule {
  const { net, steerable, charge } = scheduled(s, schedule, []);
  const next = { ...schedule };
  for (const d of s.devices)
    if (d.type === 'pv')
      next[d.id] = {
        used_kw: d.available_kw.map((x, t) =>
          Math.min(x, Math.max(0, costs.solar(t, at(net, t), at(steerable, t), at(charge, t)))),
        ),
      };
  return next;
}
