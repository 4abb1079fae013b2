/** Values that an M-Bus meter keeps with a date: due dates, ends of months, what a product profile calls history. */
import { instantOf } from '../../domain/calendar.ts';
import type { DataRecord, Reading, Telegram } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';

export interface PastValue {
  /** With the OBIS code of the present value. */
  readonly reading: Reading & { readonly obis: string };
  /** Local, as the meter has it: a date, or a date and time. */
  readonly date: string;
}

const DAY_MS = 86_400_000;
const DATE_LENGTH = 10;

/**
 * The instant of a meter's local time; of a bare date its end, because that is when a due-date value is taken. Null
 * for a day that no month has.
 */
export function mbusInstant(time: string, timeZone: string): WallMs | null {
  const isDate = time.length === DATE_LENGTH;
  const local = Date.parse(isDate ? `${time}T00:00:00Z` : `${time}Z`);
  if (Number.isNaN(local)) return null;
  return instantOf(isDate ? local + DAY_MS : local, timeZone) - (isDate ? 1000 : 0);
}

export function pastValues(telegrams: readonly Telegram[]): PastValue[] {
  const readings = telegrams.flatMap((telegram) => telegram.readings);
  const dates = storageDates(telegrams.flatMap(({ records }) => records ?? []));
  return readings.flatMap((reading) => {
    const past = ofStorage(reading, dates) ?? ofHistory(reading, readings);
    return past ? [past] : [];
  });
}

/** A stored value and the date with the same storage number belong together (EN 13757-3, 6.3.3). */
function storageDates(records: readonly DataRecord[]): ReadonlyMap<string, string> {
  const dates = new Map<string, string>();
  for (const { storage, time, function: kind, quality = 'good' } of records) {
    const isOne = storage > 0 && kind === 'inst' && time !== undefined && quality === 'good';
    if (isOne && !dates.has(`${storage}`)) dates.set(`${storage}`, time);
  }
  return dates;
}

/** `…*F`, F being the storage number. */
function ofStorage(reading: Reading, dates: ReadonlyMap<string, string>): PastValue | null {
  const [obis = '', storage = ''] = reading.obis?.split('*') ?? [];
  const date = dates.get(storage);
  return date === undefined ? null : { reading: { ...reading, obis }, date };
}

/** A value with a time of its own means what the present value of the same quantity means. */
function ofHistory(reading: Reading, readings: readonly Reading[]): PastValue | null {
  const { obis, time: date, quantity, value } = reading;
  if (obis !== undefined || date === undefined || quantity === undefined || value === undefined) return null;
  const present = readings.find((r) => r.quantity === quantity && r.obis !== undefined && !/\*/.test(r.obis));
  if (present?.obis === undefined) return null;
  const { time: _date, ...rest } = reading;
  return { reading: { ...rest, obis: present.obis }, date };
}
