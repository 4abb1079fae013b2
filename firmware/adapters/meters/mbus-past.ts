/** Values that an M-Bus meter keeps with a date: due dates, ends of months, what a product profile calls history. */
import { instantOf } from '../../domain/calendar.ts';
import { meterInstant } from '../../domain/meter-time.ts';
import type { Reading, Telegram } from '../../domain/telegram.ts';
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
  return isDate ? instantOf(local + DAY_MS, timeZone) - 1000 : meterInstant(local, null, timeZone);
}

export function pastValues(telegrams: readonly Telegram[]): PastValue[] {
  const readings = telegrams.flatMap((telegram) => telegram.readings);
  return readings.flatMap((reading) => {
    const { time: date, ...rest } = reading;
    const obis = codeOf(reading, readings);
    return date === undefined || reading.value === undefined || obis === undefined
      ? []
      : [{ reading: { ...rest, obis }, date }];
  });
}

/** `…*F` is a storage; a history of a profile, without a code, means what the present value of its quantity means. */
function codeOf({ obis, quantity }: Reading, readings: readonly Reading[]): string | undefined {
  if (obis !== undefined) return obis.includes('*') ? obis.slice(0, obis.indexOf('*')) : undefined;
  return readings.find((r) => r.quantity === quantity && r.obis !== undefined && !r.obis.includes('*'))?.obis;
}
