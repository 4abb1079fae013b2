/**
 * Compact profiles of OMS (EN 13757-3, annex F): one record of variable length holds a series of values beside a
 * base value and base date with the same storage number. First byte: how the entries count, the unit of the
 * spacing, and their data field; second byte: the spacing.
 */
import type { Reading } from '../../domain/telegram.ts';
import { MODIFIER, type ParsedRecord } from '../mbus-parser/index.ts';
import { bcd, unsigned } from './profiles/codings.ts';

const MAX_ENTRIES = 128;
const DAYS_OR_MONTHS = 3;
const ONE_MONTH = 0xfe;

/** Bytes of a data field; 0 where entries cannot have it. */
const WIDTH = [0, 1, 2, 3, 4, 0, 6, 0, 0, 1, 2, 3, 4, 0, 6, 0];

export function isCompactProfile(record: ParsedRecord): boolean {
  const bits = MODIFIER.compactProfile | MODIFIER.compactRegister | MODIFIER.inverseProfile;
  return record.kind === 'binary' && (record.modifiers & bits) !== 0 && record.dataLength >= 2;
}

/** The entries as readings named `profile`, with the date of each; those marked invalid (all ones) are left out. */
export function expandProfile(
  record: ParsedRecord,
  payload: Uint8Array,
  records: readonly ParsedRecord[],
): Reading[] {
  const data = payload.subarray(record.dataStart, record.dataStart + record.dataLength);
  const [control = 0, spacing = 0] = data;
  const field = control & 15;
  const width = WIDTH[field] ?? 0;
  if (width === 0) return [];
  const inverse = (record.modifiers & MODIFIER.inverseProfile) !== 0;
  const entries = split(data.subarray(2), width);
  // A profile that runs forward has its newest entry first on the wire, one that runs back its newest as well.
  if (!inverse) entries.reverse();
  const base = records.find(
    (r) => r.storage === record.storage && r.quantity.startsWith('date') && r.text !== '',
  );
  const monthly = ((control >> 4) & 3) === DAYS_OR_MONTHS && spacing === ONE_MONTH;
  return entries.slice(0, MAX_ENTRIES).flatMap((entry, k) => {
    const raw = field >= 9 ? bcd(entry, 0, width) : integer(entry);
    if (raw === null) return [];
    const value = record.exponent < 0 ? raw / 10 ** -record.exponent : raw * 10 ** record.exponent;
    const time = base && monthly ? addMonths(base.text, inverse ? -(k + 1) : k + 1) : null;
    return [
      {
        name: 'profile',
        quantity: record.quantity,
        value,
        ...(record.unit === '' ? {} : { unit: record.unit }),
        ...(time === null ? {} : { time }),
      },
    ];
  });
}

function split(data: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  for (let at = 0; at + width <= data.length; at += width) entries.push(data.subarray(at, at + width));
  return entries;
}

/** Type C: all ones is "no value". */
const integer = (bytes: Uint8Array): number | null =>
  bytes.every((byte) => byte === 0xff) ? null : unsigned(bytes, 0, bytes.length);

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();

/** The same day `count` months on; the last day of a month stays the last day. */
export function addMonths(date: string, count: number): string | null {
  const m = /^(\d{4})-(\d\d)-(\d\d)/.exec(date);
  if (!m) return null;
  const [year, month, day] = [Number(m[1]), Number(m[2]), Number(m[3])];
  const total = year * 12 + month - 1 + count;
  const toYear = Math.floor(total / 12);
  const toMonth = (total % 12) + 1;
  const last = daysIn(toYear, toMonth);
  const toDay = day === daysIn(year, month) ? last : Math.min(day, last);
  return `${toYear}-${String(toMonth).padStart(2, '0')}-${String(toDay).padStart(2, '0')}`;
}
