/**
 * Wireless link layer, EN 13757-4: frame formats A and B with their CRCs, or without when the receiver removed
 * them. Which it is is found from the bytes where the receiver does not say.
 */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type Address, addressFrom } from '../mbus/identity.ts';
import { crcFits } from './crc.ts';

export type CrcForm = 'A' | 'B' | 'none';

export interface LinkLayer {
  readonly form: CrcForm;
  readonly control: number;
  readonly address: Address;
  /** From the first CI field on, without CRCs. */
  readonly body: Uint8Array;
}

/** Bytes from the L field to before the first CI field. */
export const HEADER = 10;
/** Receivers that append signal strength or a status add a byte or two. */
const MAX_TRAILING = 2;
/** Format B: two blocks of the standard make at most 126 bytes before their CRC. */
export const B_FIRST = 126;
/** Format A: all blocks but the first and the last. */
export const A_BLOCK = 16;

/** A telegram that starts with its L field. `form` is what the receiver says of the CRCs, `auto` when it does not. */
export function readWirelessLink(bytes: Uint8Array, form: CrcForm | 'auto' = 'auto'): Result<LinkLayer> {
  if (bytes.length > LIMITS.wmbusTelegram_bytes) {
    return refuse('OVERSIZED', `a wireless telegram has at most ${LIMITS.wmbusTelegram_bytes} bytes`);
  }
  const stripped = strip(bytes, form);
  if (!stripped.ok) return stripped;
  const frame = stripped.value.bytes;
  if (frame.length <= HEADER) return refuse('CUT_FRAME', 'the telegram ends within its link layer');
  const control = frame[1] ?? 0;
  return ok({
    form: stripped.value.form,
    control,
    address: addressFrom(frame.slice(2, HEADER)),
    body: frame.subarray(HEADER),
  });
}

interface Stripped {
  readonly form: CrcForm;
  readonly bytes: Uint8Array;
}

function strip(bytes: Uint8Array, form: CrcForm | 'auto'): Result<Stripped> {
  const length = bytes[0] ?? 0;
  if (length < HEADER)
    return refuse('BAD_FRAME', `the L field says ${length}; a telegram has at least ${HEADER}`);
  if (form === 'A' || (form === 'auto' && looksLikeA(bytes, length))) return stripA(bytes, length);
  if (form === 'B' || (form === 'auto' && fitsB(bytes, length))) return stripB(bytes, length);
  const extra = bytes.length - (length + 1);
  if (form === 'auto' && otherBlocksFit(bytes)) {
    return refuse('BAD_CHECKSUM', 'the CRC of the first block (format A) is wrong');
  }
  if (extra < 0) return refuse('CUT_FRAME', `the L field says ${length} bytes, ${bytes.length - 1} came`);
  if (extra > MAX_TRAILING)
    return refuse('BAD_CHECKSUM', 'neither the L field nor a block CRC fits the telegram');
  return ok({ form: 'none', bytes: bytes.subarray(0, length + 1) });
}

/**
 * The CRC of the first block fits by accident for some addresses, with one access number in 256: there must be bytes
 * for the other CRCs too, or a second block that fits.
 */
function looksLikeA(bytes: Uint8Array, length: number): boolean {
  if (!crcFits(bytes, 0, HEADER)) return false;
  return bytes.length >= sizeA(length) || crcFits(bytes, 12, Math.min(28, length + 3));
}

/** Format A: 10 bytes, then blocks of 16, each with its CRC, which L does not count. */
const sizeA = (length: number): number => length + 1 + 2 * (1 + Math.ceil((length + 1 - HEADER) / A_BLOCK));

/** Format A with a damaged first block, its L field perhaps: every CRC behind it fits, to the last byte. */
function otherBlocksFit(bytes: Uint8Array): boolean {
  for (let from = HEADER + 2; from < bytes.length; from += A_BLOCK + 2) {
    if (!crcFits(bytes, from, Math.min(from + A_BLOCK, bytes.length - 2))) return false;
  }
  return true;
}

function stripA(bytes: Uint8Array, length: number): Result<Stripped> {
  const out = new Uint8Array(length + 1);
  let from = 0;
  let filled = 0;
  for (let block = 0; filled < out.length; block++) {
    const size = Math.min(block === 0 ? HEADER : A_BLOCK, out.length - filled);
    if (!crcFits(bytes, from, from + size)) {
      return refuse('BAD_CHECKSUM', `the CRC of block ${block + 1} (format A) is wrong or missing`);
    }
    out.set(bytes.subarray(from, from + size), filled);
    filled += size;
    from += size + 2;
  }
  return ok({ form: 'A', bytes: out });
}

/** Format B: one CRC over the first two blocks, one over the rest; L counts them. */
function fitsB(bytes: Uint8Array, length: number): boolean {
  const total = length + 1;
  return crcFits(bytes, 0, Math.min(B_FIRST, total - 2));
}

function stripB(bytes: Uint8Array, length: number): Result<Stripped> {
  const total = length + 1;
  const first = Math.min(B_FIRST, total - 2);
  if (!fitsB(bytes, length)) return refuse('BAD_CHECKSUM', 'the CRC of the first blocks (format B) is wrong');
  if (total <= first + 4) return ok({ form: 'B', bytes: bytes.subarray(0, first) });
  if (!crcFits(bytes, first + 2, total - 2)) {
    return refuse('BAD_CHECKSUM', 'the CRC of the last block (format B) is wrong or missing');
  }
  const out = new Uint8Array(total - 4);
  out.set(bytes.subarray(0, first));
  out.set(bytes.subarray(first + 2, total - 2), first);
  return ok({ form: 'B', bytes: out });
}
