/**
 * A-XDR of the COSEM data types (IEC 62056-5-3, annex; IEC 62056-6-2, 4.1.5), bounded in depth, in elements and by
 * the bytes that are there.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';

/** `bigint` only where the number is not a safe integer. */
export type Integer = number | bigint;

export type Data =
  | { readonly kind: 'null' }
  | { readonly kind: 'array' | 'structure'; readonly items: readonly Data[] }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'bits'; readonly count: number; readonly bytes: Uint8Array }
  | { readonly kind: 'integer'; readonly value: Integer }
  | { readonly kind: 'enum'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'octets'; readonly bytes: Uint8Array }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'dateTime' | 'date' | 'time'; readonly bytes: Uint8Array };

/** Tags of the types. */
export const TAG = {
  null: 0x00,
  array: 0x01,
  structure: 0x02,
  boolean: 0x03,
  bits: 0x04,
  int32: 0x05,
  uint32: 0x06,
  octets: 0x09,
  visible: 0x0a,
  utf8: 0x0c,
  bcd: 0x0d,
  int8: 0x0f,
  int16: 0x10,
  uint8: 0x11,
  uint16: 0x12,
  compact: 0x13,
  int64: 0x14,
  uint64: 0x15,
  enum: 0x16,
  float32: 0x17,
  float64: 0x18,
  dateTime: 0x19,
  date: 0x1a,
  time: 0x1b,
} as const;

const NULL: Data = { kind: 'null' };

/** A type as a compact array describes it once for all its elements. */
type Shape =
  | { readonly tag: number }
  | { readonly tag: number; readonly count: number; readonly of: Shape }
  | { readonly tag: number; readonly items: readonly Shape[] };

interface AxdrBounds {
  readonly depth?: number;
  readonly elements?: number;
}

/** Reads values one after the other. The reason why one could not be read is kept in `fault`. */
export class AxdrReader {
  readonly bytes: Uint8Array;
  at: number;
  fault: Fault | null = null;
  private readonly view: DataView;
  private readonly depth: number;
  private left: number;

  constructor(bytes: Uint8Array, at = 0, bounds: AxdrBounds = {}) {
    this.bytes = bytes;
    this.at = at;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.depth = bounds.depth ?? LIMITS.dlmsDepth;
    this.left = bounds.elements ?? LIMITS.dlmsElements;
  }

  /** The next value with its tag; null when it cannot be read. */
  next(depth = 0): Data | null {
    const tag = this.bytes[this.at];
    if (tag === undefined) return this.cut();
    this.at++;
    return this.untagged(tag, depth);
  }

  /** Length or count: below 80h itself, else the number of bytes that hold it. -1 when it cannot be read. */
  length(): number {
    const first = this.bytes[this.at++];
    if (first === undefined) return this.refuse('CUT_FRAME', 'a value ends before its length');
    if (first < 0x80) return first;
    const size = first & 0x7f;
    if (size === 0 || size > 4) return this.refuse('BAD_VALUE', `a length of ${size} bytes`);
    if (this.at + size > this.bytes.length) return this.refuse('CUT_FRAME', 'a value ends before its length');
    let length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + (this.bytes[this.at++] ?? 0);
    return length;
  }

  /** The next `count` bytes, null when there are fewer. */
  take(count: number): Uint8Array | null {
    const to = this.at + count;
    if (count < 0 || to > this.bytes.length) return this.cut();
    const bytes = this.bytes.subarray(this.at, to);
    this.at = to;
    return bytes;
  }

  private untagged(tag: number, depth: number): Data | null {
    if (this.left-- <= 0) {
      this.refuse('OVERSIZED', 'more elements than the stated limit');
      return null;
    }
    if (tag === TAG.octets) {
      const bytes = this.take(this.length());
      return bytes && { kind: 'octets', bytes };
    }
    if (tag === TAG.array || tag === TAG.structure) return this.list(tag, depth);
    const size = SIZES[tag];
    if (size !== undefined) return this.fixed(tag, size);
    return this.rest(tag, depth);
  }

  private fixed(tag: number, size: number): Data | null {
    const at = this.at;
    if (at + size > this.bytes.length) return this.cut();
    this.at = at + size;
    const { view } = this;
    if (tag === TAG.uint32) return { kind: 'integer', value: view.getUint32(at) };
    if (tag === TAG.uint16) return { kind: 'integer', value: view.getUint16(at) };
    if (tag === TAG.int8) return { kind: 'integer', value: view.getInt8(at) };
    if (tag === TAG.enum) return { kind: 'enum', value: view.getUint8(at) };
    if (tag === TAG.int16) return { kind: 'integer', value: view.getInt16(at) };
    if (tag === TAG.int32) return { kind: 'integer', value: view.getInt32(at) };
    if (tag === TAG.uint8) return { kind: 'integer', value: view.getUint8(at) };
    if (tag === TAG.int64) return { kind: 'integer', value: safe(view.getBigInt64(at)) };
    if (tag === TAG.uint64) return { kind: 'integer', value: safe(view.getBigUint64(at)) };
    if (tag === TAG.boolean) return { kind: 'boolean', value: view.getUint8(at) !== 0 };
    if (tag === TAG.bcd) return this.bcd(view.getUint8(at));
    if (tag === TAG.float32) return { kind: 'float', value: view.getFloat32(at) };
    if (tag === TAG.float64) return { kind: 'float', value: view.getFloat64(at) };
    const bytes = this.bytes.subarray(at, at + size);
    if (tag === TAG.dateTime) return { kind: 'dateTime', bytes };
    return { kind: tag === TAG.date ? 'date' : 'time', bytes };
  }

  private rest(tag: number, depth: number): Data | null {
    if (tag === TAG.null) return NULL;
    if (tag === TAG.visible || tag === TAG.utf8) {
      const bytes = this.take(this.length());
      const coding = tag === TAG.utf8 ? 'utf8' : 'latin1';
      return bytes && { kind: 'text', text: Buffer.from(bytes).toString(coding) };
    }
    if (tag === TAG.bits) {
      const count = this.length();
      const bytes = this.take(count < 0 ? -1 : Math.ceil(count / 8));
      return bytes && { kind: 'bits', count, bytes };
    }
    if (tag === TAG.compact) return this.compact(depth);
    this.refuse('BAD_VALUE', `no COSEM type has the tag ${tag.toString(16).padStart(2, '0')}h`);
    return null;
  }

  private list(tag: number, depth: number): Data | null {
    const count = this.length();
    if (count < 0 || !this.mayHold(count, depth)) return null;
    const items: Data[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.next(depth + 1);
      if (!item) return null;
      items.push(item);
    }
    return { kind: tag === TAG.array ? 'array' : 'structure', items };
  }

  private mayHold(count: number, depth: number): boolean {
    if (depth >= this.depth)
      this.refuse('NESTED_TOO_DEEP', 'the data is nested deeper than the stated limit');
    // Every element takes a byte at least.
    else if (count > this.bytes.length - this.at) this.cut();
    else return true;
    return false;
  }

  /** Compact array: the type once, then the contents of all elements without tags. */
  private compact(depth: number): Data | null {
    const shape = this.shape(depth);
    if (!shape) return null;
    const size = this.length();
    const end = this.at + size;
    if (size < 0 || end > this.bytes.length) return this.cut();
    const items: Data[] = [];
    while (this.at < end) {
      const before = this.at;
      const item = this.shaped(shape, depth + 1);
      if (!item) return null;
      if (this.at === before) {
        this.refuse('BAD_VALUE', 'a compact array of elements without content');
        return null;
      }
      items.push(item);
    }
    if (this.at > end) return this.cut();
    return { kind: 'array', items };
  }

  private shape(depth: number): Shape | null {
    if (!this.mayHold(0, depth)) return null;
    const tag = this.bytes[this.at++];
    if (tag === undefined) return this.cut();
    if (tag === TAG.structure) {
      const count = this.length();
      if (count < 0 || !this.mayHold(count, depth)) return null;
      const items: Shape[] = [];
      for (let i = 0; i < count; i++) {
        const item = this.shape(depth + 1);
        if (!item) return null;
        items.push(item);
      }
      return { tag, items };
    }
    if (tag !== TAG.array) return { tag };
    const bytes = this.take(2);
    const of = bytes && this.shape(depth + 1);
    return of && { tag, count: ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0), of };
  }

  private shaped(shape: Shape, depth: number): Data | null {
    const shapes = 'items' in shape ? shape.items : null;
    const count = shapes?.length ?? ('count' in shape ? shape.count : -1);
    if (count < 0) return this.untagged(shape.tag, depth);
    const items: Data[] = [];
    for (let i = 0; i < count; i++) {
      const inner = shapes ? shapes[i] : 'of' in shape ? shape.of : undefined;
      const item = inner && this.left-- > 0 ? this.shaped(inner, depth + 1) : null;
      if (!item) return this.fault ? null : this.cut();
      items.push(item);
    }
    return { kind: shapes ? 'structure' : 'array', items };
  }

  private bcd(byte: number): Data | null {
    if ((byte & 0x0f) < 10 && byte >> 4 < 10)
      return { kind: 'integer', value: (byte >> 4) * 10 + (byte & 0x0f) };
    this.refuse('BAD_VALUE', 'a BCD digit above nine');
    return null;
  }

  private cut(): null {
    this.refuse('CUT_FRAME', 'a value is longer than the bytes that are there');
    return null;
  }

  private refuse(code: 'CUT_FRAME' | 'BAD_VALUE' | 'NESTED_TOO_DEEP' | 'OVERSIZED', message: string): -1 {
    this.fault ??= fault(code, message);
    return -1;
  }
}

/** Bytes of the types that always have the same number. */
const SIZES: readonly (number | undefined)[] = (() => {
  const sizes: (number | undefined)[] = new Array<number | undefined>(256).fill(undefined);
  const rows: readonly (readonly [number, number])[] = [
    [TAG.boolean, 1],
    [TAG.int32, 4],
    [TAG.uint32, 4],
    [TAG.bcd, 1],
    [TAG.int8, 1],
    [TAG.int16, 2],
    [TAG.uint8, 1],
    [TAG.uint16, 2],
    [TAG.int64, 8],
    [TAG.uint64, 8],
    [TAG.enum, 1],
    [TAG.float32, 4],
    [TAG.float64, 8],
    [TAG.dateTime, 12],
    [TAG.date, 5],
    [TAG.time, 4],
  ];
  for (const [tag, size] of rows) sizes[tag] = size;
  return sizes;
})();

function safe(value: bigint): Integer {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}
