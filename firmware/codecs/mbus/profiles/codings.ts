/** How bytes of a maker's own layout are read: a number, a date or time as text, or null for "no value". */
import { bcdText } from '../identity.ts';

/** `bytes` is the whole block, so that a date may look at another one. At most 6 bytes as a number. */
export type Coding = (bytes: Uint8Array, at: number, length: number) => number | string | null;

/** Little-endian unsigned; null past the end. */
export function unsigned(bytes: Uint8Array, at: number, length: number): number | null {
  if (at < 0 || at + length > bytes.length) return null;
  let sum = 0;
  for (let i = at + length - 1; i >= at; i--) sum = sum * 256 + (bytes[i] ?? 0);
  return sum;
}

/** Little-endian, two's complement. */
export function signed(bytes: Uint8Array, at: number, length: number): number | null {
  const value = unsigned(bytes, at, length);
  if (value === null) return null;
  return value >= 256 ** length / 2 ? value - 256 ** length : value;
}

export function bigEndian(bytes: Uint8Array, at: number, length: number): number | null {
  if (at < 0 || at + length > bytes.length) return null;
  return bytes.subarray(at, at + length).reduce((sum, byte) => sum * 256 + byte, 0);
}

/** Little-endian, two decimal digits a byte; null where a digit is none. */
export function bcd(bytes: Uint8Array, at: number, length: number): number | null {
  if (at < 0 || at + length > bytes.length) return null;
  const text = bcdText(bytes.subarray(at, at + length));
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** `YYYY-MM-DD`, null where there is no such day. */
export function dateText(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const same =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same ? date.toISOString().slice(0, 10) : null;
}

/** Type G of EN 13757-3; years above 80 belong to the last century. */
export const dateG: Coding = (bytes, at) => {
  if (at + 2 > bytes.length) return null;
  const [low = 0, high = 0] = bytes.subarray(at, at + 2);
  const year = (low >> 5) | ((high & 0xf0) >> 1);
  if (year > 99) return null;
  return dateText(year > 80 ? 1900 + year : 2000 + year, high & 15, low & 31);
};

/** Year, month, day in two digits each. */
export const dateBcd: Coding = (bytes, at) => {
  const [year, month, day] = [0, 1, 2].map((k) => bcd(bytes, at + k, 1));
  return dateText(2000 + (year ?? 100), month ?? 0, day ?? 0);
};

/** Day, month, year in two digits each. */
export const dayFirst: Coding = (bytes, at) => dateBcd(bytes.subarray(at, at + 3).toReversed(), 0, 3);

/** 5 bits of day, 4 of month, 7 of year since 2000, from the low end. */
export const dateWord: Coding = (bytes, at) => {
  const word = unsigned(bytes, at, 2);
  return word === null ? null : dateText(2000 + (word >> 9), (word >> 5) & 15, word & 31);
};

/** Seconds since 2000, local time. */
export const secondsSince2000: Coding = (bytes, at) => {
  const seconds = unsigned(bytes, at, 4);
  if (seconds === null) return null;
  return new Date(Date.UTC(2000, 0, 1) + seconds * 1000).toISOString().slice(0, 19);
};
