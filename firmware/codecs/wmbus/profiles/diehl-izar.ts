/**
 * Diehl IZAR water meters with the PRIOS protocol (manufacturers DME, HYD, SAP; CI A0h…A7h). The payload is masked
 * by a linear feedback register seeded with address and header; the default keys of the maker are public.
 */
import type { Reading } from '../../../domain/telegram.ts';
import type { Address } from '../../mbus/identity.ts';
import type { ClearTelegram } from '../telegram.ts';
import { dated, dateText, type Profile, unsigned, volume } from './profile.ts';

/** The two halves of each default key, combined. */
const KEYS = [0x39bc8a10 ^ 0xe66d83f8, 0x51728910 ^ 0xe66d83f8];
const MAKERS = new Set(['DME', 'HYD', 'SAP', 'EWT', 'SPL']);
const FIRST_BYTE = 0x4b;
const HEADER = 4;
const YEAR_S = 31_556_952;

const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0);

/** The next bit is the parity of bits 1, 2, 11 and 31. */
function advance(state: number): number {
  const bit = ((state >>> 1) ^ (state >>> 2) ^ (state >>> 11) ^ (state >>> 31)) & 1;
  return (state << 1) | bit;
}

/** `header` is CI and the three bytes after it. */
function unmask(sender: Address, header: number, masked: Uint8Array, key: number): Uint8Array {
  let state = key ^ word(sender.bytes, 0) ^ word(sender.bytes, 4) ^ header;
  return masked.map((byte) => {
    for (let bit = 0; bit < 8; bit++) state = advance(state);
    return byte ^ (state & 0xff);
  });
}

/** Date of type G with the years 81 to 99 in the last century. */
function dueDate(low: number, high: number): string | null {
  const year = (low >> 5) | ((high & 0xf0) >> 1);
  return dateText(year > 80 ? 1900 + year : 2000 + year, high & 15, low & 31);
}

function decode(telegram: ClearTelegram): readonly Reading[] {
  const { ci, payload, sender } = telegram;
  const header = (ci << 24) | ((payload[0] ?? 0) << 16) | ((payload[1] ?? 0) << 8) | (payload[2] ?? 0);
  const masked = payload.subarray(HEADER);
  const clear = KEYS.map((key) => unmask(sender, header, masked, key)).find(
    (bytes) => bytes[0] === FIRST_BYTE,
  );
  if (!clear) return [];
  const [control = 0, battery = 0] = payload;
  const total_l = unsigned(clear, 1, 4);
  const target_l = unsigned(clear, 5, 4);
  return [
    ...(total_l === null ? [] : [volume('total', total_l / 1000)]),
    ...(target_l === null ? [] : [volume('target', target_l / 1000)]),
    ...(clear.length > 10 ? dated('targetDate', dueDate(clear[9] ?? 0, clear[10] ?? 0)) : []),
    { name: 'batteryLife', quantity: 'batteryLife', value: ((battery & 31) / 2) * YEAR_S, unit: 's' },
    {
      name: 'transmissionPeriod',
      quantity: 'transmissionPeriod',
      value: 2 ** ((control & 15) + 2),
      unit: 's',
    },
  ];
}

export const diehlIzar: Profile = {
  name: 'Diehl IZAR',
  matches: ({ sender, ci }) => MAKERS.has(sender.manufacturer) && ci >= 0xa0 && ci <= 0xa7,
  decode,
};

/**
 * Diehl's "real data" (heat meters Sharky): DIF/VIF records under the same mask, marked by bit 12 of a configuration
 * word whose upper byte is their checksum. Null when the payload is none.
 */
export function unmaskRealData(telegram: ClearTelegram): Uint8Array | null {
  const { ci, accessNumber, status, configuration, payload, sender } = telegram;
  if (ci !== 0x7a || !(configuration & 0x1000) || !MAKERS.has(sender.manufacturer)) return null;
  const header = (ci << 24) | ((accessNumber ?? 0) << 16) | (status << 8) | (configuration & 0xff);
  const check = (configuration >> 8) & 0xef;
  for (const key of KEYS) {
    const clear = unmask(sender, header, payload, key);
    if ((clear.reduce((sum, byte) => sum + byte, 0) & 0xef) === check) return clear;
  }
  return null;
}
