/** Time stamps: P1's `YYMMDDhhmmssX` (DSMR 5.0.2, 6.4) and the digits of IEC 62056-21 with their season digit. */
import type { Season } from '../../domain/meter-time.ts';

const FORM = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)([SW])$/;

const STAMP_CHARS = 13;

/**
 * RFC 3339 with X = S (summer, +02:00) or W (winter, +01:00); null for a stamp that cannot be (632525252525S: no
 * value yet); undefined when it is no stamp.
 */
export function stampTime(text: string): string | null | undefined {
  if (text.length !== STAMP_CHARS) return undefined;
  const m = FORM.exec(text);
  if (!m) return undefined;
  const [, yy, month, day, hour, minute, second, season] = m;
  if (localOf(text.slice(0, 12)) === null) return null;
  return `20${yy}-${month}-${day}T${hour}:${minute}:${second}${season === 'S' ? '+02:00' : '+01:00'}`;
}

/** `YYMMDDhhmmss` or `YYMMDDhhmm` as milliseconds of that local time; null when there is no such time. */
function localOf(digits: string): number | null {
  const two = (i: number): number => Number(digits.slice(i, i + 2));
  const [y, month, day, hour, minute, second] = [two(0), two(2), two(4), two(6), two(8), two(10)];
  const at = Date.UTC(2000 + y, month - 1, day, hour, minute, second);
  const date = new Date(at);
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same && hour < 24 && minute < 60 && second < 60 ? at : null;
}

const SEASONS: Readonly<Record<string, Season>> = { 0: 'normal', 1: 'summer', 2: 'utc' };

export interface Stamp {
  /** The local time as milliseconds, as if it were UTC. */
  readonly local: number;
  readonly season: Season;
}

/** `[s]YYMMDDhhmm[ss]`, s = 0 normal time, 1 summer time, 2 UTC; null when it is none. */
export function readStamp(text: string): Stamp | null {
  const digits = text.trim();
  if (!/^\d{10,13}$/.test(digits)) return null;
  const lead = digits.length % 2 === 1 ? (digits[0] ?? '') : '';
  const local = localOf(digits.slice(lead.length));
  const season = lead === '' ? null : SEASONS[lead];
  return local === null || season === undefined ? null : { local, season };
}

/** As the meter writes it in a request: with the season digit where it uses one. */
export function writeStamp({ local, season }: Stamp): string {
  const digits = new Date(local).toISOString().replace(/\D/g, '').slice(2, 12);
  const lead = Object.keys(SEASONS).find((s) => SEASONS[s] === season);
  return season === null ? digits : `${lead}${digits}`;
}
