/**
 * Wired M-Bus, EN 13757-2: single character, short and long frames with their checks. A long frame is
 * `68 L L 68 C A CI … checksum 16`; L counts from C to before the checksum.
 */
import { type Fault, fault } from '../../domain/errors.ts';

export interface LongFrame {
  readonly kind: 'long';
  readonly control: number;
  readonly address: number;
  readonly ci: number;
  /** The bytes after CI. */
  readonly payload: Uint8Array;
}

export interface ShortFrame {
  readonly kind: 'short';
  readonly control: number;
  readonly address: number;
}

export type LinkFrame = LongFrame | ShortFrame | { readonly kind: 'ack' };

/** One frame at `at`, or why there is none; `length` is how many bytes belong to it. */
export type LinkResult =
  | { readonly ok: true; readonly frame: LinkFrame; readonly length: number }
  | { readonly ok: false; readonly error: Fault; readonly length: number };

export const START_LONG = 0x68;
export const START_SHORT = 0x10;
export const STOP = 0x16;
export const ACK = 0xe5;

export const isStart = (byte: number | undefined): boolean => byte === START_LONG || byte === START_SHORT;

const no = (
  code: 'BAD_FRAME' | 'CUT_FRAME' | 'BAD_CHECKSUM',
  message: string,
  length: number,
): LinkResult => ({
  ok: false,
  error: fault(code, message),
  length,
});

/** The checksum of both frames: the sum of their bytes from the C field on. */
export function sumOf(bytes: Uint8Array, from = 0, to = bytes.length): number {
  let sum = 0;
  for (let i = from; i < to; i++) sum += bytes[i] ?? 0;
  return sum & 0xff;
}

/** Reads the frame that starts at `at`. */
export function readLink(bytes: Uint8Array, at = 0): LinkResult {
  const start = bytes[at];
  if (start === ACK) return { ok: true, frame: { kind: 'ack' }, length: 1 };
  if (start === START_SHORT) return readShort(bytes, at);
  if (start === START_LONG) return readLong(bytes, at);
  return no('BAD_FRAME', 'no start character of an M-Bus frame', 1);
}

function readShort(bytes: Uint8Array, at: number): LinkResult {
  if (bytes.length < at + 5) return no('CUT_FRAME', 'a short frame has 5 bytes', bytes.length - at);
  const [, control = 0, address = 0, sum, stop] = bytes.subarray(at, at + 5);
  if (stop !== STOP) return no('BAD_FRAME', 'a short frame ends in 16h', 1);
  if (sum !== ((control + address) & 0xff)) {
    return no('BAD_CHECKSUM', 'the checksum of the short frame is wrong', 1);
  }
  return { ok: true, frame: { kind: 'short', control, address }, length: 5 };
}

function readLong(bytes: Uint8Array, at: number): LinkResult {
  if (bytes.length < at + 4) return no('CUT_FRAME', 'the frame ends within its start', bytes.length - at);
  const length = bytes[at + 1] ?? 0;
  if (bytes[at + 2] !== length || bytes[at + 3] !== START_LONG) {
    return no('BAD_FRAME', 'the start of the long frame is not 68 L L 68', 1);
  }
  if (length < 3) return no('BAD_FRAME', `a long frame carries at least 3 bytes, not ${length}`, 1);
  const end = at + 4 + length;
  if (bytes.length < end + 2)
    return no('CUT_FRAME', 'the long frame ends before it is complete', bytes.length - at);
  if (bytes[end + 1] !== STOP) return no('BAD_FRAME', 'the long frame does not end in 16h', 1);
  if (bytes[end] !== sumOf(bytes, at + 4, end)) {
    return no('BAD_CHECKSUM', 'the checksum of the long frame is wrong', 1);
  }
  const [control = 0, address = 0, ci = 0] = bytes.subarray(at + 4, at + 7);
  const frame: LongFrame = { kind: 'long', control, address, ci, payload: bytes.subarray(at + 7, end) };
  return { ok: true, frame, length: length + 6 };
}
