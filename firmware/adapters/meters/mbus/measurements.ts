/** The telegrams of one readout as measurements of the house: of now, and of the dates that the meter kept. */
import { instantOf } from '../../../domain/calendar.ts';
import type { Measurement } from '../../../domain/measurement.ts';
import type { Quantity } from '../../../domain/quantity.ts';
import type { DataRecord, Telegram } from '../../../domain/telegram.ts';
import type { WallMs } from '../../../domain/time.ts';
import { measurementsOf, type Received } from '../measurements.ts';
import { storageDates } from './events.ts';

/** What has no OBIS code and a place in the model. */
const WITHOUT_OBIS: Readonly<Record<string, Quantity>> = { batteryLife: 'batteryRemaining' };
const DAY_MS = 86_400_000;

/**
 * The instant of a meter's local time; of a bare date its end, because that is when a due-date value is taken. Null
 * for a day that no month has.
 */
export function meterInstantOf(time: string, timeZone: string): WallMs | null {
  const isDate = time.length === 10;
  const local = Date.parse(isDate ? `${time}T00:00:00Z` : `${time}Z`);
  if (Number.isNaN(local)) return null;
  return instantOf(isDate ? local + DAY_MS : local, timeZone) - (isDate ? 1000 : 0);
}

export const recordsOf = (telegrams: readonly Telegram[]): DataRecord[] =>
  telegrams.flatMap(({ records }) => records ?? []);

export function presentValues(
  telegrams: readonly Telegram[],
  received: Received,
  timeZone: string,
): Measurement[] {
  const time = telegrams.find((telegram) => telegram.time !== undefined)?.time;
  const meterTimeMs = time === undefined ? null : meterInstantOf(time, timeZone);
  const readings = telegrams.flatMap((telegram) => telegram.readings);
  const others = recordsOf(telegrams).flatMap(withoutObis);
  return [
    ...measurementsOf({ readings }, received, meterTimeMs),
    ...others.map(
      ({ quantity, value }): Measurement => ({
        point: { source: received.source, quantity, phase: 0, tariff: 0, channel: 0 },
        value,
        quality: value === null ? 'invalid' : 'good',
        meterTimeMs,
        receivedMs: received.wallMs,
        receivedElapsedMs: received.elapsedMs,
      }),
    ),
  ];
}

function withoutObis(record: DataRecord): { readonly quantity: Quantity; readonly value: number | null }[] {
  const quantity = WITHOUT_OBIS[record.quantity ?? ''];
  if (!quantity || record.storage !== 0 || record.function !== 'inst' || record.value === undefined)
    return [];
  return [{ quantity, value: record.value }];
}

/** Values of past dates (`…*F`, F being the storage number), each stamped with its date. */
export function pastValues(
  telegrams: readonly Telegram[],
  received: Received,
  timeZone: string,
): Measurement[] {
  const readings = telegrams.flatMap((telegram) => telegram.readings);
  return [...storageDates(recordsOf(telegrams))].flatMap(([storage, date]) => {
    const suffix = `*${storage}`;
    const ofDate = readings.flatMap((reading) => {
      const { obis } = reading;
      return obis?.endsWith(suffix) ? [{ ...reading, obis: obis.slice(0, -suffix.length) }] : [];
    });
    const atMs = meterInstantOf(date, timeZone);
    if (atMs === null) return [];
    return measurementsOf({ readings: ofDate }, { ...received, wallMs: atMs }, atMs);
  });
}
