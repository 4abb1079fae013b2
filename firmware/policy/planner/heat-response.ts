/**
 * Dynamic programming for a thermal store: over its temperature and how long it has been on or off. Electrical power by
 * slot; keeps minimum on and off times, and the safety temperatures where it can.
 */
import { discomfort, nextTemperature, terminalHeat } from './model.ts';
import type { PriceOf } from './respond.ts';
import { at, type DeviceOf, type Scenario } from './scenario.ts';
import { breachPrice } from './slot-cost.ts';

const T_STEPS = 160;
const WIDTH = T_STEPS + 1;

/** States 0…minOn-1: on for that many slots and one more (the last: or longer); from minOn on: off likewise. */
interface Grid {
  readonly floor: number;
  readonly size: number;
  readonly minOn: number;
  readonly states: number;
  readonly levels: readonly number[];
}

/** What the powers cost in one slot, and what they do to the temperature: `keep` × now + `warm`. */
interface Moves {
  readonly keep: number;
  readonly warm: Float64Array;
  readonly cost: Float64Array;
}

export function planHeat(s: Scenario, d: DeviceOf<'thermal'>, price: PriceOf): Float64Array {
  const grid = gridOf(d);
  const moves = Array.from({ length: s.n }, (_, t) => movesOf(s, d, grid, price, t));
  const values: Float64Array[] = [];
  values[s.n] = Float64Array.from({ length: grid.states * WIDTH }, (_, i) =>
    terminalHeat(s, d, grid.floor + (i % WIDTH) * grid.size),
  );
  const choice: Choice = { cost: 0, level: 0, next: 0 };
  for (let t = s.n - 1; t >= 0; t--) {
    const now = new Float64Array(grid.states * WIDTH);
    for (let i = 0; i < now.length; i++) {
      const state = Math.floor(i / WIDTH);
      choose(s, d, grid, moves[t], values[t + 1], t, state, grid.floor + (i % WIDTH) * grid.size, choice);
      now[i] = choice.cost;
    }
    values[t] = now;
  }
  const powers = new Float64Array(s.n);
  let t_c = d.t0_c;
  let state = firstState(d, grid);
  for (let t = 0; t < s.n; t++) {
    choose(s, d, grid, moves[t], values[t + 1], t, state, t_c, choice);
    powers[t] = at(grid.levels, choice.level);
    t_c = nextTemperature(s, d, t, t_c, at(powers, t));
    state = choice.next;
  }
  return powers;
}

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

function movesOf(s: Scenario, d: DeviceOf<'thermal'>, { levels }: Grid, price: PriceOf, t: number): Moves {
  const cold = nextTemperature(s, d, t, 0, 0);
  return {
    keep: nextTemperature(s, d, t, 1, 0) - cold,
    warm: Float64Array.from(levels, (power) => nextTemperature(s, d, t, 0, power)),
    cost: Float64Array.from(levels, (power) => price(t, power)),
  };
}

/** The best that can be done from a state, written into the same object every time: this is the innermost loop. */
interface Choice {
  cost: number;
  level: number;
  next: number;
}

function choose(
  s: Scenario,
  d: DeviceOf<'thermal'>,
  grid: Grid,
  moves: Moves | undefined,
  later: Float64Array | undefined,
  t: number,
  state: number,
  t_c: number,
  into: Choice,
): void {
  into.cost = Number.POSITIVE_INFINITY;
  if (!moves || !later) return;
  const { minOn, states } = grid;
  const on = state < minOn;
  const free = on ? state === minOn - 1 : state === states - 1;
  for (let level = 0; level < grid.levels.length; level++) {
    const run = level > 0;
    if (run !== on && !free) continue;
    const stay = on ? Math.min(minOn - 1, state + 1) : Math.min(states - 1, state + 1);
    const then = run === on ? stay : run ? 0 : minOn;
    const warm = moves.keep * t_c + (moves.warm[level] ?? 0);
    const c = (moves.cost[level] ?? 0) + comfortCost(s, d, t, warm) + valueAt(grid, later, then, warm);
    if (c >= into.cost) continue;
    into.cost = c;
    into.level = level;
    into.next = then;
  }
}

/** Beyond the grid the slope at its edge goes on: colder than its lower end is worse, not equal. */
function valueAt({ floor, size }: Grid, values: Float64Array, state: number, t_c: number): number {
  const x = (t_c - floor) / size;
  const i = Math.min(T_STEPS - 1, Math.max(0, Math.floor(x)));
  const a = values[state * WIDTH + i] ?? 0;
  return a + (x - i) * ((values[state * WIDTH + i + 1] ?? 0) - a);
}

function comfortCost(s: Scenario, d: DeviceOf<'thermal'>, t: number, t_c: number): number {
  const beyond = breach(d, t_c);
  return discomfort(s, d, t, t_c) + (beyond > 0 ? breachPrice(s) * beyond : 0);
}

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
