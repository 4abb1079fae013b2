/** Pulls the forecasts of a running day towards what was measured: the error of the last hours fades out ahead. */
import type { Spread } from './outlook.ts';
import { at, firstSlotOfDay, type Scenario } from './scenario.ts';

/** A share of the day's energy that counts as seen at the forecast, so that a dim dawn does not rule the day. */
const SOLAR_PRIOR = 0.2;
/** What a house draws changes in steps that last for about an hour: the last slot says most about the next. */
const LOAD_WEIGHT = 0.7;
/** What is left of an error a quarter of an hour later. */
const LOAD_FADE = 0.82;
const TEMPERATURE_FADE = 0.97;

/**
 * `forecast`: as first given; `known`: the same with actual values for slots up to `t`. Returns what is expected
 * now: actual up to `t`, corrected forecast after it.
 */
export function corrected(forecast: Scenario, known: Scenario, t: number): Scenario {
  const day = dayOf(known, t);
  const load = recentError(forecast.base_load_kw, known.base_load_kw, t);
  const warmth = at(known.t_out_c, t) - at(forecast.t_out_c, t);
  const quarters = (k: number): number => 4 * known.dt_h * k;
  const ahead = <T extends number[] | null | undefined>(
    values: T,
    change: (x: number, k: number) => number,
  ): T => (values?.map((x, i) => (i > t ? change(x, i - t) : x)) ?? values) as T;
  return {
    ...known,
    base_load_kw: ahead(known.base_load_kw, (x, k) => Math.max(0, x + load * LOAD_FADE ** quarters(k))),
    t_out_c: ahead(known.t_out_c, (x, k) => x + warmth * TEMPERATURE_FADE ** quarters(k)),
    devices: known.devices.map((d) => {
      const before = forecast.devices.find((f) => f.id === d.id);
      if (d.type !== 'pv' || before?.type !== 'pv') return d;
      const { factor } = solarSeen(before.available_kw, d.available_kw, t, day);
      const available_kw = d.available_kw.map((x, i) => (i > t && i < day.end ? x * factor : x));
      return { ...d, available_kw };
    }),
  };
}

function recentError(forecast: readonly number[], known: readonly number[], t: number): number {
  let error = 0;
  for (let i = Math.max(0, t - 16); i <= t; i++)
    error += LOAD_WEIGHT * (at(known, i) - at(forecast, i) - error);
  return error;
}

/** The local day of slot `t`, as slots of the scenario; its begin may lie before the first. */
function dayOf(s: Scenario, t: number): { from: number; end: number } {
  const perDay = Math.round(24 / s.dt_h);
  const first = firstSlotOfDay(s);
  const from = Math.floor((t + first) / perDay) * perDay - first;
  return { from, end: from + perDay };
}

/** How the sun does against its forecast on this day, and the share of it by which that is known (0…1). */
function solarSeen(
  forecast: readonly number[],
  known: readonly number[],
  t: number,
  day: { readonly from: number; readonly end: number },
): { factor: number; weight: number } {
  let expected = 0;
  let seen = 0;
  let whole = 0;
  for (let i = Math.max(0, day.from); i < Math.min(day.end, forecast.length); i++) {
    whole += at(forecast, i);
    if (i > t) continue;
    expected += at(forecast, i);
    seen += at(known, i);
  }
  const prior = SOLAR_PRIOR * whole;
  if (expected + prior <= 0) return { factor: 1, weight: 0 };
  const factor = Math.min(2, Math.max(0.3, (seen + prior) / (expected + prior)));
  return { factor, weight: expected / (expected + prior) };
}

/** Before anything was seen: the spread of a 15-min load around its mean of a week, of a day's sun around its forecast. */
const LOAD_SPREAD = 0.8;
const LOAD_SPREAD_SLOTS = 12;
const SOLAR_SPREAD = 0.6;
/** What stays unknown of the sun however long the day has been seen. */
const SOLAR_REST = 0.25;
/** What a kWh from the grid must save beyond its losses, as a share of the mean price, for a load that is not known at all. */
const MARGIN = 0.1;
const MARGIN_HORIZON_h = 16;

/** How far the slots from `t` on may be from what is expected then, by the errors that were seen. */
export function spreadAt(forecast: Scenario, known: Scenario, t: number): Spread {
  const mean = forecast.base_load_kw.reduce((sum, x) => sum + x, 0) / forecast.n;
  let squares = LOAD_SPREAD_SLOTS * (LOAD_SPREAD * mean) ** 2;
  for (let i = 0; i <= t; i++) squares += (at(known.base_load_kw, i) - at(forecast.base_load_kw, i)) ** 2;
  const day = dayOf(known, t);
  const pv = forecast.devices.find((d) => d.type === 'pv');
  const actual = known.devices.find((d) => d.id === pv?.id);
  const seen =
    pv?.type === 'pv' && actual?.type === 'pv'
      ? solarSeen(pv.available_kw, actual.available_kw, t, day)
      : { factor: 1, weight: 0 };
  const today = Math.hypot(SOLAR_SPREAD * (1 - seen.weight), SOLAR_REST);
  const perDay = day.end - day.from;
  const load_kw = Math.sqrt(squares / (LOAD_SPREAD_SLOTS + t + 1));
  const slots = Array.from({ length: known.n - t }, (_, i) => t + i);
  return {
    load_kw,
    solar: slots.map((i) => (i < day.end ? today : SOLAR_SPREAD)),
    newDay: slots.map((i) => (i - day.from) % perDay === 0),
    margin_per_kwh: marginAt(known, t, load_kw),
  };
}

/** Without sun to come nothing can take the place of what is bought now, but for the load that stays away: no margin. */
function marginAt(known: Scenario, t: number, load_kw: number): number {
  const sunny = known.devices.some(
    (d) => d.type === 'pv' && d.available_kw.some((x, i) => i >= t && x > 0.05),
  );
  if (!sunny) return 0;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, x) => sum + Math.abs(x), 0) / Math.max(1, values.length);
  const ahead = mean(known.base_load_kw.slice(t, t + Math.round(MARGIN_HORIZON_h / known.dt_h)));
  return MARGIN * mean(known.prices.import.slice(t)) * Math.min(1.5, load_kw / Math.max(0.05, ahead));
}
