/** Ways to run the home: without control, in the cheapest slots, as Hearth plans it, and as it had been best. */
import { LOAD, profileForecast } from '../forecast/profile.ts';
import { type Forecast, type Horizon, QUARTER_MS, type Sample } from '../forecast/series.ts';
import { solarForecast } from '../forecast/solar.ts';
import { hedged, type Spread } from '../planner/outlook.ts';
import { makePlan, type SolveProgram } from '../planner/planner.ts';
import { at, parseScenario, type Scenario, type Schedule } from '../planner/scenario.ts';
import { msOf, neededIn, perDay, slotOfDay, slotOfTime, stayAt, zoneOf } from './day-slots.ts';
import type { Days } from './days.ts';
import { type Ask, type HomeState, type Strategy, worthOfStored } from './home.ts';

const net = (d: Days, t: number): number => at(d.base_load_kw, t) - at(d.pv_kw, t);

/** The car charges when it comes, the battery keeps the meter at zero. */
export const noControl =
  (d: Days): Strategy =>
  (t) => ({ car_kw: d.car?.max_kw ?? 0, battery_kw: -net(d, t) });

/** The car in the cheapest slots of its stay; the battery keeps the meter at zero. */
export const cheapestSlots =
  (d: Days): Strategy =>
  (t, state) => {
    const car_kw = d.car && isCheapest(d, t, state) ? d.car.max_kw : 0;
    // It does not empty itself into the car: those slots are cheap.
    return { car_kw, battery_kw: car_kw > 0 ? Math.max(0, -net(d, t) - car_kw) : -net(d, t) };
  };

function isCheapest(d: Days, t: number, state: HomeState): boolean {
  if (!d.car) return false;
  const stay = stayAt(d, d.car, t);
  const left_kwh = neededIn(d, d.car, stay) - state.delivered_kwh;
  const slots = Math.ceil(left_kwh / d.car.max_kw / d.dt_h - 1e-9);
  const ahead = Array.from({ length: Math.min(stay.until, d.base_load_kw.length) - t }, (_, i) => t + i);
  const chosen = ahead
    .sort((a, b) => at(d.prices.import, a) - at(d.prices.import, b) || a - b)
    .slice(0, slots);
  return chosen.includes(t);
}

/** The day-ahead auction is published at 13:00: until then the prices of today, then those of tomorrow too. */
export function pricesUntil(d: Days, t: number): number {
  const days = t >= slotOfTime(d, t, '13:00') ? 2 : 1;
  return Math.min(d.base_load_kw.length, slotOfTime(d, t, '00:00', days));
}

/** As Hearth runs it: forecasts from what was seen before, planned anew in every slot. */
export function planned(d: Days, solve: SolveProgram | null): Strategy {
  const seen = new Seen(d);
  let last: { readonly t: number; readonly plan: Schedule } | null = null;
  return async (t, state) => {
    const until = Math.max(Math.min(t + perDay(d) / 2, d.base_load_kw.length), pricesUntil(d, t));
    const { load, sun, spread } = seen.ahead(t, until);
    const s = scenarioOf(d, t, until, state, { load, sun, known: pricesUntil(d, t), worth: null });
    if (!s) return { battery_kw: -net(d, t), car_kw: d.car?.max_kw ?? 0 };
    // The car is planned when it has come and a few times a day; the battery anew in every slot.
    const old =
      last && t - last.t < perDay(d) / 4 && !comes(d, last.t, t) ? later(last.plan, t - last.t) : null;
    const plan = old ?? (d.car ? (await makePlan(s, { solve, solverOnly: solve !== null })).schedule : {});
    if (!old) last = { t, plan };
    return firstOf(d.battery ? hedged(s, plan, spread) : plan);
  };
}

/** Whether the car has come since slot `before`. */
function comes(d: Days, before: number, t: number): boolean {
  const from = d.car ? stayAt(d, d.car, t).from : t + 1;
  return from > before && from <= t;
}

const later = (plan: Schedule, by: number): Schedule =>
  Object.fromEntries(
    Object.entries(plan).map(([id, { power_kw }]) => [id, power_kw ? { power_kw: power_kw.slice(by) } : {}]),
  );

/** As it had been best: everything known, planned for three days, of which one is kept. */
export function hindsight(d: Days, solve: SolveProgram | null): Strategy {
  let plan: Schedule = {};
  let from = -1;
  return async (t, state) => {
    if (from < 0 || t >= from + perDay(d)) {
      const until = Math.min(d.base_load_kw.length, t + 3 * perDay(d));
      const [load, sun] = [d.base_load_kw.slice(t, until), d.pv_kw?.slice(t, until) ?? null];
      const worth = until === d.base_load_kw.length ? worthOfStored(d) : null;
      const s = scenarioOf(d, t, until, state, { load, sun, known: until, worth });
      if (s) plan = (await makePlan(s, { solve })).schedule;
      from = t;
    }
    return firstOf(plan, t - from);
  };
}

function firstOf(plan: Schedule, i = 0): Ask {
  const cars = Object.keys(plan).filter((id) => id.startsWith('car'));
  return {
    battery_kw: at(plan.battery?.charge_kw, i) - at(plan.battery?.discharge_kw, i),
    car_kw: cars.reduce((sum, id) => sum + at(plan[id]?.power_kw, i), 0),
  };
}

/** By slot from now: load and sun (kW), and the slot from which on prices are not published. */
interface Expected {
  readonly load: readonly number[];
  readonly sun: readonly number[] | null;
  readonly known: number;
  /** Of a kWh that is stored at the end; null: not known. */
  readonly worth: number | null;
}

function scenarioOf(
  d: Days,
  t: number,
  until: number,
  state: HomeState,
  { load, sun, known, worth }: Expected,
): Scenario | null {
  const buy = pricesAhead(d, d.prices.import, t, until, known);
  const mean = buy.reduce((sum, x) => sum + x, 0) / buy.length;
  const b = d.battery;
  const devices: unknown[] = carStays(d, t, until, state, mean);
  if (sun)
    devices.push({ id: 'sun', type: 'pv', available_kw: sun.map((x) => Math.max(0, x)), curtailable: true });
  if (b)
    devices.push({
      ...b,
      id: 'battery',
      type: 'battery',
      soc0_kwh: state.soc_kwh,
      soc_min_kwh: b.least_kwh,
      soc_max_kwh: b.capacity_kwh,
      // What is left at the end saves a later purchase.
      terminal_value_per_kwh: worth ?? 0.85 * mean,
    });
  const s = parseScenario({
    id: 'days',
    n: until - t,
    dt_h: d.dt_h,
    grid: d.grid,
    prices: { import: buy, export: pricesAhead(d, d.prices.export, t, until, known) },
    base_load_kw: load,
    devices,
  });
  return s.ok ? s.value : null;
}

/** What is not published yet is as it was the day before. */
function pricesAhead(d: Days, prices: readonly number[], t: number, until: number, known: number): number[] {
  return Array.from({ length: until - t }, (_, i) => at(prices, t + i < known ? t + i : t + i - perDay(d)));
}

/** The stays of the car within the horizon, each a car of its own; one that is cut by its end needs its share. */
function carStays(d: Days, t: number, until: number, state: HomeState, price: number): unknown[] {
  const c = d.car;
  if (!c) return [];
  const stays: unknown[] = [];
  for (let stay = stayAt(d, c, t); stay.from < until; stay = stayAt(d, c, stay.until)) {
    const running = stay.from <= t;
    const need = Math.max(0, neededIn(d, c, stay) - (running ? state.delivered_kwh : 0));
    const [begin, end] = [Math.max(t, stay.from), Math.min(stay.until, d.base_load_kw.length)];
    const share = Math.min(1, (until - begin) / (end - begin));
    stays.push({
      id: `car${stays.length}`,
      type: 'ev',
      arrive_slot: Math.max(0, stay.from - t),
      depart_slot: Math.min(until, stay.until) - t,
      required_kwh: need * share,
      capacity_left_kwh: need,
      min_kw: Math.min(c.min_kw, need / d.dt_h),
      max_kw: c.max_kw,
      unserved_per_kwh: 5 + 20 * Math.abs(price),
    });
  }
  return stays;
}

/** What was seen of load and sun, and what that says about the time ahead. */
class Seen {
  private readonly d: Days;
  private readonly loads: Sample[] = [];
  private readonly suns: Sample[] = [];
  private squares = 0;
  private weight = 0;
  private expected: number | null = null;
  private known = 0;

  constructor(d: Days) {
    this.d = d;
  }

  /** Slot `t` as it is and expected values up to `until`; called for one slot after another. */
  ahead(t: number, until: number): { load: number[]; sun: number[] | null; spread: Spread } {
    const { d } = this;
    this.learn(t);
    const horizon: Horizon = {
      fromMs: msOf(d, t + 1),
      slots: Math.max(1, (until - t - 1) * d.dt_h * 4),
      timeZone: zoneOf(d),
    };
    const load = this.series(profileForecast(this.loads, horizon, LOAD), d.base_load_kw, t, until);
    const sun = d.pv_kw
      ? this.series(
          solarForecast({ history: this.suns, horizon, place: null, roof: null }),
          d.pv_kw,
          t,
          until,
        )
      : null;
    this.expected = load[1] ?? null;
    return { load, sun, spread: this.spread(t, until, load, sun) };
  }

  private learn(t: number): void {
    const { d } = this;
    if (this.expected !== null) {
      this.squares = 0.98 * this.squares + (at(d.base_load_kw, t) - this.expected) ** 2;
      this.weight = 0.98 * this.weight + 1;
    }
    for (; this.known <= t; this.known++)
      for (let i = 0; i < d.dt_h * 4; i++) {
        const atMs = msOf(d, this.known) + i * QUARTER_MS;
        this.loads.push({ atMs, value: at(d.base_load_kw, this.known) });
        this.suns.push({ atMs, value: at(d.pv_kw, this.known) });
      }
    const most = 28 * 96;
    if (this.loads.length > most) this.loads.splice(0, this.loads.length - most);
    if (this.suns.length > most) this.suns.splice(0, this.suns.length - most);
  }

  /** Quarter hours to slots; without a forecast the slot of now goes on. */
  private series(f: Forecast | null, actual: readonly number[], t: number, until: number): number[] {
    const per = this.d.dt_h * 4;
    return Array.from({ length: until - t }, (_, i) => {
      if (i === 0 || !f) return at(actual, t);
      let sum = 0;
      for (let k = 0; k < per; k++) sum += at(f.mean, (i - 1) * per + k);
      return Math.max(0, sum / per);
    });
  }

  private spread(t: number, until: number, load: readonly number[], sun: readonly number[] | null): Spread {
    const { d } = this;
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, x) => sum + Math.abs(x), 0) / Math.max(1, values.length);
    const load_kw = Math.sqrt((this.squares + (0.5 * mean(load)) ** 2) / (this.weight + 1));
    const margin = 0.1 * mean(d.prices.import.slice(t, until)) * Math.min(1.5, load_kw / (mean(load) + 0.05));
    const slots = Array.from({ length: until - t }, (_, i) => i);
    return {
      load_kw,
      solar: slots.map(() => 0.4),
      newDay: slots.map((i) => i > 0 && slotOfDay(d, t + i) === 0),
      margin_per_kwh: sun?.some((x) => x > 0.05) ? margin : 0,
    };
  }
}
