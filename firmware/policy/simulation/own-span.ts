/** The whole days of the past that are stored. */
import { startOfDay } from '../../domain/calendar.ts';
import type { WallMs } from '../../domain/time.ts';
import { DAY_MS, type Sample } from '../forecast/series.ts';

/** Half-open, from a midnight to a midnight of the site. */
export interface Span {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
}

export const MOST_DAYS = 28;
/** Always in the next day, also after one of 25 hours. */
const NEXT_DAY_MS = 26 * 3_600_000;

/** Up to four weeks before today; null where not even a day is known. */
export function spanOf(loads: readonly Sample[], nowMs: WallMs, timeZone: string): Span | null {
  const untilMs = startOfDay(nowMs, timeZone);
  const first = loads.find((s) => s.atMs >= untilMs - MOST_DAYS * DAY_MS)?.atMs ?? untilMs;
  const midnight = startOfDay(first, timeZone);
  const fromMs = first === midnight ? first : startOfDay(midnight + NEXT_DAY_MS, timeZone);
  return fromMs < untilMs ? { fromMs, untilMs } : null;
}

/** So many quarter hours, in words. */
export const hours = (quarters: number): string => String(Number((quarters / 4).toFixed(1)));
