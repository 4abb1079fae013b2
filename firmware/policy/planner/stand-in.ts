/**
 * The plan without a solver: every device in turn does its best against what the others do, until nobody gains.
 * Where peaks are billed this is done for several ceilings, and the cheapest result stands.
 */

import { planHeat } from './heat-response.ts';
import { type Evaluation, evaluate, isBetter } from './model.ts';
import { type Others, othersOf, pricesBeside, together } from './others.ts';
import {
  choicesOf,
  type PriceOf,
  planAppliance,
  planBattery,
  planCar,
  planCut,
  withBattery,
} from './respond.ts';
import { at, type Device, type DeviceOf, isWindow, type Scenario, type Schedule } from './scenario.ts';
import { type Coupling, type SlotCosts, slotCosts } from './slot-cost.ts';
import { cycle, netPower } from './slots.ts';

export interface Planned {
  readonly schedule: Schedule;
  readonly evaluation: Evaluation;
}

interface Load {
  power: Float64Array;
  start: number | null;
}

const ROUNDS = 6;
/** Choices that cars may weigh in all: some seconds. Once they are used up the best plan found so far stands. */
const MOST_CHOICES = 3e9;

interface Budget {
  choices: number;
}

/**
 * A plan for `s`; with `from`, one that improves on that plan. Always within every device's own limits. `quick` where a
 * solver goes on from it.
 */
export function standIn(
  s: Scenario,
  from?: Schedule,
  effort: 'quick' | 'thorough' = 'thorough',
  choices = MOST_CHOICES,
): Planned {
  let best: Planned | null = null;
  let under: Coupling = { threshold_kw: null, window_per_kwh: null };
  const ceilings = thresholds(s);
  const windows = windowPrices(s);
  const oneOrder = from !== undefined || (effort === 'quick' && ceilings.length + windows.length > 3);
  let manners = mannersFor(s, oneOrder);
  let by = manners;
  const budget = { choices };
  const attempt = (coupling: Coupling): void => {
    const costs = slotCosts(s, coupling);
    for (const manner of manners) {
      if (best && budget.choices < 0) return;
      const found = descend(s, costs, manner, from, budget);
      if (best && !isBetter(found.evaluation, best.evaluation)) continue;
      best = found;
      under = coupling;
      by = [manner];
    }
  };
  // First the ceiling, then under the best one the price in windows: not every pair of them.
  for (const threshold_kw of ceilings) attempt({ threshold_kw, window_per_kwh: null });
  for (const window_per_kwh of windows) attempt({ ...under, window_per_kwh });
  manners = by;
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

/** How the devices take turns. */
interface Manner {
  /** The battery first, those with the least freedom last. */
  readonly reversed: boolean;
  /** The others count on the battery to give way. */
  readonly yielding: boolean;
}

function mannersFor(s: Scenario, oneOrder: boolean): Manner[] {
  const manners = [{ reversed: false, yielding: false }];
  if (!oneOrder) manners.push({ reversed: true, yielding: false });
  const others = s.devices.some((d) => d.type !== 'pv' && d.type !== 'battery');
  if (others && s.devices.some((d) => d.type === 'battery')) manners.push({ reversed: true, yielding: true });
  return manners;
}

function descend(
  s: Scenario,
  costs: SlotCosts,
  { reversed, yielding }: Manner,
  from: Schedule | undefined,
  budget: Budget,
): Planned {
  const choices = s.devices.reduce((sum, d) => sum + (d.type === 'ev' ? choicesOf(s, d) : 0), 0);
  const loads = new Map<string, Load>();
  const order = s.devices.filter((d) => d.type !== 'pv').sort((a, b) => rank(a) - rank(b));
  if (reversed) order.reverse();
  for (const d of s.devices) loads.set(d.id, { power: demandOf(s, d), start: null });
  if (from) for (const d of s.devices) adopt(s, d, from, loads);
  let best = finish(s, costs, loads);
  for (let round = 0; round < ROUNDS; round++) {
    for (const d of order) respond(s, d, costs, loads, yielding);
    const now = finish(s, costs, loads);
    const gained = isBetter(now.evaluation, best.evaluation);
    const enough = best.evaluation.feasible && best.evaluation.cost - now.evaluation.cost < 1e-5;
    if (gained) best = now;
    budget.choices -= choices;
    if ((round > 0 && (!gained || enough)) || budget.choices < 0) break;
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

const restOf = (s: Scenario, loads: ReadonlyMap<string, Load>, without: readonly string[]): Others =>
  othersOf(s, (d) => loads.get(d.id)?.power, without);

function respond(
  s: Scenario,
  d: Device,
  costs: SlotCosts,
  loads: Map<string, Load>,
  yielding: boolean,
): void {
  const load = loads.get(d.id);
  if (!load) return;
  const battery = s.devices.find((x) => x.type === 'battery');
  const price =
    yielding && battery?.type === 'battery' && d.type !== 'battery'
      ? yieldingPrice(s, d, battery, costs, loads)
      : pricesBeside(d, costs, restOf(s, loads, [d.id])).price;
  if (d.type === 'battery') load.power = planBattery(s, d, pricesBeside(d, costs, restOf(s, loads, [d.id])));
  else if (d.type === 'ev') load.power = planCar(s, d, price);
  else if (d.type === 'thermal') load.power = planHeat(s, d, price);
  else if (d.type === 'appliance') {
    load.start = planAppliance(s, d, price);
    load.power = cycle(s, d, load.start);
  } else if (d.type === 'curtailable') {
    const demand = d.demand_kw;
    const cut = planCut(s, d, (t, x) => price(t, at(demand, t) + x));
    load.power = demandOf(s, d).map((x, t) => x - at(cut, t));
  }
}

/** The price of a device beside a battery that gives way to it. */
function yieldingPrice(
  s: Scenario,
  d: Device,
  battery: DeviceOf<'battery'>,
  costs: SlotCosts,
  loads: ReadonlyMap<string, Load>,
): PriceOf {
  const rest = restOf(s, loads, [battery.id, d.id]);
  return withBattery(
    s,
    battery,
    loads.get(battery.id)?.power ?? new Float64Array(s.n),
    pricesBeside(battery, costs, restOf(s, loads, [battery.id])),
    {
      kinks: pricesBeside(battery, costs, rest).kinks,
      cost: (t, p, x) =>
        together(costs, rest, t, [
          [battery, p],
          [d, x],
        ]),
    },
  );
}

/** The schedule of these loads, with solar used as far as it pays, and its price. */
function finish(s: Scenario, costs: SlotCosts, loads: ReadonlyMap<string, Load>): Planned {
  const { net, steerable, charge } = restOf(s, loads, []);
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
