/**
 * What a codec yields: frames with their verdict, and the telegram read from a frame. One shape for every
 * meter protocol; `hearth decode` prints it, the meter adapters turn it into measurements.
 */
import type { Fault } from './errors.ts';

/** A frame or the reason why some bytes were not one. `discarded` counts the bytes given up. */
export type Decoded<F> =
  | { readonly ok: true; readonly frame: F }
  | { readonly ok: false; readonly error: Fault; readonly discarded: number };

/**
 * Bytes in, frames out. A decoder holds at most a stated number of bytes, finds the next good frame by itself,
 * and gives the same frames however the bytes are cut into chunks.
 */
export interface Decoder<F> {
  push(chunk: Uint8Array): Iterable<Decoded<F>>;
  /** The line fell silent or the input ended: what is held is either complete now or given up. */
  end(): Iterable<Decoded<F>>;
}

export interface MeterIdentity {
  /** As printed on the meter where known: 8 digits for M-Bus, server id (hex) for SML, equipment id for P1. */
  readonly id: string;
  /** Three-letter FLAG code. */
  readonly manufacturer?: string;
  readonly version?: number;
  readonly medium?: string;
}

/** One value of a data set. Exactly one of value, text, octets, time is the value; `value: null` is "invalid". */
export interface Value {
  readonly value?: number | null;
  /** The house unit of the quantity (Wh, W, V, …); absent for bare numbers. */
  readonly unit?: string;
  /** Exactly as transmitted. */
  readonly text?: string;
  /** Hexadecimal, lower case, where the bytes are not text. */
  readonly octets?: string;
  /** RFC 3339, with an offset only where the meter gave one. */
  readonly time?: string;
  readonly quality?: Quality;
  /** Why there is no value, for a person. */
  readonly reason?: string;
}

export interface Reading extends Value {
  /** `A-B:C.D.E*F` or the short form, as the meter sends it. Absent for named readings of a profile. */
  readonly obis?: string;
  /** Named by a product profile (`total`, `target`, `flow`). */
  readonly name?: string;
  readonly quantity?: string;
  /** A data set with several values has them all here, in order. */
  readonly values?: readonly Value[];
  /** The meter's raw status word, where it sends one with the value. */
  readonly status?: number;
}

/** One M-Bus data record (EN 13757-3). */
export interface DataRecord extends Value {
  readonly i: number;
  readonly function: string;
  readonly storage: number;
  readonly tariff: number;
  readonly subunit: number;
  readonly quantity?: string;
  /** Bytes that have no other reading, upper case hexadecimal in wire order. */
  readonly hex?: string;
}

export interface Telegram {
  readonly meter?: MeterIdentity;
  /** The meter's own time of the telegram, RFC 3339. */
  readonly time?: string;
  readonly readings: readonly Reading[];
  readonly records?: readonly DataRecord[];
}

/**
 * How far a value can be trusted. `estimated` is the most that it can be; `doubtful` may be of another sign, scale or
 * sender: it is shown and stored, and no limit stands on it.
 */
export type Quality = 'good' | 'doubtful' | 'invalid' | 'estimated' | 'missing';

/** What `hearth decode` reads: one telegram or a piece of line traffic, with what is needed to open it. */
export interface DecodeInput {
  readonly bytes: Uint8Array;
  /** AES key, 16 bytes. */
  readonly key?: Uint8Array;
  /** DLMS authentication key, 16 bytes. */
  readonly authKey?: Uint8Array;
  /** Earlier telegrams of the same meter. */
  readonly preceding?: readonly Uint8Array[];
}

/** All telegrams accepted, what was refused, and how many telegrams or bytes were given up. */
export interface DecodeOutput {
  readonly telegrams: readonly Telegram[];
  readonly faults: readonly Fault[];
  readonly discarded: number;
}

/** One kind of `hearth decode`: a whole input at once. */
export type DecodeKind = (input: DecodeInput) => DecodeOutput;
