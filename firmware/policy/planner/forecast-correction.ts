/** Pulls the forecasts of a running day towards what was measured: the error of the last hours fades out ahead. */
import { at, type Scenario } from './scenario.ts';

/** A share of the day's energy that counts as seen at the forecast, so that a dim dawn does not rule the day. */
const SOLAR_PRIOR = 0.2;
const LOAD_WEIGHT = 0.25;
const LOAD_FADE = 0.9;
const TEMPERATURE_FADE = 0.97;

/**
 * `forecast`: as first given; `known`: the same with actual values for slots up to `t`. Returns what is expected
 * now: actual up to `t`, corrected forecast after it.
 */
export function corrected(forecast: Scenario, known: Scenario, t: number): Scenario {
  const load = recentError(forecast.base_load_kw, known.base_load_kw, t);
  const warmth = at(known.t_out_c, t) - at(forecast.t_out_c, t);
  const ahead = <T extends number[] | null | undefined>(
    values: T,
    change: (x: number, k: number) => number,
  ): T => (values?.map((x, i) => (i > t ? change(x, i - t) : x)) ?? values) as T;
  return {
    ...known,
    base_load_kw: ahead(known.base_load_kw, (x, k) => Math.max(0, x + load * LOAD_FADE ** k)),
    t_out_c: ahead(known.t_out_c, (x, k) => x + warmth * TEMPERATURE_FADE ** k),
    devices: known.devices.map((d) => {
      const before = forecast.devices.find((f) => f.id === d.id);
      if (d.type !== 'pv' || before?.type !== 'pv') return d;
      const slotsPerDay = Math.round(24 / known.dt_h);
      const day = Math.floor(t / slotsPerDay);
      const factor = solarFactor(before.available_kw, d.available_kw, day * slotsPerDay, t, slotsPerDay);
      const available_kw = d.available_kw.map((x, i) =>
        i > t && Math.floor(i / slotsPerDay) === day ? x * factor : x,
      );
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

function solarFactor(
  forecast: readonly number[],
  known: readonly number[],
  from: number,
  t: number,
  length: number,
): number {
  let expected = 0;
  let seen = 0;
  let day = 0;
  for (let i = from; i < from + length; i++) {
    day += at(forecast, i);
    if (i > t) continue;
    expected += at(forecast, i);
    seen += at(known, i);
  }
  const prior = SOLAR_PRIOR * day;
  return expected + prior <= 0 ? 1 : Math.min(2, Math.max(0.3, (seen + prior) / (expected + prior)));
}

/**
 * While solar is still to come, energy that is cycled now may find the battery full when the sun shines more than
 * forecast: a cycle must earn this much on top of losses and wear, currency per kWh.
 */
const CYCLE_MARGIN_PER_KWH = 0.03;

/** `s` with that margin on every battery, for planning only: what was done is priced without it. */
export function cautious(s: Scenario): Scenario {
  const toCome = s.devices.some((d) => d.type === 'pv' && d.available_kw.some((x, t) => t > 0 && x > 0));
  if (!toCome) return s;
  const devices = s.devices.map((d) =>
    d.type === 'battery' ? { ...d, wear_per_kwh: d.wear_per_kwh + CYCLE_MARGIN_PER_KWH } : d,
  );
  return { ...s, devices };
}
