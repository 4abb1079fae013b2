/**
 * A product profile: what the records alone cannot say of a meter. Facts of one product family, one file each.
 *
 * To add one: take a telegram with its reading as shown on the meter; `matches` by manufacturer, version and device
 * type (the sender's for CI A0h…B7h, else the meter's); `decode` names what the bytes say, in house units, and gives
 * nothing for a mark of "no value" rather than 0; add it to the list in index.ts and its telegram to the tests.
 */
import type { Reading } from '../../../domain/telegram.ts';
import type { ClearTelegram } from '../telegram.ts';

export interface Profile {
  readonly name: string;
  readonly matches: (telegram: ClearTelegram) => boolean;
  /** Named readings; empty when the payload is not what the profile expects. Never throws. */
  readonly decode: (telegram: ClearTelegram) => readonly Reading[];
}

/** Little-endian unsigned; null past the end. At most 6 bytes. */
export function unsigned(bytes: Uint8Array, at: number, length: number): number | null {
  if (at < 0 || at + length > bytes.length) return null;
  let sum = 0;
  for (let i = at + length - 1; i >= at; i--) sum = sum * 256 + (bytes[i] ?? 0);
  return sum;
}

/** `YYYY-MM-DD`, null where there is no such day. */
export function dateText(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const same =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return same ? date.toISOString().slice(0, 10) : null;
}

export const volume = (name: string, value: number): Reading => ({
  name,
  quantity: 'volume',
  value,
  unit: 'm3',
});

/** A date as a reading, none where it is not one. */
export const dated = (name: string, time: string | null): readonly Reading[] =>
  time === null ? [] : [{ name, quantity: 'date', time }];
