/** Days and times of a zone. Intl knows the rules of daylight saving time; no table of ours can go stale. */
import type { WallMs } from './time.ts';

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-CA', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(timeZone, format);
  }
  return format;
}

/** Whether it names a zone, as in `Europe/Berlin`. */
export function isZone(name: string): boolean {
  try {
    return Boolean(formatOf(name));
  } catch {
    return false;
  }
}

/** What a clock on the wall shows at an instant, as milliseconds as if it were UTC. */
export function localMs(atMs: WallMs, timeZone: string): number {
  const part = new Map(
    formatOf(timeZone)
      .formatToParts(atMs)
      .map((p) => [p.type, Number(p.value)]),
  );
  const get = (name: Intl.DateTimeFormatPartTypes): number => part.get(name) ?? 0;
  return Date.UTC(get('year'), get('month') - 1, get('day'), get('hour'), get('minute'), get('second'));
}

/**
 * The instant at which a clock on the wall shows `local`. Of an hour that comes twice, the first; a time that is
 * skipped in spring is the first instant after it, when the clock is put forward.
 */
export function instantOf(local: number, timeZone: string): WallMs {
  const early = local - offsetMs(local - 86_400_000, timeZone);
  const late = local - offsetMs(local + 86_400_000, timeZone);
  if (early === late) return early;
  const first = Math.min(early, late);
  if (first + offsetMs(first, timeZone) === local) return first;
  const second = Math.max(early, late);
  return second + offsetMs(second, timeZone) === local ? second : changeAfter(first, timeZone);
}

/** When the clock is next put forward or back. */
function changeAfter(atMs: WallMs, timeZone: string): WallMs {
  const offset = offsetMs(atMs, timeZone);
  let nextMs = Math.floor(atMs / QUARTER_MS) * QUARTER_MS;
  do nextMs += QUARTER_MS;
  while (offsetMs(nextMs, timeZone) === offset);
  return nextMs;
}

/** Zones change on whole quarter hours of UTC, so that one look at the calendar serves a quarter. */
const QUARTER_MS = 900_000;
const MAX_OFFSETS = 256;
const offsets = new Map<string, number>();

/** What a clock on the wall shows less UTC. */
export function offsetMs(atMs: WallMs, timeZone: string): number {
  const quarterMs = Math.floor(atMs / QUARTER_MS) * QUARTER_MS;
  const name = `${timeZone} ${quarterMs}`;
  let offset = offsets.get(name);
  if (offset === undefined) {
    if (offsets.size >= MAX_OFFSETS) offsets.clear();
    offset = localMs(quarterMs, timeZone) - quarterMs;
    offsets.set(name, offset);
  }
  return offset;
}

/** Midnight at or before the instant. */
export function startOfDay(atMs: WallMs, timeZone: string): WallMs {
  const local = localMs(atMs, timeZone);
  return instantOf(local - (((local % 86_400_000) + 86_400_000) % 86_400_000), timeZone);
}

/** The next instant after `afterMs` at which the clock shows `HH:MM`. */
export function nextLocalTime(afterMs: WallMs, time: string, timeZone: string): WallMs {
  const today = thatDay(afterMs, 0, time, timeZone);
  return today > afterMs ? today : thatDay(afterMs, 1, time, timeZone);
}

/** The last instant before `beforeMs` at which the clock showed `HH:MM`. */
export function lastLocalTime(beforeMs: WallMs, time: string, timeZone: string): WallMs {
  const today = thatDay(beforeMs, 0, time, timeZone);
  return today < beforeMs ? today : thatDay(beforeMs, -1, time, timeZone);
}

/** From midnight to `HH:MM` on a day without a change of the clock. */
export function msOfTime(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * 60_000;
}

/** When the clock shows `HH:MM` on the day of `atMs`, or so many days later. */
function thatDay(atMs: WallMs, days: number, time: string, timeZone: string): WallMs {
  const midnight = (Math.floor(localMs(atMs, timeZone) / 86_400_000) + days) * 86_400_000;
  return instantOf(midnight + msOfTime(time), timeZone);
}
