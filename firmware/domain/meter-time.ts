/** A meter's local time stamps as instants, with what they say about summer time. */
import { instantOf, localMs, offsetMs } from './calendar.ts';
import type { WallMs } from './time.ts';

/** What a stamp says of itself: P1's S and W, the season digit 1, 0 and 2 of IEC 62056-21; null when it says nothing. */
export type Season = 'summer' | 'normal' | 'utc' | null;

const HOUR_MS = 3_600_000;

/**
 * The instant of a local time. With a season it is never in doubt, not even in the hour that comes twice; without,
 * `afterMs` helps: of the two hours the one that comes after the value before it.
 */
export function meterInstant(
  local: number,
  season: Season,
  timeZone: string,
  afterMs: WallMs | null = null,
): WallMs {
  if (season === 'utc') return local;
  if (season !== null) return local - standardOffsetMs(local, timeZone) - (season === 'summer' ? HOUR_MS : 0);
  const first = instantOf(local, timeZone);
  // A stamp that summer time skips is of a clock that was not put forward.
  if (first + offsetMs(first, timeZone) !== local) return local - standardOffsetMs(local, timeZone);
  const second = first + HOUR_MS;
  const twice = localMs(second, timeZone) === local;
  return twice && afterMs !== null && afterMs >= first ? second : first;
}

/** Offset of the zone outside summer time in the year of the local time: the smaller of January's and July's. */
export function standardOffsetMs(local: number, timeZone: string): number {
  const year = new Date(local).getUTCFullYear();
  const offset = (month: number): number => {
    const at = Date.UTC(year, month, 1);
    return localMs(at, timeZone) - at;
  };
  return Math.min(offset(0), offset(6));
}

/** Whether summer time holds in the zone at an instant. */
export function isSummer(atMs: WallMs, timeZone: string): boolean {
  const whole = Math.floor(atMs / 1000) * 1000;
  const local = localMs(whole, timeZone);
  return local - whole > standardOffsetMs(local, timeZone);
}
