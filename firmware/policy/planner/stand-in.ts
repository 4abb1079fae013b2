/**
 * The plan without a solver: every device in turn does its best against what the others do, until nobody gains.
 * Where peaks are billed this is done for several ceilings, and the cheapest result stands.
 */

import { planHeat } from './heat-response.ts';
import { type Evaluation, evaluate, isBetter } from './model.ts';
import { type PriceOf, planAppliance, planBattery, planCar, planCut } from './respond.ts';
import { at, type Device, isWindow, netPower, type Scenario, type Schedule } from './scenario.ts';
import { type Coupling, type SlotCosts, slotCosts } from './slot-cost.ts';

export interface Planned {
  readonly schedule: Schedule;
  readonly evaluation: Evaluation;
}

interface Load {
  power: Float64Array;
  start: number | null;
}

const ROUNDS = 6;

/**
 * A plan for `s`; with `from`, one that improves on that plan. Always within every device's own limits. `quick` where a
 * solver goes on from it.
 */
export function standIn(s: Scenario, from?: Schedule, effort: 'quick' | 'thorough' = 'thorough'): Planned {
  let best: Planned | null = null;
  let under: Coupling = { threshold_kw: null, window_per_kwh: null };
  const ceilings = thresholds(s);
  const windows = windowPrices(s);
  const oneOrder = from !== undefined || (effort === 'quick' && ceilings.length + windows.length > 3);
  const attempt = (coupling: Coupling): void => {
    const costs = slotCosts(s, coupling);
    for (const reversed of oneOrder ? [false] : [false, true]) {
      const found = descend(s, costs, reversed, from);
      if (best && !isBetter(found.evaluation, best.evaluation)) continue;
      best = found;
      under = coupling;
    }
  };
  // First the ceiling, then under the best one the price in windows: not every pair of them.
  for (const threshold_kw of ceilings) attempt({ threshold_kw, window_per_kwh: null });
  for (const window_per_kwh of windows) attempt({ ...under, window_per_kwh });
  for (let round = effort === 'quick' ? 3 : 0; round < 3 && ceilings.length > 1; round++) {
    for (const threshold_kw of beside(ceilings, under.threshold_kw)) {
      attempt({ ...under, threshold_kw });
      ceilings.push(threshold_kw);
    }
  }
  return best ?? { schedule: {}, evaluation: evaluate(s, {}) };
}

/** Half way from the best ceiling to the ones beside it. */
function beside(ceilings: readonly (number | null)[], best: number | null): number[] {
  if (best === null) return [];
  const sorted = ceilings.filter((x) => x !== null).sort((a, b) => a - b);
  const i = sorted.indexOf(best);
  return [sorted[i - 1], sorted[i + 1]].flatMap((x) => (x === undefined ? [] : [(x + best) / 2]));
}

const WINDOW_PRICES = [0, 0.05, 0.15, 0.4, 1, 3];

/** Prices that import inside windows is tried with, beside keeping every slot to the window's mean. */
function windowPrices(s: Scenario): number[] {
  const windows = s.events.filter(isWindow);
  // More than the penalty is never worth paying.
  const most = Math.max(
    0,
    ...windows.map((e) => (e.hard ? Number.POSITIVE_INFINITY : (e.penalty_per_kwh ?? 0))),
  );
  if (windows.length)
    return [...WINDOW_PRICES.filter((x) => x < most), ...(Number.isFinite(most) ? [most] : [])];
  // An incentive is tried for or not.
  return s.events.some((e) => e.kind === 'incentive') ? [0] : [];
}

function thresholds(s: Scenario): (number | null)[] {
  const peak = s.grid.peak;
  if (!peak || peak.price_per_kw <= 0) return [null];
  const top = Math.max(peak.free_kw, Math.min(s.grid.import_max_kw, peak.free_kw + 12));
  return [0, 0.05, 0.1, 0.17, 0.25, 0.4, 0.6, 1].map((x) => peak.free_kw + x * (top - peak.free_kw));
}

function descend(s: Scenario, costs: SlotCosts, reversed: boolean, from: Schedule | undefined): Planned {
  const loads = new Map<string, Load>();
  const order = s.devices.filter((d) => d.type !== 'pv').sort((a, b) => rank(a) - rank(b));
  if (reversed) order.reverse();
  for (const d of s.devices) loads.set(d.id, { power: demandOf(s, d), start: null });
  if (from) for (const d of s.devices) adopt(s, d, from, loads);
  let best = finish(s, costs, loads);
  for (let round = 0; round < ROUNDS; round++) {
    for (const d of order) respond(s, d, costs, loads);
    const now = finish(s, costs, loads);
    const gained = isBetter(now.evaluation, best.evaluation);
    const enough = best.evaluation.feasible && best.evaluation.cost - now.evaluation.cost < 1e-5;
    if (gained) best = now;
    if (round > 0 && (!gained || enough)) break;
  }
  return best;
}

/** Those with the least freedom first, the battery last: it fills what the others leave. */
const RANK: Readonly<Record<Device['type'], number>> = {
  pv: 0,
  thermal: 2,
  appliance: 3,
  ev: 1,
  curtailable: 4,
  battery: 5,
};
const rank = (d: Device): number => RANK[d.type];

const demandOf = (s: Scenario, d: Device): Float64Array =>
  d.type === 'curtailable' ? Float64Array.from(d.demand_kw) : new Float64Array(s.n);

function adopt(s: Scenario, d: Device, from: Schedule, loads: Map<string, Load>): void {
  const p = from[d.id];
  const load = loads.get(d.id);
  if (!p || !load) return;
  load.power = netPower(s, d, p);
  load.start = p.start ?? null;
}

function cycle(s: Scenario, profile_kw: readonly number[], start: number | null): Float64Array {
  const power = new Float64Array(s.n);
  if (start !== null) for (const [i, x] of profile_kw.entries()) if (start + i < s.n) power[start + i] = x;
  return power;
}

interface Rest {
  readonly net: Float64Array;
  readonly steerable: Float64Array;
  readonly charge: Float64Array;
}

function restOf(s: Scenario, loads: ReadonlyMap<string, Load>, without: string | null): Rest {
  const net = Float64Array.from(s.base_load_kw);
  const steerable = new Float64Array(s.n);
  const charge = new Float64Array(s.n);
  for (const d of s.devices) {
    if (d.id === without || d.type === 'pv') continue;
    const power = loads.get(d.id)?.power;
    for (let t = 0; t < s.n; t++) {
      const x = at(power, t);
      net[t] = at(net, t) + x;
      if (isSteerable(d)) steerable[t] = at(steerable, t) + Math.max(0, x);
      if (d.type === 'battery' && !d.grid_charge) charge[t] = Math.max(at(charge, t), x);
    }
  }
  return { net, steerable, charge };
}

const isSteerable = (d: Device): boolean => 'steerable' in d && d.steerable;

function respond(s: Scenario, d: Device, costs: SlotCosts, loads: Map<string, Load>): void {
  const { net, steerable, charge } = restOf(s, loads, d.id);
  const counts = isSteerable(d);
  const green = d.type === 'battery' && !d.grid_charge;
  const price: PriceOf = (t, x) =>
    costs.cost(
      t,
      at(net, t) + x,
      at(steerable, t) + (counts ? Math.max(0, x) : 0),
      green ? Math.max(x, at(charge, t)) : at(charge, t),
    );
  const load = loads.get(d.id);
  if (!load) return;
  if (d.type === 'battery')
    load.power = planBattery(s, d, price, (t) => bends(costs, t, at(net, t), at(steerable, t)));
  else if (d.type === 'ev') load.power = planCar(s, d, price);
  else if (d.type === 'thermal') load.power = planHeat(s, d, price);
  else if (d.type === 'appliance') {
    load.start = planAppliance(s, d, price);
    load.power = cycle(s, d.profile_kw, load.start);
  } else if (d.type === 'curtailable') {
    const demand = d.demand_kw;
    const cut = planCut(s, d, (t, x) => price(t, at(demand, t) + x));
    load.power = demandOf(s, d).map((x, t) => x - at(cut, t));
  }
}

/** Powers of one device at which slot `t` changes its slope, when the others draw this. */
function bends(costs: SlotCosts, t: number, net_kw: number, steerable_kw: number): number[] {
  const kinks = costs.kinks(t);
  return [...kinks.net_kw.map((x) => x - net_kw), ...kinks.steerable_kw.map((x) => x - steerable_kw)];
}

/** The schedule of these loads, with solar used as far as it pays, and its price. */
function finish(s: Scenario, costs: SlotCosts, loads: ReadonlyMap<string, Load>): Planned {
  const { net, steerable, charge } = restOf(s, loads, null);
  const schedule: Schedule = {};
  const solar = Float64Array.from({ length: s.n }, (_, t) =>
    costs.solar(t, at(net, t), at(steerable, t), at(charge, t)),
  );
  for (const d of s.devices)
    if (d.type === 'pv' && !d.curtailable)
      for (let t = 0; t < s.n; t++) solar[t] = at(solar, t) - at(d.available_kw, t);
  for (const d of s.devices) {
    const load = loads.get(d.id);
    const power = Array.from(load?.power ?? []);
    if (d.type === 'battery')
      schedule[d.id] = {
        charge_kw: power.map((x) => Math.max(0, x)),
        discharge_kw: power.map((x) => Math.max(0, -x)),
      };
    else if (d.type === 'curtailable')
      schedule[d.id] = { curtailed_kw: power.map((x, t) => Math.max(0, at(d.demand_kw, t) - x)) };
    else if (d.type === 'appliance') schedule[d.id] = { start: load?.start ?? null };
    else if (d.type === 'pv')
      schedule[d.id] = { used_kw: d.available_kw.map((x, t) => share(solar, t, x, d.curtailable)) };
    else schedule[d.id] = { power_kw: power };
  }
  return { schedule, evaluation: evaluate(s, schedule) };
}

function share(solar: Float64Array, t: number, available_kw: number, curtailable: boolean): number {
  if (!curtailable) return available_kw;
  const used = Math.max(0, Math.min(available_kw, at(solar, t)));
  solar[t] = at(solar, t) - used;
  return used;
}
