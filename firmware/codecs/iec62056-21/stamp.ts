/** Time stamps: P1's `YYMMDDhhmmssX` (DSMR 5.0.2, 6.4) and the digits of IEC 62056-21 with their season digit. */
import type { Season } from '../../domain/meter-time.ts';

const STAMP_CHARS = 13;
const ZERO = 0x30;
const SUMMER = 0x53;
const WINTER = 0x57;

/**
 * RFC 3339 with X = S (summer, +02:00) or W (winter, +01:00); null for a stamp that cannot be (632525252525S: no
 * value yet); undefined when it is no stamp.
 */
export function stampTime(text: string): string | null | undefined {
  if (text.length !== STAMP_CHARS) return undefined;
  const season = text.charCodeAt(STAMP_CHARS - 1);
  if ((season !== SUMMER && season !== WINTER) || !areDigits(text, STAMP_CHARS - 1)) return undefined;
  const [month, day] = [two(text, 2), two(text, 4)];
  const possible = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(2000 + two(text, 0), month);
  if (!possible || two(text, 6) > 23 || two(text, 8) > 59 || two(text, 10) > 59) return null;
  const date = `20${text.slice(0, 2)}-${text.slice(2, 4)}-${text.slice(4, 6)}`;
  const time = `${text.slice(6, 8)}:${text.slice(8, 10)}:${text.slice(10, 12)}`;
  return `${date}T${time}${season === SUMMER ? '+02:00' : '+01:00'}`;
}

function areDigits(text: string, count: number): boolean {
  for (let i = 0; i < count; i++) {
    const digit = text.charCodeAt(i) - ZERO;
    if (digit < 0 || digit > 9) return false;
  }
  return true;
}

const two = (text: string, at: number): number =>
  (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO;

/** Of a year of this century: none of them is an exception but 2000, which is a leap year. */
const daysOf = (year: number, month: number): number =>
  month === 2
    ? year % 4 === 0
      ? 29
      : 28
    : month === 4 || month === 6 || month === 9 || month === 11
      ? 30
      : 31;

/** `YYMMDDhhmmss` or `YYMMDDhhmm` as milliseconds of that local time; null when there is no such time. */
function localOf(digits: string): number | null {
  const part = (i: number): number => Number(digits.slice(i, i + 2));
  const [y, month, day, hour, minute, second] = [part(0), part(2), part(4), part(6), part(8), part(10)];
  const at = Date.UTC(2000 + y, month - 1, day, hour, minute, second);
  const date = new Date(at);
  const same = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same && hour < 24 && minute < 60 && second < 60 ? at : null;
}

const SEASONS: Readonly<Record<string, Season>> = { 0: 'normal', 1: 'summer', 2: 'utc' };

interface Stamp {
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
