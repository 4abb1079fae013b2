/**
 * What repeats by the day: base load, hot-water draw, outdoor temperature. The same time of earlier days, those of the
 * same weekday and the recent ones counting more, moved towards what was seen in the last hours.
 */
import { localMs } from '../../domain/calendar.ts';
import { BAND, DAY_MS, type Forecast, type Horizon, QUARTER_MS, type Sample } from './series.ts';

export interface ProfileOptions {
  /** Days of the same weekday count more: for what people do, not for the weather. */
  readonly weekdays: boolean;
  /** Share of the present error that is expected to go on, and what is left of it a quarter hour later. */
  readonly carry: number;
  readonly fade: number;
}

/** The base load of a home, W. */
export const LOAD: ProfileOptions = { weekdays: true, carry: 0.5, fade: 0.9 };
/** Outdoor temperature, °C: today's difference from the days before lasts. */
export const TEMPERATURE: ProfileOptions = { weekdays: false, carry: 1, fade: 0.985 };
/** Heat drawn as hot water, W: what was drawn early is not drawn again, but nobody knows when. */
export const HOT_WATER: ProfileOptions = { weekdays: true, carry: 0, fade: 0 };

const QUARTERS = 96;
/** Weight of a day falls to a half in so many days. */
const HALF_LIFE_DAYS = 10;
/** The last hour and a half, newest first, tell the present error. */
const RECENT = 6;

interface Bucket {
  weight: number;
  sum: number;
  squares: number;
}

/** Null where the history has not one day of values. */
export function profileForecast(
  history: readonly Sample[],
  horizon: Horizon,
  options: ProfileOptions,
): Forecast | null {
  const past = history.filter((s) => s.atMs < horizon.fromMs);
  if (past.length < QUARTERS / 2) return null;
  const dayOf = zoned(horizon.timeZone);
  const kinds = new Map<number, Bucket[]>();
  for (let weekday = 0; weekday < 7; weekday++)
    kinds.set(weekday, bucketsFor(past, horizon.fromMs, options, weekday, dayOf));
  const expect = (atMs: number): { mean: number; spread: number } => {
    const { weekday, quarter } = dayOf(atMs);
    return readBucket(kinds.get(weekday) ?? [], quarter);
  };
  const error = presentError(past, horizon.fromMs, expect) * options.carry;
  const out = { mean: [] as number[], low: [] as number[], high: [] as number[] };
  for (let i = 0; i < horizon.slots; i++) {
    const { mean, spread } = expect(horizon.fromMs + i * QUARTER_MS);
    const now = mean + error * options.fade ** i;
    out.mean.push(now);
    out.low.push(now - BAND * spread);
    out.high.push(now + BAND * spread);
  }
  return out;
}

/** Local weekday and quarter of the day; the zone is asked once an hour of the series, not for every value. */
function zoned(timeZone: string): (atMs: number) => { weekday: number; quarter: number } {
  const offsets = new Map<number, number>();
  return (atMs) => {
    const hour = Math.floor(atMs / 3_600_000);
    let offset = offsets.get(hour);
    if (offset === undefined) {
      offset = localMs(hour * 3_600_000, timeZone) - hour * 3_600_000;
      offsets.set(hour, offset);
    }
    const local = atMs + offset;
    const day = Math.floor(local / DAY_MS);
    return { weekday: (((day + 4) % 7) + 7) % 7, quarter: Math.floor((local - day * DAY_MS) / QUARTER_MS) };
  };
}

const isWeekend = (weekday: number): boolean => weekday === 0 || weekday === 6;

function bucketsFor(
  past: readonly Sample[],
  nowMs: number,
  { weekdays }: ProfileOptions,
  wanted: number,
  dayOf: (atMs: number) => { weekday: number; quarter: number },
): Bucket[] {
  const buckets = Array.from({ length: QUARTERS }, () => ({ weight: 0, sum: 0, squares: 0 }));
  for (const { atMs, value } of past) {
    const { weekday, quarter } = dayOf(atMs);
    const alike = weekday === wanted ? 3 : isWeekend(weekday) === isWeekend(wanted) ? 1.5 : 0.5;
    const age = 0.5 ** ((nowMs - atMs) / DAY_MS / HALF_LIFE_DAYS);
    const bucket = buckets[quarter];
    if (!bucket) continue;
    const weight = age * (weekdays ? alike : 1);
    bucket.weight += weight;
    bucket.sum += weight * value;
    bucket.squares += weight * value * value;
  }
  return buckets;
}

/** A quarter hour and half of each of its neighbours: what people do is never on time to the minute. */
function readBucket(buckets: readonly Bucket[], quarter: number): { mean: number; spread: number } {
  let [weight, sum, squares] = [0, 0, 0];
  for (const [by, share] of [
    [-1, 0.5],
    [0, 1],
    [1, 0.5],
  ] as const) {
    const bucket = buckets[(quarter + by + QUARTERS) % QUARTERS];
    if (!bucket) continue;
    weight += share * bucket.weight;
    sum += share * bucket.sum;
    squares += share * bucket.squares;
  }
  if (weight <= 0) return { mean: 0, spread: 0 };
  const mean = sum / weight;
  return { mean, spread: Math.sqrt(Math.max(0, squares / weight - mean * mean)) };
}

function presentError(
  past: readonly Sample[],
  nowMs: number,
  expect: (atMs: number) => { mean: number },
): number {
  let [weight, sum] = [0, 0];
  for (const { atMs, value } of past.slice(-RECENT)) {
    const age = (nowMs - atMs) / QUARTER_MS;
    if (age > RECENT) continue;
    const share = 0.7 ** age;
    weight += share;
    sum += share * (value - expect(atMs).mean);
  }
  return weight > 0 ? sum / weight : 0;
}
