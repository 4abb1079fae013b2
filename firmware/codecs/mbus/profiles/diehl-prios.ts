/**
 * The mask of Diehl's PRIOS protocol: a linear feedback register seeded with address, header and key. The default
 * keys of the maker are public.
 */
import { ok, type Result, refuse } from '../../../domain/errors.ts';
import { type Address, addressOf, nameOf } from '../identity.ts';
import type { Product } from './profile.ts';

const DEFAULT_KEYS = ['39BC8A10E66D83F8', '51728910E66D83F8'].map((hex) => Buffer.from(hex, 'hex'));
export const DIEHL_MAKERS: readonly string[] = ['DME', 'EWT', 'HYD', 'SAP', 'SPL'];
/** Opens mode 5 of meters that were never given a key of their own. */
export const DIEHL_AES_KEY = Buffer.from('51728910E66D83F851728910E66D83F8', 'hex');
const FIRST_BYTE = 0x4b;
/** The three bytes of the header after CI, and one more. */
const HEADER = 4;

const word = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 24) |
  ((bytes[at + 1] ?? 0) << 16) |
  ((bytes[at + 2] ?? 0) << 8) |
  (bytes[at + 3] ?? 0);

/** The two halves of a key are combined; of a longer key the first eight bytes count. */
const seeds = (key: Uint8Array | null): number[] =>
  [...(key && key.length >= 8 ? [key] : []), ...DEFAULT_KEYS].map((k) => word(k, 0) ^ word(k, 4));

/** The next bit is the parity of bits 1, 2, 11 and 31. */
function advance(state: number): number {
  const bit = ((state >>> 1) ^ (state >>> 2) ^ (state >>> 11) ^ (state >>> 31)) & 1;
  return (state << 1) | bit;
}

function unmask(sender: Address, header: number, masked: Uint8Array, seed: number): Uint8Array {
  let state = seed ^ word(sender.bytes, 0) ^ word(sender.bytes, 4) ^ header;
  return masked.map((byte) => {
    for (let bit = 0; bit < 8; bit++) state = advance(state);
    return byte ^ (state & 0xff);
  });
}

/** CI A0h…A7h: what the mask hides, its first byte the check. */
export function openPrios({ ci, payload, sender, key }: Product): Result<Uint8Array> {
  const header = word(Uint8Array.of(ci, ...payload.subarray(0, 3)), 0);
  const masked = payload.subarray(HEADER);
  for (const seed of seeds(key)) {
    const clear = unmask(sender, header, masked, seed);
    if (clear[0] === FIRST_BYTE) return ok(clear);
  }
  if (key) return refuse('KEY_WRONG', `the key does not open the telegram of ${nameOf(sender)}`);
  return refuse('KEY_MISSING', `masked, and not with a default key of the maker: ${nameOf(sender)}`);
}

/** Masked telegrams have version and medium before the identification; SAP has one of five bytes, and water only. */
export function diehlAddress(sender: Address, ci: number, configuration: number): Address | null {
  const prios = ci >= 0xa0 && ci <= 0xa7;
  const realData = ci === 0x71 || (ci === 0x7a && (configuration & 0x1000) !== 0);
  if (!DIEHL_MAKERS.includes(sender.manufacturer) || !(prios || realData)) return null;
  const [m0 = 0, m1 = 0, version = 0, medium = 0, ...id] = sender.bytes;
  if (sender.manufacturer === 'SAP')
    return addressOf(Uint8Array.of(m0, m1), Uint8Array.of(...sender.bytes.subarray(2, 6), 0, 7));
  return addressOf(Uint8Array.of(m0, m1), Uint8Array.of(...id, version, medium));
}

/** What `openRealData` looks at, of a telegram with CI 7Ah. */
export interface MaskedTelegram {
  readonly sender: Address;
  readonly ci: number;
  readonly accessNumber: number | null;
  readonly status: number;
  readonly configuration: number;
  readonly payload: Uint8Array;
}

/**
 * Diehl's "real data" (heat meters Sharky): DIF/VIF records under the same mask, marked by bit 12 of a configuration
 * word whose upper byte is their checksum. Null when the payload is none.
 */
export function openRealData(telegram: MaskedTelegram, key: Uint8Array | null): Uint8Array | null {
  const { ci, accessNumber, status, configuration, payload, sender } = telegram;
  if (ci !== 0x7a || !(configuration & 0x1000) || !DIEHL_MAKERS.includes(sender.manufacturer)) return null;
  const header = word(Uint8Array.of(ci, accessNumber ?? 0, status, configuration & 0xff), 0);
  const check = (configuration >> 8) & 0xef;
  for (const seed of seeds(key)) {
    const clear = unmask(sender, header, payload, seed);
    if ((clear.reduce((sum, byte) => sum + byte, 0) & 0xef) === check) return clear;
  }
  return null;
}
