/** What single meters do differently, as data. */
import { ascii, toHex } from '../bytes.ts';

interface UnsignedPower {
  readonly manufacturer: string;
  /** Decimal serial numbers, both ends included. */
  readonly serials: readonly (readonly [from: number, to: number])[];
  readonly obis: readonly string[];
}

/** DZG DVS74 sends the power unsigned in one to three bytes and tags it as signed (volkszaehler/libsml#59, #105, #132, #136). */
const UNSIGNED_POWER: readonly UnsignedPower[] = [
  {
    manufacturer: 'DZG',
    serials: [
      [42_000_000, 48_999_999],
      [55_000_000, 58_999_999],
    ],
    obis: ['1-0:16.7.0*255'],
  },
];

/** `id` is the server id, `0A 01`, three letters and five bytes of number. */
export function sendsUnsignedPower(id: Uint8Array, obis: string): boolean {
  return UNSIGNED_POWER.some(
    ({ manufacturer, obis: codes, serials }) =>
      codes.includes(obis) &&
      id.length === 10 &&
      id[0] === 0x0a &&
      id[1] === 0x01 &&
      ascii(id, 2, 5) === manufacturer &&
      isAmong(Number.parseInt(toHex(id.subarray(5)), 16), serials),
  );
}

const isAmong = (serial: number, ranges: UnsignedPower['serials']): boolean =>
  ranges.some(([from, to]) => serial >= from && serial <= to);
