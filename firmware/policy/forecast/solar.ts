/**
 * What the roof will give: a forecast from outside where there is one, else learnt. Learnt means: how the production of
 * the last weeks stood against a clear sky at the same time of day (that finds shade, and a roof nobody described),
 * times how cloudy the last hours and days were.
 */
import type { ForecastQuality } from '../../domain/house-plan.ts';
import { clearSky_W, type Place, type Roof } from './clear-sky.ts';
import { profileForecast } from './profile.ts';
import { BAND, DAY_MS, type Forecast, type Horizon, QUARTER_MS, type Sample } from './series.ts';

export interface SolarInputs {
  /** Production, W, positive. */
  readonly history: readonly Sample[];
  readonly horizon: Horizon;
  /** Null: the roof is learnt from the same time of earlier days alone. */
  readonly place: Place | null;
  readonly roof: Roof | null;
  /** Forecast from elsewhere by quarter hour, W; null where it says nothing: there the learnt one holds. */
  readonly supplied?: readonly (number | null)[];
}

export interface SolarForecast extends Forecast {
  readonly source: ForecastQuality['source'];
}

/** How long the clouds of now say something about later: what is left of it a quarter hour on. */
const CLOUDS_LAST = 0.94;
/** Relative standard deviation of a day's sun around what is expected. */
const SPREAD = 0.45;
/** Days looked back on; the sun's path has changed too much before. */
const LOOK_BACK_DAYS = 21;

export function solarForecast(inputs: SolarInputs): SolarForecast | null {
  const { history, horizon, place, roof, supplied } = inputs;
  const recent = history.filter(
    (s) => s.atMs >= horizon.fromMs - LOOK_BACK_DAYS * DAY_MS && s.atMs < horizon.fromMs,
  );
  const learnt = learntForecast(recent, horizon, place, roof);
  if (!supplied?.some((x) => x !== null)) return learnt;
  const told = blended(supplied, recent, horizon);
  const mean = Array.from({ length: horizon.slots }, (_, i) => told[i] ?? learnt?.mean[i] ?? 0);
  return { ...banded(mean), source: 'supplied' };
}

function learntForecast(
  recent: readonly Sample[],
  horizon: Horizon,
  place: Place | null,
  roof: Roof | null,
): SolarForecast | null {
  if (place) {
    const bare = roof ?? { peak_W: 1000, tilt: 0, azimuth: 180 };
    const clear = (atMs: number): number => clearSky_W(atMs, place, bare);
    const learnt = recent.length >= 96 ? bestShares(recent, clear) : null;
    if (learnt || roof)
      return { ...banded(underClouds(recent, horizon, clear, learnt)), source: 'clear-sky' };
  }
  const same = profileForecast(recent, horizon, { weekdays: false, carry: 0.5, fade: CLOUDS_LAST });
  return same && { ...banded(same.mean.map((x) => Math.max(0, x))), source: 'history' };
}

const banded = (mean: readonly number[]): Forecast => ({
  mean,
  low: mean.map((x) => Math.max(0, x * (1 - BAND * SPREAD))),
  high: mean.map((x) => x * (1 + BAND * SPREAD)),
});

/** A supplied forecast, moved towards what the roof gave just now where both are known to be above nothing. */
function blended(
  supplied: readonly (number | null)[],
  recent: readonly Sample[],
  { fromMs }: Horizon,
): (number | null)[] {
  const last = recent.at(-1);
  const first = supplied[0] ?? 0;
  const isTold = last !== undefined && fromMs - last.atMs <= 2 * QUARTER_MS && first >= 50;
  const factor = isTold ? Math.min(2, Math.max(0.3, last.value / first)) : 1;
  return supplied.map((x, i) => x && Math.max(0, x) * (1 + (factor - 1) * CLOUDS_LAST ** i));
}

const QUARTERS_UTC = 96;
const quarterOf = (atMs: number): number => Math.floor(atMs / QUARTER_MS) % QUARTERS_UTC;

/** By time of day: the share of a clear sky that the best days reached. Null where the sun was too low to tell. */
function bestShares(recent: readonly Sample[], clear: (atMs: number) => number): (number | null)[] {
  const shares: number[][] = Array.from({ length: QUARTERS_UTC }, () => []);
  for (const { atMs, value } of recent) {
    const expected = clear(atMs);
    if (expected > 20) shares[quarterOf(atMs)]?.push(value / expected);
  }
  return shares.map((list) => {
    const sorted = list.sort((a, b) => a - b);
    return sorted.length < 3 ? null : (sorted[Math.floor(0.9 * (sorted.length - 1))] ?? null);
  });
}

function underClouds(
  recent: readonly Sample[],
  horizon: Horizon,
  clear: (atMs: number) => number,
  learnt: readonly (number | null)[] | null,
): number[] {
  const known = learnt?.filter((x) => x !== null) ?? [];
  const usual = known.length ? known.reduce((sum, x) => sum + x, 0) / known.length : 1;
  const cloudless = (atMs: number): number => clear(atMs) * (learnt ? (learnt[quarterOf(atMs)] ?? usual) : 1);
  const days = clarity(recent, cloudless, horizon.fromMs, 3 * DAY_MS) ?? 0.6;
  const now = clarity(recent, cloudless, horizon.fromMs, 6 * QUARTER_MS) ?? days;
  return Array.from({ length: horizon.slots }, (_, i) => {
    const share = days + (now - days) * CLOUDS_LAST ** i;
    return cloudless(horizon.fromMs + i * QUARTER_MS) * share;
  });
}

/** Share of the cloudless energy that came within `spanMs`; null when it was dark. */
function clarity(
  recent: readonly Sample[],
  cloudless: (atMs: number) => number,
  nowMs: number,
  spanMs: number,
): number | null {
  let [seen, possible] = [0, 0];
  for (const { atMs, value } of recent) {
    if (atMs < nowMs - spanMs) continue;
    seen += value;
    possible += cloudless(atMs);
  }
  return possible > 100 ? Math.min(1.2, seen / possible) : null;
}
