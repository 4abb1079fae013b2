/**
 * What stored energy is worth, by dynamic programming over the state of charge: slot by slot from the end, once for
 * every state that load and sun may be in (one state: they are known). What a slot costs is piecewise linear in the
 * battery's power, so trying its kinks and some powers between them finds the best; between grid points of the state
 * of charge the value is interpolated.
 */
import type { DeviceOf, Scenario } from './scenario.ts';
import { hoursOf } from './slots.ts';

/** What a slot costs in one state, by the battery's power (kW, charging positive). */
export interface SlotView {
  cost(power_kw: number): number;
  /** Powers at which the slope of the cost changes. */
  readonly kinks_kw: readonly number[];
}

export interface Outlook {
  /** How many states there are. */
  readonly states: number;
  view(t: number, state: number): SlotView;
  /** Chances of the states of slot `t + 1`, given the state of slot `t`. */
  chances(t: number, state: number): readonly number[];
}

export interface EnergyValue {
  /** The best power in slot `t`, seen as `view`, with `soc_kwh` at its start. */
  best(t: number, state: number, view: SlotView, soc_kwh: number): number;
  /** Expected cost of all slots after `t`, with `soc_kwh` at its end. */
  after(t: number, state: number, soc_kwh: number): number;
}

const NODES = 72;
const POWERS = 7;

/** Like `at`, for one kind of array alone: this is the innermost loop of all planning. */
const value = (values: Float64Array, i: number): number => values[i] ?? 0;

/** Powers that are tried in a slot, what each costs, and by how much it changes the state of charge. */
interface Moves {
  readonly power: Float64Array;
  readonly cost: Float64Array;
  readonly change: Float64Array;
}

export function energyValue(s: Scenario, d: DeviceOf<'battery'>, outlook: Outlook): EnergyValue {
  const low = Math.min(d.soc_min_kwh, d.soc0_kwh);
  const high = Math.max(d.soc_max_kwh, d.soc0_kwh, low + 1e-6);
  const size = (high - low) / NODES;
  const last = Float64Array.from({ length: NODES + 1 }, (_, i) => -d.terminal_value_per_kwh * i * size);
  /** By slot and state: expected cost of all later slots, by state of charge at the end of the slot. */
  const later: Float64Array[][] = [];
  later[s.n - 1] = Array.from({ length: outlook.states }, () => last);
  for (let t = s.n - 1; t > 0; t--) {
    const values = Array.from({ length: outlook.states }, (_, k) =>
      sweep(movesOf(s, d, t, outlook.view(t, k)), later[t]?.[k] ?? last, low, high, size),
    );
    later[t - 1] = Array.from({ length: outlook.states }, (_, k) => mean(values, outlook.chances(t - 1, k)));
  }
  return {
    best: (t, state, view, soc_kwh) =>
      cheapest(movesOf(s, d, t, view), later[t]?.[state] ?? last, soc_kwh, low, high, size).power,
    after: (t, state, soc_kwh) => between(later[t]?.[state] ?? last, (soc_kwh - low) / size),
  };
}

/** Between two grid points, and at the end of the grid beyond it. */
function between(values: Float64Array, x: number): number {
  const inside = Math.min(NODES, Math.max(0, x));
  const i = Math.min(NODES - 1, Math.floor(inside));
  const a = value(values, i);
  return a + (inside - i) * (value(values, i + 1) - a);
}

function mean(values: readonly Float64Array[], chances: readonly number[]): Float64Array {
  const only = values[0];
  if (values.length === 1 && only) return only;
  return Float64Array.from({ length: NODES + 1 }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < values.length; k++) sum += (chances[k] ?? 0) * (values[k]?.[i] ?? 0);
    return sum;
  });
}

function movesOf(s: Scenario, d: DeviceOf<'battery'>, t: number, view: SlotView): Moves {
  const hours = hoursOf(s, t);
  const tried = [0, ...view.kinks_kw];
  for (let i = 1; i <= POWERS; i++)
    tried.push((d.charge_max_kw * i) / POWERS, (-d.discharge_max_kw * i) / POWERS);
  const power = Float64Array.from(
    tried.filter((p) => p <= d.charge_max_kw && p >= -d.discharge_max_kw),
  ).sort();
  return {
    power,
    cost: power.map((p) => view.cost(p) + Math.max(0, -p) * hours * d.wear_per_kwh),
    change: power.map((p) => hours * (p > 0 ? p * d.eta_charge : p / d.eta_discharge)),
  };
}

/** The least cost from every grid point on: all of them move by the same share of a step. */
function sweep(moves: Moves, after: Float64Array, low: number, high: number, size: number): Float64Array {
  const { power, cost, change } = moves;
  const best = new Float64Array(NODES + 1).fill(Number.POSITIVE_INFINITY);
  for (let m = 0; m < power.length; m++) {
    const x = value(change, m) / size;
    const by = Math.floor(x + 1e-9);
    const part = Math.max(0, x - by);
    const c = value(cost, m);
    const end = Math.min(NODES, NODES - Math.ceil(x - 1e-9));
    for (let i = Math.max(0, -by); i <= end; i++) {
      const a = value(after, i + by);
      const total = part > 0 ? c + a + part * (value(after, i + by + 1) - a) : c + a;
      if (total < value(best, i)) best[i] = total;
    }
  }
  // Where a move would pass a bound, one that just reaches it may be better.
  const down = -value(change, 0) / size;
  const up = value(change, change.length - 1) / size;
  for (let i = 0; i <= NODES; i++) {
    if (i >= down && i <= NODES - up) continue;
    best[i] = Math.min(value(best, i), cheapest(moves, after, low + i * size, low, high, size).cost);
  }
  return best;
}

interface Choice {
  readonly cost: number;
  readonly power: number;
}

/** The best move from `soc`; one that would pass a bound is cut to reach it. */
function cheapest(
  { power, cost, change }: Moves,
  after: Float64Array,
  soc: number,
  low: number,
  high: number,
  size: number,
): Choice {
  let best = Number.POSITIVE_INFINITY;
  let chosen = 0;
  const consider = (p: number, c: number, end: number): void => {
    const total = c + between(after, (end - low) / size);
    if (total < best - 1e-12) [best, chosen] = [total, p];
  };
  const cut = (i: number, end: number): void => {
    const share = (end - soc - value(change, i)) / (value(change, i + 1) - value(change, i));
    if (!(share >= 0 && share <= 1)) return;
    const p = value(power, i) + share * (value(power, i + 1) - value(power, i));
    consider(p, value(cost, i) + share * (value(cost, i + 1) - value(cost, i)), end);
  };
  for (let i = 0; i < power.length; i++) {
    const end = soc + value(change, i);
    if (end >= low - 1e-9 && end <= high + 1e-9) consider(value(power, i), value(cost, i), end);
    if (i + 1 >= power.length) continue;
    const next = soc + value(change, i + 1);
    if (end < low && next > low) cut(i, low);
    if (end < high && next > high) cut(i, high);
  }
  return { cost: best, power: chosen };
}
