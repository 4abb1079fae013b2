/** Products that need a rule or two: Zenner, BFW, eBZ, Engelmann Waterstar M, B Meters Hydroclima 2. */
import type { Reading } from '../../../domain/telegram.ts';
import { addMonths } from '../../mbus/compact-profile.ts';
import { timeOf } from '../../mbus/records.ts';
import { parse } from '../../mbus-parser/index.ts';
import type { ClearTelegram } from '../telegram.ts';
import { dated, dateText, type Profile, unsigned, volume } from './profile.ts';

/** Litres with 8 binary places: the due-date value and the total, after 2F 2F 0F and four bytes. */
export const zenner: Profile = {
  name: 'Zenner 0Bh',
  matches: ({ meter, payload }) =>
    meter.manufacturer === 'ZRI' &&
    meter.version === 0x0b &&
    meter.mediumCode === 0x16 &&
    payload[2] === 0x0f,
  decode: ({ payload }) => {
    const target = unsigned(payload, 7, 4);
    const total = unsigned(payload, 11, 4);
    if (target === null || total === null) return [];
    return [volume('target', target / 256_000), volume('total', total / 256_000)];
  },
};

const BFW_MONTHS = 18;

/** Two counters of 12 bits in three bytes, the newest last; then the date as day, month, year in BCD. */
function bfwHistory(packed: Uint8Array): number[] {
  const counts: number[] = [];
  for (let at = packed.length - 3; at >= 0; at -= 3) {
    const [older = 0, high = 0, newer = 0] = packed.subarray(at, at + 3);
    counts.push(newer | ((high & 15) << 8), older | ((high >> 4) << 8));
  }
  return counts;
}

function decodeBfw({ payload }: ClearTelegram): readonly Reading[] {
  const end = payload.length - 3;
  const start = end - (BFW_MONTHS * 3) / 2;
  if (start < 8) return [];
  const count = (name: string, value: number): Reading => ({
    name,
    quantity: 'heatCostAllocation',
    value,
    unit: 'hca',
  });
  const big = (at: number): number => ((payload[at] ?? 0) << 8) | (payload[at + 1] ?? 0);
  const digits = (at: number): number => ((payload[at] ?? 0) >> 4) * 10 + ((payload[at] ?? 0) & 15);
  return [
    count('current', big(6)),
    count('previous', big(4)),
    ...bfwHistory(payload.subarray(start, end)).map((value, k) => count(`month${k + 1}`, value)),
    ...dated('date', dateText(2000 + digits(end + 2), digits(end + 1), digits(end))),
  ];
}

export const bfw: Profile = {
  name: 'BFW 240',
  matches: ({ meter }) => meter.manufacturer === 'BFW' && meter.version === 2 && meter.mediumCode === 8,
  decode: decodeBfw,
};

/** The power of each phase is sent with a VIFE of the maker (FFh 01h…03h); the sum is not. */
export const ebz: Profile = {
  name: 'eBZ electricity',
  matches: ({ meter }) => meter.manufacturer === 'EBZ',
  decode: ({ payload }) => {
    const phases = parse(payload).records.filter((r) => r.quantity === 'power' && r.kind === 'number');
    if (phases.length !== 3) return [];
    const value = phases.reduce((sum, phase) => sum + phase.value, 0);
    return [{ name: 'power', quantity: 'power', value, unit: 'W' }];
  },
};

/** Storage 2 is a month before the meter's time, storage 3 two, and so on; all ones where there was none yet. */
export const waterstar: Profile = {
  name: 'Engelmann Waterstar M',
  matches: ({ meter }) => meter.manufacturer === 'EFE' && meter.version === 0x70 && meter.mediumCode === 7,
  decode: ({ payload }) => {
    const { records } = parse(payload);
    const now = timeOf(records);
    if (now === undefined) return [];
    return records.flatMap((r) => {
      const time = r.storage < 2 || r.quantity !== 'volume' ? null : addMonths(now, 1 - r.storage);
      if (time === null || r.kind !== 'number') return [];
      const known = r.value >= 0;
      return [
        {
          ...volume('history', r.value),
          value: known ? r.value : null,
          time,
          ...(known ? {} : { quality: 'missing' as const }),
        },
      ];
    });
  },
};

const CENTIDEGREES: readonly (readonly [string, number])[] = [
  ['roomTemperature', 7],
  ['maximumRoomTemperature', 9],
  ['roomTemperatureLastMonth', 15],
  ['radiatorTemperatureLastMonth', 17],
];

/** Manufacturer block of kind 10h: hundredths of degrees, and the count since the start. */
export const hydroclima: Profile = {
  name: 'B Meters Hydroclima 2',
  matches: ({ meter }) => meter.manufacturer === 'BMP' && meter.mediumCode === 8,
  decode: ({ payload }) => {
    const rest = parse(payload).records.find((r) => r.function === 'mfct');
    if (!rest || payload[rest.dataStart] !== 0x10) return [];
    const bytes = payload.subarray(rest.dataStart);
    const readings: Reading[] = CENTIDEGREES.flatMap(([name, at]) => {
      const raw = unsigned(bytes, at, 2);
      return raw === null ? [] : [{ name, quantity: 'temperature', value: raw / 100, unit: 'C' }];
    });
    const total = unsigned(bytes, 19, 2);
    if (total !== null)
      readings.push({ name: 'total', quantity: 'heatCostAllocation', value: total, unit: 'hca' });
    return readings;
  },
};
