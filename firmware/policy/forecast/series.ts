/** What forecasts are made from and what they are: quarter hours of W (or °C), with a band of errors. */
import type { WallMs } from '../../domain/time.ts';

export const QUARTER_MS = 900_000;
export const DAY_MS = 86_400_000;

/** Mean over the quarter hour that begins at `atMs`; gaps are left out. Oldest first. */
export interface Sample {
  readonly atMs: WallMs;
  readonly value: number;
}

/** By quarter hour. Four of five days are expected between `low` and `high`. */
export interface Forecast {
  readonly mean: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** The quarter hours to be told: `slots` of them from `fromMs`. */
export interface Horizon {
  readonly fromMs: WallMs;
  readonly slots: number;
  readonly timeZone: string;
}

/** Half the width of a band that holds four of five, in standard deviations. */
export const BAND = 1.28;

/** The same value for all quarter hours, and a band as wide as the value: nothing else is known. */
export function constant(value: number, slots: number): Forecast {
  const all = (x: number): number[] => new Array<number>(slots).fill(x);
  return { mean: all(value), low: all(value - Math.abs(value)), high: all(value + Math.abs(value)) };
}

/** For what is never below nothing. */
export function positive({ mean, low, high }: Forecast): Forecast {
  const cut = (values: readonly number[]): number[] => values.map((x) => Math.max(0, x));
  return { mean: cut(mean), low: cut(low), high: cut(high) };
}

/** Mean absolute error and bias (forecast − actual) over the quarter hours that both know; null where none. */
export function errorOf(
  forecast: Forecast,
  fromMs: WallMs,
  actual: readonly Sample[],
): { mean: number; bias: number } | null {
  let [sum, bias, n] = [0, 0, 0];
  for (const { atMs, value } of actual) {
    const expected = forecast.mean[Math.round((atMs - fromMs) / QUARTER_MS)];
    if (expected === undefined) continue;
    sum += Math.abs(expected - value);
    bias += expected - value;
    n += 1;
  }
  return n === 0 ? null : { mean: sum / n, bias: bias / n };
}
