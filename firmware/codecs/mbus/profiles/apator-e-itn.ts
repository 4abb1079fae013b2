/** Apator E-ITN: heat cost allocators. CI B6h has a history of stated length in front, then A0h and the same block. */
import { type Coding, dateText, dateWord, unsigned } from './codings.ts';
import { DATE, HCA } from './measures.ts';
import type { Product, Profile } from './profile.ts';

const BLOCK_BYTES = 15;

/** With CI A0h the block is all there is. */
function blockOf({ ci, payload }: Product): Uint8Array | null {
  const at = ci === 0xb6 ? 2 + (payload[0] ?? 0) : 0;
  const isBlock = ci === 0xa0 || payload[at - 1] === 0xa0;
  return isBlock && payload.length >= at + BLOCK_BYTES ? payload.subarray(at) : null;
}

/** The word of a date without its high byte, which is A0h; only five bits of its year count. */
const seasonStart: Coding = (bytes, at) => {
  const word = 0xa000 + (bytes[at] ?? 0);
  return dateText(2000 + ((word >> 9) & 31), (word >> 5) & 15, word & 31);
};

/** Whole degrees above, 256ths below. */
const degrees: Coding = (bytes, at) => unsigned(bytes, at, 2);
const TEMPERATURE = { quantity: 'temperature', unit: 'C', per: 256, as: degrees } as const;

export const apatorEItn: Profile = {
  name: 'Apator E-ITN',
  products: ['APA/04/08', 'APT/04/08'],
  ci: [0xa0, 0xb6],
  block: blockOf,
  bytes: [
    { name: 'seasonStart', at: 0, bytes: 1, as: seasonStart, ...DATE },
    { name: 'previous', at: 3, bytes: 2, ...HCA },
    { name: 'electronicSealBroken', at: 5, bytes: 2, as: dateWord, ...DATE },
    { name: 'current', at: 7, bytes: 2, ...HCA },
    { name: 'date', at: 9, bytes: 2, as: dateWord, ...DATE },
    { name: 'meanRoomTemperaturePreviousSeason', at: 11, bytes: 2, ...TEMPERATURE },
    { name: 'meanRoomTemperature', at: 13, bytes: 2, ...TEMPERATURE },
  ],
  examples: [
    {
      telegram: '1D441406785634120408B6020102A0A10000640000000700EE2C80148015',
      readings: [
        ['seasonStart', '2016-05-01'],
        ['previous', 100],
        ['current', 7],
        ['date', '2022-07-14'],
        ['meanRoomTemperaturePreviousSeason', 20.5],
        ['meanRoomTemperature', 21.5],
      ],
    },
  ],
};
