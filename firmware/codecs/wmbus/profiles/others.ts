/** Products with a small payload of their own: Zenner water meters, BFW heat cost allocators. */
import type { Reading } from '../../../domain/telegram.ts';
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
