/** The stores of a house as the planner sees them: batteries, and whatever holds heat. */
import { type BatteryStore, type HeatStore, maxOf } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { comfortAt, copAt, steady_K } from '../comfort.ts';
import type { HeatForecasts } from '../forecast/heat.ts';
import { type Forecast, QUARTER_MS } from '../forecast/series.ts';
import { isControllable, isProducer } from '../plan.ts';
import { isProgramPlanned } from './house-program.ts';
import { beginMs, type HouseSlots, TICK_MS } from './house-slots.ts';
import { at, type DeviceOf, importPrice, type Scenario } from './scenario.ts';
import { horizon_h, hoursOf, lastSlotsFrom } from './slots.ts';

/** How a device takes part in a plan; null: it does not. */
export type PlannedAs = 'battery' | 'heat' | 'car' | 'program' | null;

/**
 * Stores whose fill is known, and what wants energy by a time, in mode `cheap` and not told otherwise by the owner. Of
 * the other modes each is its own plan. A run of a program is what its owner told: it is planned until it has ended.
 */
export function plannedAs(d: DeviceImage): PlannedAs {
  if (!isControllable(d) || isProducer(d)) return null;
  if (d.flexibility.program) return isProgramPlanned(d) ? 'program' : null;
  if (d.mode !== 'cheap' || d.override.kind !== 'automatic') return null;
  const { store, need } = d.flexibility;
  if (store?.kind === 'battery') return store.fill !== null && store.capacity_Wh > 0 ? 'battery' : null;
  if (maxOf(d.flexibility) <= 0) return null;
  if (store?.kind === 'heat' && store.temperature_C !== null)
    return store.capacity_WhPerK > 0 && store.comfort.length > 0 ? 'heat' : null;
  return need !== null && need.energy_Wh > 0 ? 'car' : null;
}

/** The least and the most that it runs with, kW. */
export function powersOf(d: DeviceImage): { min_kw: number; max_kw: number } {
  const max_kw = maxOf(d.flexibility) / 1000;
  const running = d.flexibility.ranges.filter((r) => r.max_W > 0);
  const least_W = Math.max(1, Math.min(...running.map((r) => Math.max(r.min_W, 1))));
  return { min_kw: Math.min(max_kw, least_W / 1000), max_kw };
}

const share = (x: number): number => Math.min(1, Math.max(0, x));

/** What it holds beyond its bounds may stay, it only must not get worse. */
export function batteryOf(d: DeviceImage, store: BatteryStore): DeviceOf<'battery'> {
  const capacity_kwh = store.capacity_Wh / 1000;
  const soc0_kwh = capacity_kwh * share(store.fill ?? 0);
  const least_kwh = Math.min(soc0_kwh, capacity_kwh * share(store.leastFill));
  return {
    id: d.id,
    type: 'battery',
    soc0_kwh,
    soc_min_kwh: least_kwh,
    soc_max_kwh: Math.max(soc0_kwh, least_kwh, capacity_kwh * share(store.mostFill)),
    charge_max_kw: Math.max(0, store.charge_W) / 1000,
    discharge_max_kw: Math.max(0, store.discharge_W) / 1000,
    eta_charge: Math.max(0.05, share(store.chargeEfficiency)),
    eta_discharge: Math.max(0.05, share(store.dischargeEfficiency)),
    wear_per_kwh: store.wear_perWh * 1000,
    terminal_value_per_kwh: 0,
    grid_charge: store.gridCharge,
    grid_discharge: store.gridDischarge,
    steerable: d.flexibility.steerable,
  };
}

/** In dearest kWh per K and hour for the heat of one K: comfort is not sold, and the thermostat would not wait either. */
const COMFORT_PRICE = 4;
/** Ticks that count as "for as long as one likes". */
const LONG = 1_000_000;

/**
 * Without what the weather decides: COP, draw and end value come with the forecasts. On or off for a quarter hour at least:
 * in shorter slots a plan would switch it for nothing.
 */
export function heatOf(
  d: DeviceImage,
  store: HeatStore,
  { site }: Pick<Image, 'site'>,
  slots: HouseSlots,
): DeviceOf<'thermal'> {
  const none = new Array<number>(slots.n).fill(0);
  const t0_c = store.temperature_C ?? 0;
  // What it is at the end of a slot is judged by the band that holds then.
  const bands = none.map((_, i) => comfortAt(store, beginMs(slots, i + 1), site.timeZone));
  const { minOnMs, minOffMs } = d.flexibility;
  const inState = Math.min(LONG, Math.ceil(d.inStateMs / TICK_MS));
  const most_C = store.most_C ?? Number.POSITIVE_INFINITY;
  return {
    id: d.id,
    type: 'thermal',
    c_kwh_per_k: Math.min(1e4, Math.max(1e-3, store.capacity_WhPerK / 1000)),
    ua_kw_per_k: Math.max(0, store.loss_WPerK) / 1000,
    ambient: store.ambient_C === null ? 'outdoor' : 'fixed',
    ambient_c: store.ambient_C,
    t0_c,
    // The thermostat begins at the edge: a plan that stays clear of it is not overruled for a tenth.
    lo_c: bands.map((b) => b.lo_C + steady_K(store, b) / 2),
    hi_c: bands.map((b) =>
      store.what === 'tank' && store.most_C !== null ? Math.max(b.hi_C, most_C) : b.hi_C,
    ),
    // Warmer than allowed from the start or by the weather: nothing that heating less could mend.
    hard_max_c: store.what === 'tank' && t0_c < most_C && Number.isFinite(most_C) ? most_C : null,
    cop: none.map(() => 1),
    gain_kw: none,
    draw_kw: none,
    ...powersOf(d),
    min_on_slots: Math.ceil(Math.max(QUARTER_MS, minOnMs) / TICK_MS),
    min_off_slots: Math.ceil(Math.max(QUARTER_MS, minOffMs) / TICK_MS),
    init_on: (d.setPoint_W ?? d.power_W.value ?? 0) > 0,
    init_slots: Number.isFinite(inState) ? inState : LONG,
    discomfort_per_kh: 0,
    terminal_value_per_k: 0,
    steerable: d.flexibility.steerable,
  };
}

/** Of the mean price: a little less than energy costs, so that neither is stored for a day that nobody knows. */
const END_VALUE = { battery: 0.87, heat: 0.8 } as const;
const DAY_h = 24;

/**
 * What a kWh at the connection is worth after the horizon: the next day is taken to be like the last that is known. Where
 * the house draws, what it pays; where it has sun to spare, what it would be paid. The hours of the sun alone say
 * nothing of a night: before a whole day is known it pays.
 */
export function laterPrice(s: Scenario): number {
  let [sum, hours] = [0, 0];
  const from = lastSlotsFrom(s, DAY_h);
  for (let t = from; t < s.n; t++) {
    const sun = s.devices.reduce((kw, d) => kw + (d.type === 'pv' ? at(d.available_kw, t) : 0), 0);
    const isSpare = horizon_h(s) >= DAY_h && sun > at(s.base_load_kw, t);
    sum += hoursOf(s, t) * (isSpare ? at(s.prices.export, t) : importPrice(s, t));
    hours += hoursOf(s, t);
  }
  return Math.max(0, sum / hours);
}

/**
 * Of what fits into it, how much a day like the last that is known has a use for: the rest would wait for the day after.
 * All of it where no whole day is known.
 */
function usableShare(s: Scenario, { soc_min_kwh, soc_max_kwh }: DeviceOf<'battery'>): number {
  if (horizon_h(s) < DAY_h) return 1;
  let wanted_kwh = 0;
  for (let t = lastSlotsFrom(s, DAY_h); t < s.n; t++) {
    const sun = s.devices.reduce((kw, d) => kw + (d.type === 'pv' ? at(d.available_kw, t) : 0), 0);
    wanted_kwh += Math.max(0, at(s.base_load_kw, t) - sun) * hoursOf(s, t);
  }
  return share(wanted_kwh / Math.max(1e-6, soc_max_kwh - soc_min_kwh));
}

/** Of what fits between its bounds. */
const MOST_RESERVE = 0.15;

/**
 * A battery with the value of what it holds at the end: never more than what its use would save, and less where a day
 * cannot use all of it, so that nothing is bought to lie there. Where peaks are billed
 * it keeps what an hour may bring above the load that is expected, as far as it holds that now.
 */
export function withOutlook(s: Scenario, d: DeviceOf<'battery'>, load: Forecast): DeviceOf<'battery'> {
  const price = laterPrice(s);
  const used = d.eta_discharge * price - Math.max(0, d.wear_per_kwh);
  const worth = usableShare(s, d) * Math.min(END_VALUE.battery * price, used);
  const width_W = load.high.map((x, t) => x - at(load.mean, t));
  const isBilled = (s.grid.peak?.price_per_kw ?? 0) > 0;
  const reserve_kwh = isBilled
    ? Math.min(Math.max(0, ...width_W) / 1000, MOST_RESERVE * (d.soc_max_kwh - d.soc_min_kwh))
    : 0;
  return {
    ...d,
    soc_min_kwh: Math.min(d.soc0_kwh, d.soc_min_kwh + reserve_kwh),
    terminal_value_per_kwh: Math.max(0, worth),
  };
}

/** A heat store with what the weather and its users make of it; `quarters`: which of the forecasts' a slot lies in. */
export function withWeather(
  s: Scenario,
  d: DeviceOf<'thermal'>,
  store: HeatStore,
  { outdoor, draws }: HeatForecasts,
  quarters: readonly number[],
): DeviceOf<'thermal'> {
  const cop = quarters.map((q) => Math.max(0.1, copAt(store, at(outdoor?.mean, q))));
  const draw = draws[d.id];
  const dearest = Math.max(0.01, ...s.prices.import.map((_, t) => Math.abs(importPrice(s, t))));
  const perK = (d.c_kwh_per_k + d.ua_kw_per_k) / Math.min(...cop);
  return {
    ...d,
    cop,
    draw_kw: quarters.map((q) => Math.max(0, at(draw?.mean, q)) / 1000),
    discomfort_per_kh: COMFORT_PRICE * dearest * perK,
    terminal_value_per_k: (END_VALUE.heat * laterPrice(s) * d.c_kwh_per_k) / at(cop, s.n - 1),
  };
}
