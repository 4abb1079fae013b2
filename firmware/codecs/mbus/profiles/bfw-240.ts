/** BFW 240 radio: heat cost allocators; 18 months in counters of 12 bits, the newest last. */
import type { Reading } from '../../../domain/telegram.ts';
import { bigEndian, dayFirst } from './codings.ts';
import { DATE, HCA } from './measures.ts';
import { type Profile, shown } from './profile.ts';

const HISTORY_AT = 8;
const HISTORY_BYTES = 27;

/** Two counters in three bytes. */
function months(packed: Uint8Array): Reading[] {
  const counts: number[] = [];
  for (let at = packed.length - 3; at >= 0; at -= 3) {
    const [older = 0, high = 0, newer = 0] = packed.subarray(at, at + 3);
    counts.push(newer | ((high & 15) << 8), older | ((high >> 4) << 8));
  }
  return counts.flatMap((count, k) => shown({ name: `month${k + 1}`, ...HCA }, count));
}

export const bfw240: Profile = {
  name: 'BFW 240 radio',
  products: ['BFW/02/08'],
  block: ({ payload }) => (payload.length < HISTORY_AT + HISTORY_BYTES + 3 ? null : payload.subarray(-38)),
  bytes: [
    { name: 'previous', at: 4, bytes: 2, as: bigEndian, ...HCA },
    { name: 'current', at: 6, bytes: 2, as: bigEndian, ...HCA },
    { name: 'date', at: 35, bytes: 3, as: dayFirst, ...DATE },
  ],
  more: (_product, block) => months(block.subarray(HISTORY_AT, HISTORY_AT + HISTORY_BYTES)),
  examples: [
    {
      telegram:
        '3044D708785634120208A00000000000640019000000000000000000000000000000000000000000000000102034210424',
      readings: [
        ['previous', 100],
        ['current', 25],
        ['date', '2024-04-21'],
        ['month1', 52],
        ['month2', 528],
        ['month3', 0],
        ['month4', 0],
        ['month5', 0],
        ['month6', 0],
        ['month7', 0],
        ['month8', 0],
        ['month9', 0],
        ['month10', 0],
        ['month11', 0],
        ['month12', 0],
        ['month13', 0],
        ['month14', 0],
        ['month15', 0],
        ['month16', 0],
        ['month17', 0],
        ['month18', 0],
      ],
    },
  ],
};
