/** Apator: water meters at-wmbus-16-2 (registers in a manufacturer block), -08 and -17-2 (a bare counter). */
import type { Reading } from '../../../domain/telegram.ts';
import type { ClearTelegram } from '../telegram.ts';
import { type Profile, unsigned, volume } from './profile.ts';

/** Length of a register by its number; it is followed by that many bytes. */
const REGISTER_BYTES: ReadonlyMap<number, number> = new Map([
  ...range(0x00, 0x00, 4),
  ...range(0x01, 0x01, 3),
  ...range(0x10, 0x10, 4),
  ...range(0x11, 0x11, 2),
  ...range(0x40, 0x40, 6),
  ...range(0x41, 0x41, 2),
  ...range(0x42, 0x42, 4),
  ...range(0x43, 0x43, 2),
  ...range(0x44, 0x44, 3),
  // 71h…7Bh: history, one byte and then as many counters as the low nibble plus one.
  ...[1, 2, 3, 5, 11].map((n): [number, number] => [0x70 + n, 1 + 4 * (n + 1)]),
  ...range(0x80, 0x87, 10),
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
  ...range(0xb6, 0xc7, 3),
  [0xd0, 3],
  [0xd3, 3],
  [0xf0, 4],
]);

function range(from: number, to: number, bytes: number): [number, number][] {
  return Array.from({ length: to - from + 1 }, (_, k) => [from + k, bytes]);
}

/** After two idle fillers stand 0Fh (mostly), a date (4) and faults (3), then the registers; FFh fills the rest. */
function decodeRegisters({ payload }: ClearTelegram): readonly Reading[] {
  let at = (payload[0] === 0x2f ? 2 : 0) + 8;
  while (at < payload.length) {
    const register = payload[at] ?? 0xff;
    const bytes = REGISTER_BYTES.get(register);
    if (bytes === undefined || at + 1 + bytes > payload.length) return [];
    if (register === 0x10) {
      const total_l = unsigned(payload, at + 1, 4);
      return total_l === null ? [] : [volume('total', total_l / 1000)];
    }
    at += 1 + bytes;
  }
  return [];
}

export const apator162: Profile = {
  name: 'Apator at-wmbus-16-2',
  matches: ({ meter, content }) =>
    meter.manufacturer === 'APA' &&
    [5, 6, 7].includes(meter.mediumCode) &&
    meter.version === 5 &&
    content === 'full',
  decode: decodeRegisters,
};

/** Thirds of a litre. */
export const apator08: Profile = {
  name: 'Apator at-wmbus-08',
  matches: ({ sender, ci }) => sender.manufacturer === 'APT' && ci === 0xa0 && sender.version === 0x0f,
  decode: ({ payload }) => {
    const thirds = unsigned(payload, 0, 4);
    return thirds === null ? [] : [volume('total', thirds / 3000)];
  },
};

/** Thirds of a cubic metre. */
export const apator172: Profile = {
  name: 'Apator at-wmbus-17-2',
  matches: ({ sender, ci }) => sender.manufacturer === 'APT' && ci === 0xa0 && sender.version === 0x04,
  decode: ({ payload }) => {
    const thirds = unsigned(payload, 0, 4);
    return thirds === null ? [] : [volume('total', thirds / 3)];
  },
};
