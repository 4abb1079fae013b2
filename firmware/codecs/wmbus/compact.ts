/**
 * Compact and format frames, EN 13757-3, annex on compact frames: a compact frame carries only data; the DIBs and
 * VIBs are known from a full or a format frame with the same signature (its CRC over them).
 */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { joined } from '../bytes.ts';
import { PROFILES } from '../mbus/profiles/index.ts';
import type { Parsed } from '../mbus-parser/index.ts';
import { CRC_START, crc13757, crcEnd, crcOver } from './crc.ts';

/** The headers (DIB and VIB) of the records of a full frame, in order. */
type Format = readonly Uint8Array[];

const MAX_FORMATS = 64;
/** Data fields whose length stands in the DIF; Dh says it in the data. */
const WIDTH = [0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, -1, 6, -1];

/**
 * The layouts that product profiles know, by the signature over their bytes. Two may share a signature; the CRC of
 * the full frame tells which it is.
 */
function knownFormats(): Map<number, readonly Format[]> {
  const formats = new Map<number, readonly Format[]>();
  for (const layout of PROFILES.flatMap((profile) => profile.formats ?? [])) {
    const headers = layout.split(' ').map((header) => Buffer.from(header, 'hex'));
    const signature = signatureOf(headers);
    formats.set(signature, [...(formats.get(signature) ?? []), headers]);
  }
  return formats;
}

let known: ReadonlyMap<number, readonly Format[]> | null = null;

export class FormatStore {
  readonly #formats = new Map<number, Format>();

  #add(headers: Format): void {
    const signature = signatureOf(headers);
    const isFull = this.#formats.size >= MAX_FORMATS && !this.#formats.has(signature);
    if (headers.length > 0 && !isFull) this.#formats.set(signature, headers);
  }

  /** Remembers the layout of a full frame. */
  learn(payload: Uint8Array, { records, stop }: Parsed): void {
    if (stop !== 'end' || records.some((r) => r.function === 'mfct' || r.function === 'more')) return;
    let signature = CRC_START;
    for (const { start, headerEnd } of records) signature = crcOver(signature, payload, start, headerEnd);
    // Meters send the same layout again and again.
    if (this.#formats.has(crcEnd(signature))) return;
    this.#add(records.map((r) => Uint8Array.from(payload.subarray(r.start, r.headerEnd))));
  }

  /** A format frame (CI 69h…6Bh): length, signature, then the headers alone. */
  learnFormat(payload: Uint8Array): Result<null> {
    const headers = payload.subarray(3);
    const stated = (payload[1] ?? 0) | ((payload[2] ?? 0) << 8);
    if (headers.length === 0 || crc13757(headers) !== stated) {
      return refuse('BAD_CHECKSUM', 'the signature of the format frame does not fit its headers');
    }
    const split = splitHeaders(headers);
    if (!split) return refuse('BAD_FRAME', 'the headers of the format frame do not add up');
    this.#add(split);
    return ok(null);
  }

  /** The full payload of a compact frame: `payload` starts with the signature and the CRC of the full frame. */
  expand(payload: Uint8Array): Result<Uint8Array> {
    if (payload.length < 4) return refuse('CUT_FRAME', 'the compact frame ends within its signature');
    const [s0 = 0, s1 = 0, c0 = 0, c1 = 0] = payload;
    const signature = s0 | (s1 << 8);
    known ??= knownFormats();
    const learnt = this.#formats.get(signature);
    const formats = [...(learnt ? [learnt] : []), ...(known.get(signature) ?? [])];
    if (formats.length === 0) {
      const hex = signature.toString(16).padStart(4, '0');
      return refuse(
        'UNKNOWN_FORMAT',
        `no full frame with the format ${hex} has been received from this meter`,
      );
    }
    const filled = formats.map((format) => fill(format, payload.subarray(4))).filter((full) => full !== null);
    if (filled.length === 0) return refuse('BAD_FRAME', 'the compact frame does not fit its format');
    const full = filled.find((bytes) => crc13757(bytes) === (c0 | (c1 << 8)));
    if (!full) return refuse('BAD_CHECKSUM', 'the CRC of the full frame does not fit the compact one');
    return ok(full);
  }
}

const signatureOf = (headers: Format): number => crc13757(joined(...headers));

function fill(format: Format, data: Uint8Array): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const header of format) {
    let width = WIDTH[(header[0] ?? 0) & 15] ?? 0;
    if (width < 0) width = 1 + (data[at] ?? 0);
    if (at + width > data.length) return null;
    parts.push(header, data.subarray(at, at + width));
    at += width;
  }
  return joined(...parts);
}

/** Headers one after the other: DIF and DIFE, VIF and VIFE, each chain ended by a byte without extension bit. */
function splitHeaders(bytes: Uint8Array): Format | null {
  const headers: Uint8Array[] = [];
  let at = 0;
  const chain = (): void => {
    while ((bytes[at] ?? 0) & 0x80) at += 1;
    at += 1;
  };
  while (at < bytes.length) {
    const start = at;
    chain();
    chain();
    if (at > bytes.length) return null;
    headers.push(Uint8Array.from(bytes.subarray(start, at)));
  }
  return headers;
}
