/**
 * Readouts of IEC 62056-21 out of a byte stream: identification, `STX data ! CR LF ETX BCC`, or, in mode D and
 * where a tool has stripped the control characters, plain lines up to `!`.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Decoded, Decoder } from '../../domain/telegram.ts';
import { ascii } from '../bytes.ts';

export interface ReadoutFrame {
  /** `/XXXZident` without its line end; null where the capture began later. */
  readonly identification: string | null;
  /** The data lines, control characters removed. */
  readonly text: string;
  readonly bcc: 'valid' | 'absent';
}

export interface ReadoutOptions {
  /** `even`: the line was opened as 8N1 and bit 7 is the parity bit: check and strip it. */
  readonly parity: 'none' | 'even';
  /** True in a dialogue, whose readouts always have one: what comes without is damaged. */
  readonly bccRequired?: boolean;
}

const STX = 0x02;
const ETX = 0x03;
const IDENT_CHARS = 16;

const LF = 0x0a;
const CR = 0x0d;
const MARK = 0x21;
const BRACKET = 0x28;
const SLASH = 0x2f;
const FIRST_BYTES = 2048;

export class ReadoutDecoder implements Decoder<ReadoutFrame> {
  private readonly options: ReadoutOptions;
  private held = new Uint8Array(FIRST_BYTES);
  private length = 0;
  /** Index behind STX, −1 before it. */
  private block = -1;
  private etx = false;
  private badParity = false;
  /** Of the line that is being received, before STX. */
  private lineStart = 0;
  private hasMark = false;
  /** Something that may be data was received. */
  private hasBracket = false;

  constructor(options: ReadoutOptions = { parity: 'none' }) {
    this.options = options;
  }

  *push(chunk: Uint8Array): Iterable<Decoded<ReadoutFrame>> {
    for (let at = 0; at < chunk.length; ) {
      at = this.takeBlock(chunk, at);
      if (at === chunk.length) return;
      if (this.length >= LIMITS.iecReadout_bytes)
        yield this.refused(fault('OVERSIZED', 'a readout longer than 64 KiB'));
      const out = this.byte(this.strip(chunk[at++] ?? 0));
      if (out) yield out;
    }
  }

  *end(): Iterable<Decoded<ReadoutFrame>> {
    if (this.length === 0) return;
    yield this.unterminated();
  }

  /** A block up to its ETX, all at once; what needs a closer look is left. */
  private takeBlock(chunk: Uint8Array, from: number): number {
    if (this.block < 0 || this.etx || this.options.parity !== 'none') return from;
    this.reserve(Math.min(this.length + chunk.length - from, LIMITS.iecReadout_bytes));
    const { held } = this;
    let { length } = this;
    const end = Math.min(chunk.length, from + held.length - length, from + LIMITS.iecReadout_bytes - length);
    let at = from;
    for (; at < end; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === ETX || byte === LF || byte === STX) break;
      held[length++] = byte;
    }
    this.length = length;
    return at;
  }

  private reserve(bytes: number): void {
    if (bytes <= this.held.length) return;
    const grown = new Uint8Array(Math.max(bytes, 2 * this.held.length));
    grown.set(this.held.subarray(0, this.length));
    this.held = grown;
  }

  private strip(byte: number): number {
    if (this.options.parity === 'none') return byte;
    let ones = byte;
    ones ^= ones >> 4;
    ones ^= ones >> 2;
    ones ^= ones >> 1;
    if ((ones & 1) !== 0) this.badParity = true;
    return byte & 0x7f;
  }

  private byte(byte: number): Decoded<ReadoutFrame> | null {
    this.reserve(this.length + 1);
    this.held[this.length++] = byte;
    if (this.etx) return this.complete(byte);
    if (this.block >= 0) return this.blockByte(byte);
    if (byte === STX) this.block = this.length;
    else if (byte === LF) return this.lineEnd();
    else if (byte === MARK) this.hasMark = true;
    else if (byte === BRACKET) this.hasBracket = true;
    return null;
  }

  /** A block holds no second STX, and an identification only at its begin (Landis+Gyr E230): else a new one began. */
  private blockByte(byte: number): Decoded<ReadoutFrame> | null {
    if (byte === ETX) this.etx = true;
    else if (byte === STX) return this.restart(this.length - 1);
    else if (byte === LF) {
      const { lineStart } = this;
      this.lineStart = this.length;
      const begin = this.identificationFrom(lineStart);
      if (begin >= 0 && begin !== this.block) return this.restart(begin);
    }
    return null;
  }

  /** Where an identification stands in the line that ends here, also behind a piece of data; −1 where none does. */
  private identificationFrom(lineStart: number): number {
    const slash = this.held.subarray(lineStart, this.length).lastIndexOf(SLASH);
    if (slash < 0) return -1;
    const line = this.text(lineStart + slash).trimEnd();
    return identificationOf(line) && !/[()]/.test(line) ? lineStart + slash : -1;
  }

  /** What was held before `from` was cut; what comes from there is kept. */
  private restart(from: number): Decoded<ReadoutFrame> {
    const kept = this.held.slice(from, this.length);
    const refused = this.refused(fault('CUT_FRAME', 'a new readout began inside this one'), from);
    this.held.set(kept);
    this.length = kept.length;
    this.lineStart = kept.length;
    if (kept[0] === STX) this.block = 1;
    return refused;
  }

  /** Before STX: a mode D telegram ends with its `!` line; a second identification starts anew. */
  private lineEnd(): Decoded<ReadoutFrame> | null {
    const { hasMark, lineStart } = this;
    this.lineStart = this.length;
    this.hasMark = false;
    // Without data there is nothing to end.
    if (!hasMark || !this.hasBracket) return null;
    let to = this.length - 1;
    while (to > lineStart && this.held[to - 1] === CR) to--;
    const line = this.text(Math.max(lineStart, this.held.lastIndexOf(CR, to - 1) + 1), to);
    // `!` of a request (`/?!`) was an echo.
    return /!\s*$/.test(line) && !line.includes('?') ? this.plainLines() : null;
  }

  /** `byte` is the BCC: XOR over everything behind STX up to and with ETX (6.1.3). Any value is possible. */
  private complete(byte: number): Decoded<ReadoutFrame> {
    const { held } = this;
    const last = this.length - 1;
    let bcc = 0;
    let all = 0;
    for (let i = this.block; i < last; i++) {
      bcc ^= held[i] ?? 0;
      all |= held[i] ?? 0;
    }
    const identification = identificationIn(this.text(0, this.block - 1));
    // The BCC covers seven bits: an eighth in the block is a damaged byte that it cannot see.
    if (this.badParity || all > 0x7f) return this.refused(fault('BAD_PARITY'));
    if ((bcc & 0x7f) !== (byte & 0x7f))
      return this.refused(fault('BAD_CHECKSUM', 'the block check character (BCC) does not match'));
    if (identification === undefined)
      return this.refused(fault('BAD_FRAME', 'the identification is longer than 16 characters'));
    const text = this.text(this.block, last - 1);
    this.reset();
    return { ok: true, frame: { identification, text, bcc: 'valid' } };
  }

  /** The input ended. A block without ETX is whole only if it came to its `!`, or to a lone BCC. */
  private unterminated(): Decoded<ReadoutFrame> {
    if (this.options.bccRequired || this.etx)
      return this.refused(fault('CUT_FRAME', 'the block check character is missing'));
    if (this.block < 0) return this.plainLines();
    const text = this.text(this.block);
    const tail = text.slice(text.lastIndexOf('\n') + 1);
    if (!/!\s*$/.test(text) && tail.length !== 1)
      return this.refused(fault('CUT_FRAME', 'the readout ends before ETX and BCC'));
    const identification = identificationIn(this.text(0, this.block - 1));
    if (!identification || this.badParity) return this.refused(fault('BAD_FRAME'));
    const lines = tail.length === 1 && tail !== '!' ? text.slice(0, -1) : text;
    this.reset();
    return { ok: true, frame: { identification, text: lines, bcc: 'absent' } };
  }

  private plainLines(): Decoded<ReadoutFrame> {
    if (this.options.bccRequired)
      return this.refused(fault('NO_CHECKSUM', 'a readout without block check character'));
    const text = this.text(0);
    const mark = endMark(text);
    if (mark < 0)
      return this.refused(
        fault(text.includes('(') ? 'CUT_FRAME' : 'NO_TELEGRAM', 'no end of a readout in the input'),
      );
    const lines = text.slice(0, mark).split(/[\r\n]+/);
    const start = lines.findIndex((line) => identificationOf(line) !== null);
    const identification = start < 0 ? null : identificationIn(lines[start] ?? '');
    if (identification === undefined || this.badParity)
      return this.refused(fault('BAD_FRAME', 'the identification is malformed'));
    const body = lines.slice(start + 1);
    // Joined in the middle of a line: its rest is noise. Readable text that is no data line is a damaged head.
    if (start < 0 && isNoise(body[0] ?? '')) body.shift();
    this.reset();
    return { ok: true, frame: { identification, text: body.join('\n'), bcc: 'absent' } };
  }

  private text(from: number, to = this.length): string {
    return ascii(this.held, from, to);
  }

  private refused(error: Fault, discarded = this.length): Decoded<ReadoutFrame> {
    this.reset();
    return { ok: false, error, discarded };
  }

  private reset(): void {
    this.length = 0;
    this.lineStart = 0;
    this.hasMark = false;
    this.hasBracket = false;
    this.block = -1;
    this.etx = false;
    this.badParity = false;
  }
}

/** Null when there is none, undefined when it breaks the standard's 16 characters. */
function identificationIn(text: string): string | null | undefined {
  for (const line of text.split(/[\r\n]+/).reverse()) {
    const identification = identificationOf(line.trimEnd());
    if (identification === null) continue;
    const ident = identification.slice(HEAD_CHARS).replace(ESCAPES, '');
    return ident.length > IDENT_CHARS ? undefined : identification;
  }
  return null;
}

/** `/`, three letters and the character of the speed. */
const HEAD = /\/[A-Za-z]{3}[\x20-\x7e]/;
const HEAD_CHARS = 5;
const ESCAPES = /^(?:\\[\x20-\x7e])*/;

/**
 * `/XXXZ[\W]ident` at the end of a line, also behind noise; null where none is. The printable end is found by hand: one
 * expression for all of it tries each `/` anew, which takes seconds in 64 KiB of noise.
 */
function identificationOf(line: string): string | null {
  let from = line.length;
  while (from > 0 && isPrintable(line.charCodeAt(from - 1))) from--;
  const printable = line.slice(from);
  const begin = printable.search(HEAD);
  return begin < 0 ? null : printable.slice(begin);
}

const isPrintable = (code: number): boolean => code >= 0x20 && code <= 0x7e;

/** The `!` that ends the data: behind a line end, or behind the last bracket of a line (Kamstrup MC66). */
function endMark(text: string): number {
  const m = /(^|[\r\n)])[ \t]*!/.exec(text);
  return m ? m.index + m[0].length - 1 : -1;
}

const isNoise = (line: string): boolean => /[^\x20-\x7e]/.test(line);
