/**
 * Techem (TCH): heat cost allocators, water and heat meters, smoke detectors with CI A0h…A2h. All share one scheme:
 * a due date, the count at it, today's date without a year, and the count since.
 */
import type { Reading } from '../../../domain/telegram.ts';
import type { ClearTelegram } from '../telegram.ts';
import { dated, dateText, type Profile, unsigned, volume } from './profile.ts';

interface Due {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** 5 bits of day, 4 of month, 6 of year, from the low end. */
function due(bytes: Uint8Array, at: number): Due {
  const word = unsigned(bytes, at, 2) ?? 0;
  return { day: word & 31, month: (word >> 5) & 15, year: 2000 + ((word >> 9) & 63) };
}

const textOf = ({ year, month, day }: Due): string | null => dateText(year, month, day);

/** Today has day and month only: the first such day after the due date. */
function today(bytes: Uint8Array, at: number, last: Due): string | null {
  const word = unsigned(bytes, at, 2) ?? 0;
  const day = (word >> 4) & 31;
  const month = (word >> 9) & 15;
  const later = month > last.month || (month === last.month && day > last.day);
  return dateText(later ? last.year : last.year + 1, month, day);
}

type Row = readonly [name: string, quantity: string, unit: string, factor: number];

const VOLUME: Row = ['', 'volume', 'm3', 1 / 10];
const KWH: Row = ['', 'energy', 'Wh', 1000];
const MJ: Row = ['', 'energy', 'Wh', 1e6 / 3600];
const HCA: Row = ['', 'heatCostAllocation', 'hca', 1];

/** Count at the due date in bytes 3…, since then in bytes 7…. */
function periods(
  { payload }: ClearTelegram,
  [, quantity, unit, factor]: Row,
  width: 2 | 3,
): readonly Reading[] {
  const previous = unsigned(payload, 3, width);
  const present = unsigned(payload, 7, width);
  if (previous === null || present === null) return [];
  const scale = (raw: number): number => (factor < 1 ? raw / Math.round(1 / factor) : raw * factor);
  const reading = (name: string, raw: number): Reading => ({ name, quantity, value: scale(raw), unit });
  const last = due(payload, 1);
  return [
    reading('total', previous + present),
    reading('target', previous),
    reading('sinceTarget', present),
    ...dated('targetDate', textOf(last)),
    ...dated('date', today(payload, 5, last)),
  ];
}

/** Version 94h has one byte more before its temperatures. */
function temperatures({ payload, sender }: ClearTelegram): readonly Reading[] {
  const at = sender.version === 0x94 ? 10 : 9;
  const room = unsigned(payload, at, 2);
  const radiator = unsigned(payload, at + 2, 2);
  if (room === null || radiator === null) return [];
  return [
    { name: 'roomTemperature', quantity: 'temperature', value: room / 100, unit: 'C' },
    { name: 'radiatorTemperature', quantity: 'temperature', value: radiator / 100, unit: 'C' },
  ];
}

/** mk-radio 3a: the total at the due date, then two halves of each month, going back. */
function halfMonths({ payload }: ClearTelegram): readonly Reading[] {
  const total = unsigned(payload, 4, 3);
  const last = due(payload, 2);
  if (total === null || textOf(last) === null) return [];
  const readings: Reading[] = [volume('total', total / 10), ...dated('targetDate', textOf(last))];
  for (let k = 0; k < 12; k++) {
    const at = 8 + 3 * k;
    if (at + 2 > payload.length) break;
    const month = ((last.month - 1 - k + 12) % 12) + 1;
    readings.push(volume(`month${month}`, ((payload[at] ?? 0) + (payload[at + 1] ?? 0)) / 10));
  }
  return readings;
}

const HCA_VERSIONS = new Set([0x61, 0x64, 0x69, 0x94]);

/** By version and device type, as the makes identify themselves. */
function decode(telegram: ClearTelegram): readonly Reading[] {
  const { version, mediumCode } = telegram.sender;
  if (telegram.payload.length < 3) return [];
  switch (mediumCode) {
    case 0x43:
    case 0x45:
    case 0xc3:
      return periods(
        telegram,
        version === 0x27 || version === 0x17 ? MJ : KWH,
        version === 0x27 || version === 0x17 ? 2 : 3,
      );
    case 0x62:
    case 0x72:
      return version === 0x50 ? halfMonths(telegram) : periods(telegram, VOLUME, 2);
    case 0x80:
      return HCA_VERSIONS.has(version) ? [...allocator(telegram), ...temperatures(telegram)] : [];
    case 0xf0:
      return telegram.payload.length < 20 ? [] : dated('targetDate', textOf(due(telegram.payload, 1)));
    default:
      return [];
  }
}

/** Each period of an allocator starts at zero: there is no total. */
const allocator = (telegram: ClearTelegram): readonly Reading[] =>
  periods(telegram, HCA, 2).filter((reading) => reading.name !== 'total');

export const techem: Profile = {
  name: 'Techem',
  matches: ({ sender, content }) => sender.manufacturer === 'TCH' && content === 'manufacturer',
  decode,
};
