/** A heated or cooled store of the first order: on or off where that is a decision, comfort as a soft band. */
import { ambientAt, at, type DeviceOf, type Scenario } from '../scenario.ts';
import { hoursOf, tickOf } from '../slots.ts';
import type { LinearProgram, Term } from './linear-program.ts';
import { type DeviceColumns, draws, type SlotTerms, within } from './slot.ts';

/** Below this a device counts as off (kW): twice the checker's tolerance. */
const LEAST_KW = 0.002;
const HARD_PRICE_PER_K = 100;

interface Columns {
  /** Whether it runs, by slot; empty where zero is as good as any power. */
  readonly on: number[];
  readonly power: number[];
}

export function heat(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'thermal'>,
  slots: readonly SlotTerms[],
): DeviceColumns {
  const decides = d.min_kw > 0 || d.min_on_slots > 1 || d.min_off_slots > 1;
  const columns: Columns = { on: [], power: [] };
  let before: number | null = null;
  slots.forEach((slot, t) => {
    const [p, unit] = powerOf(lp, d, decides, columns);
    before = temperature(lp, s, d, t, p, unit, before);
    comfort(lp, s, d, t, before);
    draws(slot, p, unit, d.max_kw);
    if (d.steerable) slot.steerable.push([p, unit]);
  });
  if (before !== null) terminal(lp, s, d, before);
  if (decides) runs(lp, s, d, columns.on);
  return {
    read: (values) => ({ power_kw: columns.power.map((_, t) => readPower(d, columns, values, t)) }),
    start: (schedule) => columns.on.map((v, t): Term => [v, at(schedule.power_kw, t) > 1e-3 ? 1 : 0]),
  };
}

const isFixed = (d: DeviceOf<'thermal'>): boolean => d.max_kw - d.min_kw < 1e-6;

/** The column of the power in this slot, and the kW that one unit of it stands for. */
function powerOf(
  lp: LinearProgram,
  d: DeviceOf<'thermal'>,
  decides: boolean,
  columns: Columns,
): [number, number] {
  if (!decides) {
    const p = lp.variable(0, 0, d.max_kw);
    columns.power.push(p);
    return [p, 1];
  }
  const run = lp.binary();
  columns.on.push(run);
  if (isFixed(d)) {
    columns.power.push(run);
    return [run, d.max_kw];
  }
  const p = lp.variable(0, 0, d.max_kw);
  lp.onlyWith(p, d.max_kw, run);
  lp.atLeastWith(p, Math.max(d.min_kw, LEAST_KW), run);
  columns.power.push(p);
  return [p, 1];
}

function temperature(
  lp: LinearProgram,
  s: Scenario,
  d: DeviceOf<'thermal'>,
  t: number,
  power: number,
  unit: number,
  before: number | null,
): number {
  const k = hoursOf(s, t) / d.c_kwh_per_k;
  const warm = lp.variable(0, -1e4, 1e4);
  const gain = k * (at(d.gain_kw, t) - at(d.draw_kw, t) + d.ua_kw_per_k * ambientAt(s, d, t));
  const keep = 1 - k * d.ua_kw_per_k;
  const terms: Term[] = [
    [warm, 1],
    [power, -k * at(d.cop, t) * unit],
  ];
  if (before !== null) lp.row([...terms, [before, -keep]], '=', gain);
  else lp.row(terms, '=', gain + keep * d.t0_c);
  return warm;
}

function comfort(lp: LinearProgram, s: Scenario, d: DeviceOf<'thermal'>, t: number, warm: number): void {
  const price = hoursOf(s, t) * d.discomfort_per_kh;
  const bound = (edge: number, relation: '<=' | '>=', perK: number): void => {
    const beyond = lp.variable(perK, 0, 1e4);
    lp.row([[warm, 1] as Term, [beyond, relation === '<=' ? -1 : 1] as Term], relation, edge);
  };
  bound(at(d.lo_c, t), '>=', price);
  bound(at(d.hi_c, t), '<=', price);
  if (typeof d.hard_max_c === 'number') bound(d.hard_max_c, '<=', HARD_PRICE_PER_K);
  if (typeof d.hard_min_c === 'number') bound(d.hard_min_c, '>=', HARD_PRICE_PER_K);
}

function terminal(lp: LinearProgram, s: Scenario, d: DeviceOf<'thermal'>, warm: number): void {
  const value = d.terminal_value_per_k;
  if (value === 0) return;
  const edge = at(value > 0 ? d.hi_c : d.lo_c, s.n - 1);
  const heating = value > 0;
  const useful = lp.variable(-value, heating ? -1e4 : edge, heating ? edge : 1e4);
  lp.row([[useful, 1] as Term, [warm, -1] as Term], heating ? '<=' : '>=', 0);
  lp.variable(value * (heating ? Math.min(d.t0_c, edge) : Math.max(d.t0_c, edge)), 1, 1);
}

/** Minimum on and off times, with the state before the first slot (turn-on inequalities of Rajan and Takriti). */
function runs(lp: LinearProgram, s: Scenario, d: DeviceOf<'thermal'>, on: readonly number[]): void {
  if (d.min_on_slots <= 1 && d.min_off_slots <= 1) return;
  const need = d.init_on ? d.min_on_slots : d.min_off_slots;
  const initial = d.init_on ? 1 : 0;
  const ups: number[] = [];
  /** The first slot from which on a start comes less than so many ticks before slot `t`. */
  const within = (ticks: number, t: number): number => {
    let u = t;
    while (u > 0 && tickOf(s, t) - tickOf(s, u - 1) < ticks) u--;
    return u;
  };
  on.forEach((v, t) => {
    if (tickOf(s, t) < need - d.init_slots) lp.row([[v, 1]], '=', initial);
    const up = lp.variable(0, 0, 1);
    const previous = on[t - 1];
    const rise: Term[] = [
      [up, 1],
      [v, -1],
    ];
    if (previous === undefined) lp.row(rise, '>=', -initial);
    else lp.row([...rise, [previous, 1]], '>=', 0);
    ups.push(up);
    lp.row([...ups.slice(within(d.min_on_slots, t)).map((u): Term => [u, 1]), [v, -1]], '<=', 0);
    // Whoever starts in these slots was off before the first of them.
    const first = within(Math.max(1, d.min_off_slots), t);
    const earlier = on[first - 1];
    const starts = ups.slice(first).map((u): Term => [u, 1]);
    if (earlier !== undefined) lp.row([...starts, [earlier, 1]], '<=', 1);
    else if (d.init_on) lp.row(starts, '<=', 0);
  });
}

function readPower(d: DeviceOf<'thermal'>, columns: Columns, values: ArrayLike<number>, t: number): number {
  const x = at(values, at(columns.power, t));
  const run = columns.on[t];
  if (run === undefined) return x < 0.001 ? 0 : within(x, 0, d.max_kw);
  if (at(values, run) < 0.5) return 0;
  return isFixed(d) ? d.max_kw : within(x, Math.max(d.min_kw, LEAST_KW), d.max_kw);
}
