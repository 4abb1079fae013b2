/**
 * HDLC frames of IEC 62056-46, frame format type 3: `7E | A/S/length 2 | destination | source | control | HCS 2 |
 * information | FCS 2 | 7E`. There is no byte stuffing: a frame is cut by its length, and 7E may stand inside.
 */
import { fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { NOTHING } from '../bytes.ts';
import { crc16X25 } from '../crc16.ts';
import { MORE, OTHER, type Scan } from '../scan.ts';

export interface HdlcFrame {
  /** As on the line: 1, 2 or 4 bytes, the last with its low bit set. */
  readonly destination: Uint8Array;
  readonly source: Uint8Array;
  readonly control: number;
  /** More frames of the same message follow. */
  readonly segmented: boolean;
  readonly information: Uint8Array;
}

export const FLAG = 0x7e;
const TYPE_3 = 0xa0;
/** Format 2, two addresses of one byte, control, FCS. */
const LEAST_BYTES = 7;
const ADDRESS_BYTES = 4;

/** The frame whose opening flag stands at `at`. Its length leaves the closing flag out: the next frame may open with it. */
export function scanHdlc(bytes: Uint8Array, at: number, end: number): Scan<HdlcFrame> {
  if (bytes[at] !== FLAG) return OTHER;
  if (at + 3 > end) return at + 1 < end && ((bytes[at + 1] ?? 0) & 0xf0) !== TYPE_3 ? OTHER : MORE;
  const format = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (format >> 12 !== TYPE_3 >> 4) return OTHER;
  const length = format & 0x7ff;
  if (length < LEAST_BYTES || length + 2 > LIMITS.hdlcFrame_bytes)
    return { found: 'bad', error: fault('BAD_FRAME', `an HDLC frame cannot have ${length} bytes`) };
  const from = at + 1;
  const to = from + length;
  const destinationEnd = addressEnd(bytes, from + 2, Math.min(end, to));
  const control = destinationEnd && addressEnd(bytes, destinationEnd, Math.min(end, to));
  if (destinationEnd === null || control === null)
    return { found: 'bad', error: fault('BAD_FRAME', 'an HDLC address is longer than four bytes') };
  // HCS comes first: a wrong header is known before the rest of the frame has arrived.
  const hasInformation = to - control > 3;
  if (hasInformation && control + 3 <= end && !checks(bytes, from, control + 1))
    return { found: 'bad', error: fault('BAD_CHECKSUM', 'the HCS of an HDLC frame does not match') };
  if (to >= end) return MORE;
  if (bytes[to] !== FLAG)
    return { found: 'bad', error: fault('BAD_FRAME', 'an HDLC frame does not end with its flag') };
  if (!checks(bytes, from, to - 2))
    return { found: 'bad', error: fault('BAD_CHECKSUM', 'the FCS of an HDLC frame does not match') };
  if (control >= to - 2)
    return { found: 'bad', error: fault('BAD_FRAME', 'an HDLC frame ends inside its header') };
  if (hasInformation && control + 3 > to - 2)
    return { found: 'bad', error: fault('BAD_FRAME', 'an HDLC frame has half a header checksum') };
  const value: HdlcFrame = {
    destination: bytes.slice(from + 2, destinationEnd),
    source: bytes.slice(destinationEnd, control),
    control: bytes[control] ?? 0,
    segmented: (format & 0x800) !== 0,
    information: hasInformation ? bytes.slice(control + 3, to - 2) : NOTHING,
  };
  return { found: 'whole', value, length: length + 1 };
}

/** Whether the checksum behind `to`, low byte first, is that over [from, to). */
function checks(bytes: Uint8Array, from: number, to: number): boolean {
  const sum = crc16X25(bytes, from, to);
  return bytes[to] === (sum & 0xff) && bytes[to + 1] === sum >>> 8;
}

/** Behind the last byte of the address at `from`; `end` while it has not come; null when there are more than four. */
function addressEnd(bytes: Uint8Array, from: number, end: number): number | null {
  for (let i = from; i < end; i++) {
    if (i - from >= ADDRESS_BYTES) return null;
    if ((bytes[i] ?? 0) & 1) return i + 1;
  }
  return end;
}

/** The whole frame on the line, both flags included. */
export function encodeHdlc(frame: HdlcFrame): Uint8Array {
  const { destination, source, information } = frame;
  const head = 2 + destination.length + source.length + 1;
  const length = head + 2 + (information.length > 0 ? information.length + 2 : 0);
  const out = new Uint8Array(length + 2);
  out[0] = FLAG;
  out[1] = TYPE_3 | (frame.segmented ? 0x08 : 0) | (length >> 8);
  out[2] = length & 0xff;
  out.set(destination, 3);
  out.set(source, 3 + destination.length);
  out[head] = frame.control;
  let at = seal(out, head + 1);
  if (information.length > 0) {
    out.set(information, at);
    at = seal(out, at + information.length);
  }
  out[at] = FLAG;
  return out;
}

/** Writes the checksum over everything behind the opening flag at `at`. */
function seal(out: Uint8Array, at: number): number {
  const sum = crc16X25(out, 1, at);
  out[at] = sum & 0xff;
  out[at + 1] = sum >>> 8;
  return at + 2;
}
