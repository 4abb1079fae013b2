/**
 * M-Bus long frames that carry DLMS on Austrian customer ports (EN 13757-1, 6.2): `68 L L 68 53 FF CI STSAP DTSAP
 * data CS 16`. The low four bits of CI number the segment, bit 4 marks the last one.
 */
import { fault } from '../../domain/errors.ts';
import { MORE, OTHER, type Scan } from '../scan.ts';

export interface MbusSegment {
  readonly number: number;
  readonly last: boolean;
  readonly data: Uint8Array;
}

const START = 0x68;
const STOP = 0x16;
/** C, A, CI, STSAP, DTSAP. */
const HEAD_BYTES = 5;
const LAST = 0x10;

export function scanMbus(bytes: Uint8Array, at: number, end: number): Scan<MbusSegment> {
  if (bytes[at] !== START) return OTHER;
  const length = bytes[at + 1] ?? 0;
  for (let i = 1; i < 4; i++) {
    if (at + i >= end) return MORE;
    if (bytes[at + i] !== (i === 3 ? START : length)) return OTHER;
  }
  // Sagemcom T210-D sends up to 261 bytes after the head: the length field overflows and begins again at 0.
  const stated = length < HEAD_BYTES + 1 ? length + 256 : length;
  const from = at + 4;
  const to = from + stated;
  if (to + 2 > end) return MORE;
  if (bytes[to + 1] !== STOP)
    return { found: 'bad', error: fault('BAD_FRAME', 'an M-Bus frame does not end with 16h') };
  let sum = 0;
  for (let i = from; i < to; i++) sum += bytes[i] ?? 0;
  if ((sum & 0xff) !== bytes[to])
    return { found: 'bad', error: fault('BAD_CHECKSUM', 'the checksum of an M-Bus frame does not match') };
  const ci = bytes[from + 2] ?? 0;
  if (ci > 0x1f)
    return { found: 'bad', error: fault('UNSUPPORTED', 'an M-Bus frame that carries no DLMS message') };
  const value = { number: ci & 0x0f, last: (ci & LAST) !== 0, data: bytes.slice(from + HEAD_BYTES, to) };
  return { found: 'whole', value, length: to + 2 - at };
}

/** The whole frame on the line. */
export function encodeMbus({ number, last, data }: MbusSegment): Uint8Array {
  const length = (data.length + HEAD_BYTES) & 0xff;
  const body = [0x53, 0xff, number | (last ? LAST : 0), 0x01, 0x67, ...data];
  const sum = body.reduce((a, b) => a + b, 0) & 0xff;
  return Uint8Array.from([START, length, length, START, ...body, sum, STOP]);
}
