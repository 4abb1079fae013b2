/** Days of the site and times of day in words. */
import { instantOf, localMs } from '../domain/calendar.ts';
import type { WallMs } from '../domain/time.ts';

const DAY_MS = 86_400_000;
const WEEKDAYS = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const dayOf = (zone: string, atMs: WallMs): number => Math.floor(localMs(atMs, zone) / DAY_MS);

/** Midnight at the start of the local day that is `days` after the day of `atMs`; right over a change to summer time. */
export function dayStart(zone: string, atMs: WallMs, days = 0): WallMs {
  return instantOf((dayOf(zone, atMs) + days) * DAY_MS, zone);
}

/** `18:30`, `tomorrow 06:00`, `Tue 06:00`, `12 Nov 06:00`: as short as it can be and still be plain at `nowMs`. */
export function timeWords(zone: string, atMs: WallMs, nowMs: WallMs): string {
  const local = new Date(localMs(atMs, zone));
  const time = local.toISOString().slice(11, 16);
  const day = dayOf(zone, atMs);
  const ahead = day - dayOf(zone, nowMs);
  if (ahead === 0) return time;
  if (ahead === 1) return `tomorrow ${time}`;
  if (ahead === -1) return `yesterday ${time}`;
  if (ahead > 0 && ahead < 6) return `${WEEKDAYS[((day % 7) + 7) % 7]} ${time}`;
  return `${local.getUTCDate()} ${MONTHS[local.getUTCMonth()]} ${time}`;
}

/** Midnight at the start of `2026-06-17` in the zone. */
export const dateStart = (zone: string, date: string): WallMs =>
  instantOf(Date.parse(`${date}T00:00:00Z`), zone);

/** The first midnight of the month that is `months` after the one of `atMs`. */
export function monthStart(zone: string, atMs: WallMs, months = 0): WallMs {
  const local = new Date(localMs(atMs, zone));
  return instantOf(Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + months, 1), zone);
}

export const monthName = (zone: string, atMs: WallMs): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone: zone, month: 'long' }).format(atMs);
