/** Messages that come in pieces: HDLC and M-Bus segments, and general block transfer (IEC 62056-5-3, 9.3.13). */
import { type Fault, fault, ok, type Result, refuse } from '../../domain/errors.ts';
import { joined } from '../bytes.ts';
import { AxdrReader } from './axdr.ts';

/** Pieces in their order, joined up to a bound. */
export class Assembly {
  private readonly maxBytes: number;
  private held: Uint8Array | null = null;
  private next = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get pending(): boolean {
    return this.held !== null;
  }

  /** The whole once it is complete, null until then; refused when a piece is missing or comes twice. */
  add(piece: Uint8Array, number: number, last: boolean): Result<Uint8Array | null> {
    if (this.held === null ? number !== 0 : number !== this.next) {
      this.drop();
      return refuse('BAD_FRAME', `piece ${number} of a message is not the next one`);
    }
    const whole = this.held ? joined(this.held, piece) : piece;
    if (whole.length > this.maxBytes) {
      this.drop();
      return refuse('OVERSIZED', `a message longer than ${this.maxBytes} bytes`);
    }
    this.held = last ? null : whole;
    this.next = last ? 0 : number + 1;
    return ok(last ? whole : null);
  }

  /** How many pieces are there. */
  get count(): number {
    return this.next;
  }

  /** Gives up what is held and says so; null when nothing was. */
  drop(): Fault | null {
    const cut = this.held !== null;
    this.held = null;
    this.next = 0;
    return cut ? fault('CUT_FRAME', 'a message ends before its last piece') : null;
  }
}

export const GENERAL_BLOCK = 0xe0;
const LAST_BLOCK = 0x80;

export interface Block {
  /** From 1 on. */
  readonly number: number;
  readonly last: boolean;
  /** A part of the message, not a copy. */
  readonly data: Uint8Array;
}

/** `E0 | control | block number 2 | number acknowledged 2 | length | data`. */
export function readBlock(apdu: Uint8Array): Result<Block> {
  const reader = new AxdrReader(apdu, 6);
  const data = reader.take(reader.length());
  if (!data || reader.at < apdu.length)
    return refuse('CUT_FRAME', 'a block is not as long as its length says');
  return ok({
    number: ((apdu[2] ?? 0) << 8) | (apdu[3] ?? 0),
    last: ((apdu[1] ?? 0) & LAST_BLOCK) !== 0,
    data,
  });
}
