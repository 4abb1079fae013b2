/** The home that is simulated: what a decision of a slot does to battery, car and meter, and what it costs. */
import { at } from '../planner/scenario.ts';
import { neededIn, stayAt } from './day-slots.ts';
import type { Days } from './days.ts';

export interface HomeState {
  soc_kwh: number;
  /** Delivered in the stay that is running. */
  delivered_kwh: number;
}

/** What is asked for in a slot: battery power (charging positive) and the car's, kW. */
export interface Ask {
  readonly battery_kw: number;
  readonly car_kw: number;
}

/** What came of one run over all days. */
export interface Outcome {
  /**
   * Energy and wear, less what the battery holds at the end over what it held at the start, plus what the car misses:
   * all runs are judged by the same energy.
   */
  readonly cost: number;
  readonly importCost: number;
  readonly import_kwh: number;
  readonly export_kwh: number;
  /** Energy the car was owed when it left, or at the end its share of the stay that goes on. */
  readonly missing_kwh: number;
  /** Energy above the connection's limits. */
  readonly violations_kwh: number;
  /** How often battery and car went on, off or the other way. */
  readonly switches: { readonly battery: number; readonly car: number };
  readonly costs: Float64Array;
  readonly import_kw: Float64Array;
  readonly soc_kwh: Float64Array;
  readonly battery_kw: Float64Array;
  readonly car_kw: Float64Array;
}

/** Decides slot `t` knowing the home's state; load and sun of that slot are known, later ones are not. */
export type Strategy = (t: number, state: HomeState) => Ask | Promise<Ask>;

/** Half of what fits: no run gains by what was in the battery before. */
export const initialState = (d: Days): HomeState => ({
  soc_kwh: d.battery ? (d.battery.capacity_kwh + d.battery.least_kwh) / 2 : 0,
  delivered_kwh: 0,
});

export async function runHome(
  d: Days,
  strategy: Strategy,
  progress: (share: number) => void,
): Promise<Outcome> {
  const n = d.base_load_kw.length;
  const state = initialState(d);
  const out = {
    costs: new Float64Array(n),
    import_kw: new Float64Array(n),
    soc_kwh: new Float64Array(n),
    battery_kw: new Float64Array(n),
    car_kw: new Float64Array(n),
  };
  const sums = { importCost: 0, import_kwh: 0, export_kwh: 0, missing_kwh: 0, violations_kwh: 0 };
  for (let t = 0; t < n; t++) {
    const ask = feasible(d, t, state, await strategy(t, state));
    const net = at(d.base_load_kw, t) - at(d.pv_kw, t) + ask.battery_kw + ask.car_kw;
    const [taken, fed] = [Math.max(0, net), Math.max(0, -net)];
    const energy = d.dt_h * (taken * at(d.prices.import, t) - fed * at(d.prices.export, t));
    out.costs[t] = energy + d.dt_h * Math.max(0, -ask.battery_kw) * (d.battery?.wear_per_kwh ?? 0);
    out.import_kw[t] = net;
    out.battery_kw[t] = ask.battery_kw;
    out.car_kw[t] = ask.car_kw;
    advance(d, t, state, ask, sums);
    out.soc_kwh[t] = state.soc_kwh;
    sums.importCost += d.dt_h * taken * at(d.prices.import, t);
    sums.import_kwh += d.dt_h * taken;
    sums.export_kwh += d.dt_h * fed;
    sums.violations_kwh +=
      d.dt_h * (Math.max(0, taken - d.grid.import_max_kw) + Math.max(0, fed - d.grid.export_max_kw));
    if (t % 24 === 0) progress(t / n);
  }
  const cost = out.costs.reduce((sum, x) => sum + x, 0) + settled(d, state.soc_kwh, sums.missing_kwh);
  const switches = { battery: changes(out.battery_kw), car: changes(out.car_kw) };
  return { cost, ...sums, switches, ...out };
}

/**
 * What the end of a run adds to its cost: what the battery holds beyond what it began with has its worth, less of it
 * costs as much; what the car misses is bought at the dearest price of the days, so that leaving it short never pays.
 */
export function settled(d: Days, soc_kwh: number, missing_kwh: number): number {
  const dearest = d.prices.import.reduce((most, x) => Math.max(most, x), 0);
  return missing_kwh * dearest - (soc_kwh - initialState(d).soc_kwh) * worthOfStored(d);
}

/** Of a kWh in the battery at the end: the mean import price, less what discharging loses. */
export const worthOfStored = (d: Days): number =>
  (d.prices.import.reduce((sum, x) => sum + x, 0) / d.prices.import.length) * (d.battery?.eta_discharge ?? 1);

/** How all runs are judged alike at the end, in words. */
export function terms(d: Days): string[] {
  const car = [
    'A stay of the car that the days begin or end in the middle of wants the share of its time, in every run.',
    'What the car misses is bought at the dearest price of the days.',
  ];
  const worth = worthOfStored(d).toFixed(4);
  const battery = `The battery begins half full; a kWh that it holds more or less at the end is worth ${worth} ${d.currency}: the mean import price, less what discharging loses.`;
  return [...(d.car ? car : []), ...(d.battery ? [battery] : [])];
}

function advance(d: Days, t: number, state: HomeState, ask: Ask, sums: { missing_kwh: number }): void {
  const b = d.battery;
  if (b) {
    const power = ask.battery_kw;
    state.soc_kwh += d.dt_h * (power > 0 ? power * b.eta_charge : power / b.eta_discharge);
  }
  if (!d.car) return;
  const stay = stayAt(d, d.car, t);
  state.delivered_kwh += d.dt_h * ask.car_kw;
  if (t + 1 < Math.min(stay.until, d.base_load_kw.length)) return;
  if (stay.from <= t) sums.missing_kwh += Math.max(0, neededIn(d, d.car, stay) - state.delivered_kwh);
  state.delivered_kwh = 0;
}

/** What the devices can do of what is asked: nobody charges a full battery or a car that is away. */
export function feasible(d: Days, t: number, state: HomeState, ask: Ask): Ask {
  const car_kw = carCan(d, t, state, ask.car_kw);
  const b = d.battery;
  if (!b) return { battery_kw: 0, car_kw };
  const room = (b.capacity_kwh - state.soc_kwh) / d.dt_h / b.eta_charge;
  const held = ((state.soc_kwh - b.least_kwh) / d.dt_h) * b.eta_discharge;
  // What may not come from the grid is the sun's, what may not go there is drawn at home.
  const source = b.grid_charge ? Infinity : at(d.pv_kw, t);
  const sink = b.grid_discharge ? Infinity : at(d.base_load_kw, t) + car_kw;
  const most = Math.max(0, Math.min(room, source, b.charge_max_kw));
  const least = -Math.max(0, Math.min(held, sink, b.discharge_max_kw));
  return { battery_kw: Math.min(most, Math.max(least, ask.battery_kw)), car_kw };
}

function carCan(d: Days, t: number, state: HomeState, asked_kw: number): number {
  const c = d.car;
  if (!c) return 0;
  const stay = stayAt(d, c, t);
  if (stay.from > t) return 0;
  const left = (neededIn(d, c, stay) - state.delivered_kwh) / d.dt_h;
  const power = Math.min(asked_kw, c.max_kw, Math.max(0, left));
  // A rest below the least power is taken in a shorter time: the mean over the slot may be lower.
  return power < c.min_kw && left > c.min_kw ? 0 : Math.max(0, power);
}

function changes(values: Float64Array): number {
  let n = 0;
  for (let t = 1; t < values.length; t++) {
    const sign = (x: number): number => (Math.abs(x) < 0.005 ? 0 : Math.sign(x));
    if (sign(values[t] ?? 0) !== sign(values[t - 1] ?? 0)) n += 1;
  }
  return n;
}
