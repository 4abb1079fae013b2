/** The type-length fields of SML 1.04, clause 6.3, bounded in depth and by the bytes that are there. */
import { LIMITS } from '../../domain/limits.ts';

/** Not one element: the message cannot be read any further. */
export type Malformed = 'cut' | 'deep' | 'type';

export type Node =
  | { readonly kind: 'absent' }
  | { readonly kind: 'end' }
  | { readonly kind: 'octets'; readonly bytes: Uint8Array }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'integer'; readonly value: bigint; readonly bits: number; readonly signed: boolean }
  | { readonly kind: 'list'; readonly items: readonly Node[] };

/** Reads elements one after the other. The first that cannot be read is kept in `malformed`. */
export class TlvReader {
  readonly bytes: Uint8Array;
  at = 0;
  malformed: Malformed | null = null;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The next element; null when there is none that can be read. */
  next(depth = 0): Node | null {
    const head = this.head();
    if (!head) return null;
    const { type, length, size } = head;
    if (type === 7) return this.list(length, depth);
    if (type === 0 && length === 0 && size === 1) return { kind: 'end' };
    if (type === 0 && length === 1 && size === 1) return { kind: 'absent' };
    const from = this.at;
    const to = from + length - size;
    if (to < from || to > this.bytes.length) return this.fail('cut');
    const bytes = this.bytes.subarray(from, to);
    this.at = to;
    if (type === 0) return { kind: 'octets', bytes };
    if (type === 4 && bytes.length === 1) return { kind: 'boolean', value: bytes[0] !== 0 };
    if ((type !== 5 && type !== 6) || bytes.length < 1 || bytes.length > 8) return this.fail('type');
    return integer(bytes, type === 5);
  }

  /** Type and length; the length of a list counts elements, of anything else its bytes with those of the head. */
  head(): { readonly type: number; readonly length: number; readonly size: number } | null {
    const first = this.bytes[this.at];
    if (first === undefined) return this.fail('cut');
    const type = (first >> 4) & 7;
    let length = first & 0x0f;
    let size = 1;
    for (let byte = first; byte & 0x80; size++) {
      const following = this.bytes[this.at + size];
      if (following === undefined) return this.fail('cut');
      // Bits 6 to 4 of the following bytes are reserved; three of them are more than a telegram may be long.
      if (following & 0x70 || size > 3) return this.fail('type');
      length = length * 16 + (following & 0x0f);
      byte = following;
    }
    this.at += size;
    return { type, length, size };
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

/** Any length from one to eight bytes: meters send 24 and 40 bits as well. */
function integer(bytes: Uint8Array, signed: boolean): Node {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  const bits = bytes.length * 8;
  return { kind: 'integer', value: signed ? BigInt.asIntN(bits, value) : value, bits, signed };
}
