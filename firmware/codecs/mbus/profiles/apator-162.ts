/** Apator at-wmbus-16-2: water; registers of known lengths in a block that 0Fh mostly starts. */
import { unsigned } from './codings.ts';
import { LITRES } from './measures.ts';
import { type Profile, shown } from './profile.ts';

const span = (from: number, to: number, bytes: number): [number, number][] =>
  Array.from({ length: to - from + 1 }, (_, k) => [from + k, bytes]);

/** Bytes that follow the number of a register. */
const REGISTER_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 4],
  [0x01, 3],
  [0x10, 4],
  [0x11, 2],
  [0x40, 6],
  [0x41, 2],
  [0x42, 4],
  [0x43, 2],
  [0x44, 3],
  // History: one byte, then as many counters as the low nibble plus one.
  ...Array.from({ length: 12 }, (_, k): [number, number] => [0x71 + k, 1 + 4 * (k + 2)]),
  ...span(0x80, 0x87, 10),
  ...[0x85, 0x88, 0x8f].map((n): [number, number] => [n, 11]),
  [0x8a, 9],
  [0x8b, 6],
  [0x8c, 6],
  [0x8e, 7],
  [0xa0, 4],
  [0xa1, 4],
  [0xa2, 1],
  [0xa3, 7],
  [0xa4, 4],
  ...[0xa5, 0xa9, 0xaf].map((n): [number, number] => [n, 1]),
  [0xa6, 3],
  ...[0xa7, 0xa8, 0xaa, 0xab, 0xac, 0xad].map((n): [number, number] => [n, 2]),
  [0xb0, 5],
  [0xb1, 8],
  [0xb2, 16],
  [0xb3, 8],
  [0xb4, 2],
  [0xb5, 16],
  ...span(0xb6, 0xc7, 3),
  [0xd0, 3],
  [0xd3, 3],
  [0xf0, 4],
]);
const TOTAL = 0x10;
/** 0Fh (or 80h), then a status of seven bytes. */
const FIRST_REGISTER = 8;

/** Where the value of the total stands. */
function totalAt(block: Uint8Array, from: number): number | null {
  for (let at = from; at < block.length; ) {
    const register = block[at] ?? 0xff;
    if (register === TOTAL) return at + 1;
    const bytes = REGISTER_BYTES.get(register);
    if (bytes === undefined) return null;
    at += 1 + bytes;
  }
  return null;
}

export const apator162: Profile = {
  name: 'Apator at-wmbus-16-2',
  products: ['APA/05/*'],
  more: (_product, payload) => {
    const at = totalAt(payload, (payload[0] === 0x2f ? 2 : 0) + FIRST_REGISTER);
    const total = at === null ? null : unsigned(payload, at, 4);
    return total === null ? [] : shown({ name: 'total', ...LITRES }, total);
  },
  examples: [
    {
      telegram: '294401067856341205077A2A0000000F0102030405060700AABBCCDD0111223343050010D2040000FFFF',
      readings: [['total', 1.234]],
    },
  ],
};
