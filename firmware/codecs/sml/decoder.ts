/**
 * SML transport version 1 (BSI TR-03109-1, SML 1.04, clause 8): `1B1B1B1B 01010101` payload `1B1B1B1B 1A pp crc`.
 * Works byte by byte, so that the cut of the chunks does not matter. What a refused frame held is searched again
 * for a start sequence: a telegram behind a damaged one is never lost.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Decoded, Decoder } from '../../domain/telegram.ts';
import { crcOf, type SmlCrc } from './crc.ts';

export interface SmlFrame {
  /** The SML messages, without escapes and fill bytes. */
  readonly payload: Uint8Array;
  /** The checksum that this meter uses, in the transport and in its messages. */
  readonly crc: SmlCrc;
}

const ESC = 0x1b;
const END = 0x1a;
const START = Uint8Array.of(ESC, ESC, ESC, ESC, 1, 1, 1, 1);
const START_BYTES = START.length;
const ESCAPE_BYTES = 4;

/** Bytes that wait to be read; those of a refused frame come before the rest of the chunk. */
interface Source {
  readonly bytes: Uint8Array;
  at: number;
}

export class SmlDecoder implements Decoder<SmlFrame> {
  /** The frame as on the line, from the first 1Bh. */
  private readonly line = new Uint8Array(LIMITS.smlFile_bytes);
  private length = 0;
  /** Where in the line escapes end that stand for four 1Bh of the payload: rare, so that the payload is one slice. */
  private literals: number[] = [];
  private inFrame = false;
  /** 1Bh in a row at the end of the line, not yet part of an escape. */
  private escapes = 0;
  /** Bytes of the word after an escape sequence; -1 outside. */
  private word = -1;
  private skipped = 0;
  /** A meter that has shown X-25 is never taken for one with KERMIT: that would only weaken its check. */
  private x25Seen = false;

  push(chunk: Uint8Array): Iterable<Decoded<SmlFrame>> {
    return this.drain([{ bytes: chunk, at: 0 }]);
  }

  *end(): Iterable<Decoded<SmlFrame>> {
    while (this.inFrame) {
      const sources: Source[] = [];
      yield this.refuse(fault('CUT_FRAME', 'the telegram ends before its end sequence'), sources);
      yield* this.drain(sources);
    }
    const discarded = this.skipped + this.length;
    this.reset();
    this.skipped = 0;
    if (discarded > 0) yield { ok: false, error: fault('NO_TELEGRAM'), discarded };
  }

  private *drain(sources: Source[]): Iterable<Decoded<SmlFrame>> {
    for (let source = sources.at(-1); source; source = sources.at(-1)) {
      if (this.inFrame && this.word < 0) this.take(source);
      const byte = source.bytes[source.at++];
      if (byte === undefined) {
        sources.pop();
        continue;
      }
      const out = this.inFrame ? this.byte(byte, sources) : this.search(byte);
      if (out) yield out;
    }
  }

  /** Payload up to the next 1Bh, all at once; what needs a closer look is left. */
  private take(source: Source): void {
    const { bytes, at } = source;
    const end = Math.min(bytes.length, at + this.line.length - 1 - this.length);
    const found = bytes.indexOf(ESC, at);
    const to = found < 0 ? end : Math.min(found, end);
    if (to <= at) return;
    this.line.set(bytes.subarray(at, to), this.length);
    this.length += to - at;
    this.escapes = 0;
    source.at = to;
  }

  /** Outside a frame only what may be the beginning of a start sequence is held. */
  private search(byte: number): null {
    const ones = this.length - 4;
    if (byte === ESC) {
      if (ones > 0) this.forget();
      if (this.length === 4) this.skipped++;
      else this.line[this.length++] = byte;
    } else if (byte === 0x01 && ones >= 0) {
      this.line[this.length++] = byte;
      if (this.length === START_BYTES) this.begin();
    } else {
      this.forget();
      this.skipped++;
    }
    return null;
  }

  private byte(byte: number, sources: Source[]): Decoded<SmlFrame> | null {
    this.line[this.length++] = byte;
    const out = this.word >= 0 ? this.wordByte(sources) : this.payloadByte(byte);
    if (!out && this.inFrame && this.length === this.line.length)
      return this.refuse(fault('OVERSIZED', `a telegram longer than ${this.line.length} bytes`), sources);
    return out;
  }

  private payloadByte(byte: number): null {
    this.escapes = byte === ESC ? this.escapes + 1 : 0;
    if (this.escapes === ESCAPE_BYTES) this.word = 0;
    return null;
  }

  /** The word after four 1Bh says what they were. */
  private wordByte(sources: Source[]): Decoded<SmlFrame> | null {
    this.word++;
    if (this.word < 4) return null;
    const at = this.length - 4;
    if (this.line[at] === END) return this.finish(at, sources);
    const word = this.line.subarray(at, this.length);
    const leading = word.findIndex((b) => b !== ESC);
    if (leading < 0) {
      // Behind each of them a telegram may begin, which is read again when this one is refused.
      if (this.literals.length === LIMITS.smlEscapes)
        return this.refuse(fault('OVERSIZED', 'more escaped 1B1B1B1Bh than a telegram holds'), sources);
      this.literals.push(this.length);
      this.endWord();
      return null;
    }
    if (leading > 0) {
      // Five to seven 1Bh in a row: the first ones end the payload, the last four are the escape sequence.
      this.word = 4 - leading;
      return null;
    }
    if (word.every((b) => b === 0x01)) return this.restart();
    return this.refuse(fault('BAD_FRAME', 'an unknown escape sequence in the telegram'), sources);
  }

  private finish(at: number, sources: Source[]): Decoded<SmlFrame> {
    const fill = this.line[at + 1] ?? 0;
    const sent = ((this.line[at + 2] ?? 0) << 8) | (this.line[at + 3] ?? 0);
    const crc = crcOf(this.line, 0, at + 2, sent);
    if (crc === null || (crc === 'kermit' && this.x25Seen))
      return this.refuse(fault('BAD_CHECKSUM', 'the CRC16 of the telegram does not match'), sources);
    const end = at - ESCAPE_BYTES - fill;
    if (at % 4 !== 0 || fill > 3 || end < START_BYTES + ESCAPE_BYTES * this.literals.length)
      return this.refuse(fault('BAD_FRAME', 'the telegram is not filled up to whole words'), sources);
    for (let i = end; i < end + fill; i++)
      if (this.line[i] !== 0)
        return this.refuse(fault('BAD_FRAME', 'the fill bytes of the telegram are not 00'), sources);
    if (crc === 'x25') this.x25Seen = true;
    const payload = this.payload(end);
    this.reset();
    return { ok: true, frame: { payload, crc } };
  }

  /** What the line holds before `end`, each escape of four 1Bh once. */
  private payload(end: number): Uint8Array {
    if (this.literals.length === 0) return this.line.slice(START_BYTES, end);
    const payload = new Uint8Array(end - START_BYTES - ESCAPE_BYTES * this.literals.length);
    let [from, length] = [START_BYTES, 0];
    for (const to of [...this.literals, end + ESCAPE_BYTES]) {
      payload.set(this.line.subarray(from, to - ESCAPE_BYTES), length);
      length += to - ESCAPE_BYTES - from;
      from = to;
    }
    return payload;
  }

  /** A start sequence inside a frame: the old one was cut, the new one begins here. */
  private restart(): Decoded<SmlFrame> {
    const discarded = this.length - START_BYTES + this.skipped;
    this.skipped = 0;
    this.begin();
    return { ok: false, error: fault('CUT_FRAME', 'a new telegram began inside this one'), discarded };
  }

  /** Gives up the start sequence only; what follows it is read again. */
  private refuse(error: Fault, sources: Source[]): Decoded<SmlFrame> {
    // What was read to its end goes first: the pile never holds more than one frame above the chunk.
    for (let top = sources.at(-1); top && top.at >= top.bytes.length; top = sources.at(-1)) sources.pop();
    const again = this.line.slice(START_BYTES, this.length);
    const discarded = this.skipped + START_BYTES;
    this.reset();
    this.skipped = 0;
    sources.push({ bytes: again, at: 0 });
    return { ok: false, error, discarded };
  }

  private begin(): void {
    this.reset();
    this.line.set(START);
    this.length = START_BYTES;
    this.inFrame = true;
  }

  private endWord(): void {
    this.word = -1;
    this.escapes = 0;
  }

  private forget(): void {
    this.skipped += this.length;
    this.length = 0;
  }

  private reset(): void {
    this.length = 0;
    if (this.literals.length > 0) this.literals = [];
    this.inFrame = false;
    this.endWord();
  }
}
