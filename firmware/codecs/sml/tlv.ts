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
  /** A bigint only where a number would not be exact. */
  | { readonly kind: 'integer'; readonly value: number | bigint; readonly signed: boolean }
  | { readonly kind: 'list'; readonly items: readonly Node[] };

const ABSENT: Node = { kind: 'absent' };
const END: Node = { kind: 'end' };
/** The first byte of an empty list. */
const LIST = 0x70;

/**
 * Bytes of each element that its first byte describes whole: all that a meter sends but lists, and texts of more
 * than 14 bytes. 0 for what needs a closer look.
 */
const SIMPLE = Uint8Array.from({ length: 256 }, (_, first) => {
  const [type, length] = [first >> 4, first & 0x0f];
  if (type === 0) return Math.max(length, 1);
  if (type === 4) return length === 2 ? 2 : 0;
  return (type === 5 || type === 6) && length >= 2 && length <= 9 ? length : 0;
});

/** Reads elements one after the other. The first that cannot be read is kept in `malformed`. */
export class TlvReader {
  readonly bytes: Uint8Array;
  at = 0;
  malformed: Malformed | null = null;
  /** Of the head that was read last. */
  type = 0;
  length = 0;
  /** Where the content of the element that was read last begins; it ends at `at`. */
  from = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** The next element; null when there is none that can be read. */
  next(depth = 0): Node | null {
    const head = this.at;
    if (!this.element()) return null;
    const { type, length, from, at, bytes } = this;
    if (type === 7) return this.list(length, depth);
    if (type === 5 || type === 6) return integerNode(bytes, from, at, type === 5);
    if (type === 4) return { kind: 'boolean', value: bytes[from] !== 0 };
    if (from === at && at === head + 1) return bytes[head] === 0 ? END : ABSENT;
    return { kind: 'octets', from, to: at };
  }

  /**
   * Steps over the next element, as strict as `next`, and makes nothing of it: what a meter sends is read where it
   * stands, which takes half the time of a tree of nodes. False when it cannot be read.
   */
  skip(depth = 0): boolean {
    const first = this.bytes[this.at] ?? LIST;
    const size = SIMPLE[first] ?? 0;
    if (size > 0 && this.at + size <= this.bytes.length) {
      this.type = first >> 4;
      this.from = this.at + 1;
      this.at += size;
      return true;
    }
    if (!this.element()) return false;
    if (this.type !== 7) return true;
    if (!this.mayHold(this.length, depth)) return false;
    for (let left = this.length; left > 0; left--) if (!this.skip(depth + 1)) return false;
    this.type = 7;
    return true;
  }

  /** Steps into a list of so many; behind the head of anything else. */
  isList(count: number): boolean {
    return this.head() && this.type === 7 && this.length === count;
  }

  /** Steps into a list of so many; where something else comes next, over that. */
  enters(count: number): boolean {
    const { at } = this;
    if (this.isList(count)) return true;
    this.at = at;
    this.skip();
    return false;
  }

  /** The next element as a number, exact up to 53 bits; null when it is none. */
  number(): number | null {
    const value = this.integer();
    return value === null ? null : Number(value);
  }

  /** The next element as an integer, null when it is none; `type` and `from` are its own. */
  integer(): number | bigint | null {
    if (!this.skip() || (this.type !== 5 && this.type !== 6)) return null;
    return integer(this.bytes, this.from, this.at, this.type === 5);
  }

  /** Whether the next element is an octet string that holds something; it ends at `at`. */
  octets(): boolean {
    return this.skip() && this.type === 0 && this.at > this.from;
  }

  /** Reads a head and, but for a list, steps over its content. */
  private element(): boolean {
    const head = this.at;
    if (!this.head()) return false;
    const { type, length, at: from } = this;
    this.from = from;
    if (type === 7 || (type === 0 && length <= 1 && from === head + 1)) return true;
    const to = head + length;
    if (to < from || to > this.bytes.length) return this.fail('cut') !== null;
    const size = to - from;
    const known = type === 0 || (type === 4 && size === 1);
    if (!known && ((type !== 5 && type !== 6) || size === 0 || size > 8)) return this.fail('type') !== null;
    this.at = to;
    return true;
  }

  /**
   * Reads `type` and `length`; the length of a list counts elements, of anything else its bytes with those of the
   * head. False when there is no head that can be read.
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
    this.at += size;
    return true;
  }

  private list(count: number, depth: number): Node | null {
    if (!this.mayHold(count, depth)) return null;
    const items: Node[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.next(depth + 1);
      if (!item) return null;
      items.push(item);
    }
    return { kind: 'list', items };
  }

  private mayHold(count: number, depth: number): boolean {
    if (depth >= LIMITS.smlDepth) return this.fail('deep') !== null;
    return count <= this.bytes.length - this.at || this.fail('cut') !== null;
  }

  private fail(reason: Malformed): null {
    this.malformed ??= reason;
    return null;
  }
}

/** Any length from one to eight bytes: meters send 24 and 40 bits as well. */
function integer(bytes: Uint8Array, from: number, to: number, signed: boolean): number | bigint {
  const negative = signed && ((bytes[from] ?? 0) & 0x80) !== 0;
  let value = negative ? -1 : 0;
  for (let i = from; i < to; i++) value = value * 256 + (bytes[i] ?? 0);
  return Number.isSafeInteger(value) ? value : bigInteger(bytes, from, to, signed);
}

function bigInteger(bytes: Uint8Array, from: number, to: number, signed: boolean): bigint {
  let value = 0n;
  for (let i = from; i < to; i++) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return signed ? BigInt.asIntN((to - from) * 8, value) : value;
}

const integerNode = (bytes: Uint8Array, from: number, to: number, signed: boolean): Node => ({
  kind: 'integer',
  value: integer(bytes, from, to, signed),
  signed,
});
