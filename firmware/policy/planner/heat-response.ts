/**
 * Dynamic programming for a thermal store: over its temperature and how long it has been on or off. Electrical power by
 * slot; keeps minimum on and off times, and the safety temperatures where it can.
 */
import { discomfort, nextTemperature, terminalHeat } from './model.ts';
import type { PriceOf } from './respond.ts';
import { at, type DeviceOf, type Scenario } from './scenario.ts';
import { breachPrice } from './slot-cost.ts';
import { hoursOf, spanOf } from './slots.ts';

const T_STEPS = 160;
const WIDTH = T_STEPS + 1;

/** States 0…minOn-1: on for that many ticks and one more (the last: or longer); from minOn on: off likewise. */
interface Grid {
  readonly floor: number;
  readonly size: number;
  readonly minOn: number;
  readonly states: number;
  readonly levels: readonly number[];
}

/**
 * What each power does in one slot, by level and grid point (`level × WIDTH + i`): where between two grid points it
 * leads, and what it costs, comfort included. The same for all states: this is what makes the sweep fast.
 */
interface Moves {
  /** Ticks of the slot. */
  readonly span: number;
  readonly below: Int32Array;
  readonly share: Float64Array;
  readonly cost: Float64Array;
}

export function planHeat(s: Scenario, d: DeviceOf<'thermal'>, price: PriceOf): Float64Array {
  const grid = gridOf(d);
  const reached = reachedStates(s, d, grid);
  const breachPerK = breachPrice(s);
  const end = Float64Array.from({ length: WIDTH }, (_, i) => terminalHeat(s, d, grid.floor + i * grid.size));
  const values: Values[] = [];
  values[s.n] = new Map([...(reached[s.n] ?? [])].map((state) => [state, end]));
  for (let t = s.n - 1; t >= 0; t--) {
    const moves = movesOf(s, d, grid, price, breachPerK, t);
    const later = values[t + 1] ?? new Map();
    values[t] = new Map([...(reached[t] ?? [])].map((state) => [state, sweep(grid, moves, later, state)]));
  }
  const powers = new Float64Array(s.n);
  let t_c = d.t0_c;
  let state = firstState(d, grid);
  for (let t = 0; t < s.n; t++) {
    const choice = choose(s, d, grid, price, breachPerK, values[t + 1] ?? new Map(), t, state, t_c);
    powers[t] = at(grid.levels, choice.level);
    t_c = nextTemperature(s, d, t, t_c, at(powers, t));
    state = choice.next;
  }
  return powers;
}

/** Least cost from there on by temperature, for each state that occurs: of long minimum times most never do. */
type Values = ReadonlyMap<number, Float64Array>;

function gridOf(d: DeviceOf<'thermal'>): Grid {
  const minOn = Math.max(1, d.min_on_slots);
  const [floor, ceiling] = range(d);
  const states = minOn + Math.max(1, d.min_off_slots);
  return { floor, size: (ceiling - floor) / T_STEPS, minOn, states, levels: levelsOf(d) };
}

function firstState(d: DeviceOf<'thermal'>, { minOn, states }: Grid): number {
  const run = Math.max(0, d.init_slots - 1);
  return d.init_on ? Math.min(minOn - 1, run) : minOn + Math.min(states - minOn - 1, run);
}

/** By slot, the states that it can begin with: with slots of several ticks not all of them occur. */
function reachedStates(s: Scenario, d: DeviceOf<'thermal'>, grid: Grid): Set<number>[] {
  const reached = [new Set([firstState(d, grid)])];
  for (let t = 0; t < s.n; t++) {
    const next = new Set<number>();
    for (const state of reached[t] ?? [])
      for (const level of grid.levels.keys()) {
        const then = nextState(grid, state, level, spanOf(s, t));
        if (then !== null) next.add(then);
      }
    reached.push(next);
  }
  return reached;
}

function movesOf(
  s: Scenario,
  d: DeviceOf<'thermal'>,
  { floor, size, levels }: Grid,
  price: PriceOf,
  breachPerK: number,
  t: number,
): Moves {
  const below = new Int32Array(levels.length * WIDTH);
  const share = new Float64Array(below.length);
  const cost = new Float64Array(below.length);
  const cold = nextTemperature(s, d, t, 0, 0);
  const keep = nextTemperature(s, d, t, 1, 0) - cold;
  const [low, high] = [at(d.lo_c, t), at(d.hi_c, t)];
  const [coldest, hottest] = [
    d.hard_min_c ?? Number.NEGATIVE_INFINITY,
    d.hard_max_c ?? Number.POSITIVE_INFINITY,
  ];
  const perK = hoursOf(s, t) * d.discomfort_per_kh;
  for (let level = 0, k = 0; level < levels.length; level++) {
    const power = at(levels, level);
    const paid = price(t, power);
    const gain = nextTemperature(s, d, t, 0, power);
    for (let i = 0; i < WIDTH; i++, k++) {
      const warm = keep * (floor + i * size) + gain;
      const x = (warm - floor) / size;
      const node = Math.min(T_STEPS - 1, Math.max(0, Math.floor(x)));
      below[k] = node;
      share[k] = x - node;
      cost[k] =
        paid +
        perK * (Math.max(0, low - warm) + Math.max(0, warm - high)) +
        breachPerK * (Math.max(0, warm - hottest) + Math.max(0, coldest - warm));
    }
  }
  return { span: spanOf(s, t), below, share, cost };
}

/** The state after a slot of so many ticks at this level; null where the minimum times forbid it. */
function nextState({ minOn, states }: Grid, state: number, level: number, span: number): number | null {
  const on = state < minOn;
  const run = level > 0;
  if (run === on) return Math.min((on ? minOn : states) - 1, state + span);
  if (state !== (on ? minOn - 1 : states - 1)) return null;
  return run ? Math.min(minOn, span) - 1 : Math.min(states, minOn + span) - 1;
}

/** The least cost from every grid point of one state. */
function sweep(grid: Grid, moves: Moves, later: Values, state: number): Float64Array {
  const { span, below, share, cost } = moves;
  const now = new Float64Array(WIDTH).fill(Number.POSITIVE_INFINITY);
  for (let level = 0; level < grid.levels.length; level++) {
    const then = nextState(grid, state, level, span);
    const values = then === null ? undefined : later.get(then);
    if (!values) continue;
    for (let i = 0, k = level * WIDTH; i < WIDTH; i++, k++) {
      const j = below[k] ?? 0;
      const a = values[j] ?? 0;
      const c = (cost[k] ?? 0) + a + (share[k] ?? 0) * ((values[j + 1] ?? 0) - a);
      if (c < (now[i] ?? 0)) now[i] = c;
    }
  }
  return now;
}

interface Choice {
  readonly level: number;
  readonly next: number;
}

/** The best level from a temperature that may lie between the grid's. */
function choose(
  s: Scenario,
  d: DeviceOf<'thermal'>,
  grid: Grid,
  price: PriceOf,
  breachPerK: number,
  later: Values,
  t: number,
  state: number,
  t_c: number,
): Choice {
  let best = Number.POSITIVE_INFINITY;
  let choice: Choice = { level: 0, next: state };
  grid.levels.forEach((power, level) => {
    const next = nextState(grid, state, level, spanOf(s, t));
    const values = next === null ? undefined : later.get(next);
    if (next === null || !values) return;
    const warm = nextTemperature(s, d, t, t_c, power);
    const c = price(t, power) + comfortCost(s, d, breachPerK, t, warm) + valueAt(grid, values, warm);
    if (c < best) [best, choice] = [c, { level, next }];
  });
  return choice;
}

/** Beyond the grid the slope at its edge goes on: colder than its lower end is worse, not equal. */
function valueAt({ floor, size }: Grid, values: Float64Array, t_c: number): number {
  const x = (t_c - floor) / size;
  const i = Math.min(T_STEPS - 1, Math.max(0, Math.floor(x)));
  const a = values[i] ?? 0;
  return a + (x - i) * ((values[i + 1] ?? 0) - a);
}

const comfortCost = (
  s: Scenario,
  d: DeviceOf<'thermal'>,
  breachPerK: number,
  t: number,
  t_c: number,
): number => discomfort(s, d, t, t_c) + breachPerK * breach(d, t_c);

function range(d: DeviceOf<'thermal'>): [number, number] {
  const low = Math.min(d.t0_c, d.hard_min_c ?? 1e9, ...d.lo_c) - 4;
  const high = Math.max(d.t0_c, d.hard_max_c ?? -1e9, ...d.hi_c) + 2;
  return [low, Math.max(high, low + 1)];
}

function levelsOf(d: DeviceOf<'thermal'>): number[] {
  if (d.max_kw <= 0) return [0];
  const low = Math.max(d.min_kw, 0.002);
  if (d.max_kw - low < 1e-6) return [0, d.max_kw];
  return [0, ...Array.from({ length: 7 }, (_, i) => low + ((d.max_kw - low) * i) / 6)];
}

const breach = (d: DeviceOf<'thermal'>, t_c: number): number =>
  Math.max(0, t_c - (d.hard_max_c ?? Number.POSITIVE_INFINITY)) +
  Math.max(0, (d.hard_min_c ?? Number.NEGATIVE_INFINITY) - t_c);
