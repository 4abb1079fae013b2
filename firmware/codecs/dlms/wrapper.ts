/** The wrapper for TCP and UDP (IEC 62056-47): `0001 | source wPort 2 | destination wPort 2 | length 2 | APDU`. */
import { fault } from '../../domain/errors.ts';
import { MORE, OTHER, type Scan } from '../scan.ts';

export interface WrapperFrame {
  readonly source: number;
  readonly destination: number;
  readonly apdu: Uint8Array;
}

export const WRAPPER_HEAD_BYTES = 8;

/** The frame at `at`, whose APDU may have up to `maxBytes`. */
export function scanWrapper(
  bytes: Uint8Array,
  at: number,
  end: number,
  maxBytes: number,
): Scan<WrapperFrame> {
  if (bytes[at] !== 0 || (at + 1 < end && bytes[at + 1] !== 1)) return OTHER;
  if (at + WRAPPER_HEAD_BYTES > end) return MORE;
  const word = (i: number): number => ((bytes[at + i] ?? 0) << 8) | (bytes[at + i + 1] ?? 0);
  const length = word(6);
  if (length === 0 || length > maxBytes)
    return { found: 'bad', error: fault('OVERSIZED', `a wrapper cannot hold ${length} bytes here`) };
  const from = at + WRAPPER_HEAD_BYTES;
  if (from + length > end) return MORE;
  const value = { source: word(2), destination: word(4), apdu: bytes.slice(from, from + length) };
  return { found: 'whole', value, length: WRAPPER_HEAD_BYTES + length };
}

export function encodeWrapper({ source, destination, apdu }: WrapperFrame): Uint8Array {
  const out = new Uint8Array(WRAPPER_HEAD_BYTES + apdu.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, 1);
  view.setUint16(2, source);
  view.setUint16(4, destination);
  view.setUint16(6, apdu.length);
  out.set(apdu, WRAPPER_HEAD_BYTES);
  return out;
}
