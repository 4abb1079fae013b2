/** Days and times of day in the site's zone. */
import type { WallMs } from '../domain/time.ts';

const DAY_MS = 86_400_000;
const formats = new Map<string, Intl.DateTimeFormat>();

function partsOf(zone: string, atMs: WallMs): Record<string, string> {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  return Object.fromEntries(format.formatToParts(atMs).map((part) => [part.type, part.value]));
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** How far the site's clock is ahead of UTC at that instant. */
export function offsetMs(zone: string, atMs: WallMs): number {
  const part = partsOf(zone, atMs);
  const month = MONTHS.findIndex((name) => part.month?.startsWith(name));
  const local = Date.UTC(
    Number(part.year),
    month,
    Number(part.day),
    Number(part.hour),
    Number(part.minute),
    Number(part.second),
  );
  return local - Math.floor(atMs / 1000) * 1000;
}

/** Midnight at the start of the local day that is `days` after the day of `atMs`; right over a change to summer time. */
export function dayStart(zone: string, atMs: WallMs, days = 0): WallMs {
  const offset = offsetMs(zone, atMs);
  const midnight = (Math.floor((atMs + offset) / DAY_MS) + days) * DAY_MS;
  return midnight - offsetMs(zone, midnight - offset);
}

/** `18:30`, `tomorrow 06:00`, `Tue 06:00`, `12 Nov 06:00`: as short as it can be and still be plain at `nowMs`. */
export function timeWords(zone: string, atMs: WallMs, nowMs: WallMs): string {
  const part = partsOf(zone, atMs);
  const time = `${part.hour}:${part.minute}`;
  const today = dayStart(zone, nowMs);
  if (atMs >= today && atMs < dayStart(zone, nowMs, 1)) return time;
  if (atMs >= today && atMs < dayStart(zone, nowMs, 2)) return `tomorrow ${time}`;
  if (atMs >= today && atMs < today + 6 * DAY_MS) return `${part.weekday} ${time}`;
  if (atMs < today && atMs >= dayStart(zone, nowMs, -1)) return `yesterday ${time}`;
  return `${part.day} ${part.month?.slice(0, 3)} ${time}`;
}
