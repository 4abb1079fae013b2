/** The type-length fields of SML 1.04, clause 6.3, bounded in depth and by the bytes that are there. */
import { LIMITS } from '../../domain/limits.ts';

/** Not one element: the message cannot be read any further. */
export type Malformed = 'cut' | 'deep' | 'type';

export type Node =
  | { readonly kind: 'absent' }
  | { readonly kind: 'end' }
  /** The bytes [from, to) of the message. A view of them would cost more than all the rest of the reading. */
  | { readonly kind: 'octets'; readonly from: number; readonly to: number }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | SmlInteger
  | { readonly kind: 'list'; readonly items: readonly Node[] };

export interface SmlInteger {
  readonly kind: 'integer';
  /** A bigint only where a number would not be exact. */
  readonly value: number | bigint;
  readonly bits: number;
  readonly signed: boolean;
}

const ABSENT: Node = { kind: 'absent' };
const END: Node = { kind: 'end' };

/** Reads elements one after the other. The first that cannot be read is kept in `malformed`. */
export class TlvReader {
  readonly bytes: Uint8Array;
  at = 0;
  malformed: Malformed | null = null;
  /** Of the head that was read last. */
  type = 0;
  length = 0;
  private size = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The next element; null when there is none that can be read. */
  next(depth = 0): Node | null {
    if (!this.head()) return null;
    const { type, length, size } = this;
    if (type === 7) return this.list(length, depth);
    if (type === 0 && length === 0 && size === 1) return END;
    if (type === 0 && length === 1 && size === 1) return ABSENT;
    const from = this.at;
    const to = from + length - size;
    if (to < from || to > this.bytes.length) return this.fail('cut');
    this.at = to;
    if (type === 0) return { kind: 'octets', from, to };
    if (type === 4 && to - from === 1) return { kind: 'boolean', value: this.bytes[from] !== 0 };
    if ((type !== 5 && type !== 6) || to === from || to - from > 8) return this.fail('type');
    return integer(this.bytes, from, to, type === 5);
  }

  /**
   * Reads `type` and `length`; the length of a list counts elements, of anything else its bytes with those of the
   * head, which are `size`. False when there is no head that can be read.
   */
  head(): boolean {
    const first = this.bytes[this.at];
    if (first === undefined) return this.fail('cut') !== null;
    this.type = (first >> 4) & 7;
    let length = first & 0x0f;
    let size = 1;
    for (let byte = first; byte & 0x80; size++) {
      const following = this.bytes[this.at + size];
      if (following === undefined) return this.fail('cut') !== null;
      // Bits 6 to 4 of the following bytes are reserved; three of them are more than a telegram may be long.
      if (following & 0x70 || size > 3) return this.fail('type') !== null;
      length = length * 16 + (following & 0x0f);
      byte = following;
    }
    this.length = length;
    this.size = size;
    this.at += size;
    return true;
  }

  private list(count: number, depth: number): Node | null {
    if (depth >= LIMITS.smlDepth) return this.fail('deep');
    if (count > this.bytes.length - this.at) return this.fail('cut');
    const items: Node[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.next(depth + 1);
      if (!item) return null;
      items.push(item);
    }
    return { kind: 'list', items };
  }

  private fail(reason: Malformed): null {
    this.malformed ??= reason;
    return null;
  }
}

/** Up to so many bytes a number is exact. */
const NUMBER_BYTES = 6;

/** Any length from one to eight bytes: meters send 24 and 40 bits as well. */
function integer(bytes: Uint8Array, from: number, to: number, signed: boolean): SmlInteger {
  const bits = (to - from) * 8;
  if (to - from > NUMBER_BYTES) return bigInteger(bytes, from, to, signed);
  let value = 0;
  for (let i = from; i < to; i++) value = value * 256 + (bytes[i] ?? 0);
  if (signed && ((bytes[from] ?? 0) & 0x80) !== 0) value -= 2 ** bits;
  return { kind: 'integer', value, bits, signed };
}

function bigInteger(bytes: Uint8Array, from: number, to: number, signed: boolean): SmlInteger {
  let value = 0n;
  for (let i = from; i < to; i++) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  const bits = (to - from) * 8;
  return { kind: 'integer', value: signed ? BigInt.asIntN(bits, value) : value, bits, signed };
}
