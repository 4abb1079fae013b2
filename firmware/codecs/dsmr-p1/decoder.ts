/**
 * P1 telegrams out of a byte stream (DSMR 5.0.2, 6.2): `/XXX5ident … ! CRC`. Works line by line, so that the cut
 * of the chunks does not matter; a new header inside a telegram means that the old one was cut.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Decoded, Decoder } from '../../domain/telegram.ts';
import { ascii } from '../bytes.ts';
import { crc16Arc } from '../crc16.ts';
import {
  cipheredExtent,
  GENERAL_GLO,
  lacking,
  type Opened,
  openCiphered,
  readCiphered,
} from '../security/gcm.ts';

export interface P1Frame {
  /** From `/` to before `!`. */
  readonly bytes: Uint8Array;
  /** `valid`; `absent` for DSMR 2.2 and 3.0, which have none; `ciphered` when the GCM tag proves it instead. */
  readonly proof: 'valid' | 'absent' | 'ciphered';
  /** Who sent an encrypted telegram and its invocation counter, which must grow; null in clear. */
  readonly cipher: {
    readonly systemTitle: Uint8Array;
    readonly counter: number;
    /** False when no tag proved it, only the CRC inside. */
    readonly authenticated: boolean;
  } | null;
}

export interface P1Keys {
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
}

/** Fixed for the whole country: Luxmetering P1 specification 1.1.3. */
const LUXEMBOURG_AUTH_KEY = Uint8Array.from(Buffer.from('00112233445566778899aabbccddeeff', 'hex'));
/** Tag, title, the length of the content and the security control. */
const CIPHERED_HEAD_BYTES = 14;
const LF = 0x0a;
const MARK = 0x21;
const SLASH = 0x2f;
/** The header of a telegram ends its line and holds no brackets. */
const HEADER = /\/[A-Za-z]{3}[\x20-\x27\x2a-\x2e\x30-\x7e]{0,40}$/;

export class P1Decoder implements Decoder<P1Frame> {
  private readonly keys: P1Keys;
  private held = new Uint8Array(LIMITS.p1Telegram_bytes);
  private length = 0;
  private lineStart = 0;
  /** The line holds a `/` or a `!`. */
  private special = false;
  private mode: 'idle' | 'telegram' | 'ciphered' = 'idle';
  private skipped = 0;
  /** A CRC has matched: this meter sends them. */
  private checks = false;
  /** Bytes of the ciphered telegram that is being received, by its own account; 0 before that is known. */
  private stated = 0;
  private unread: Uint8Array | null = null;

  constructor(keys: P1Keys = {}) {
    this.keys = keys;
  }

  *push(chunk: Uint8Array): Iterable<Decoded<P1Frame>> {
    for (let at = 0; at < chunk.length; ) {
      at = this.takeLines(chunk, at);
      if (at === chunk.length) return;
      if (this.length === this.held.length)
        yield this.giveUp(fault('OVERSIZED', 'a telegram longer than 8 KiB'));
      const byte = chunk[at++] ?? 0;
      this.held[this.length++] = byte;
      const out = this.mode === 'ciphered' ? this.ciphered() : this.byte(byte);
      if (out) yield out;
      if (this.unread) yield* this.again();
    }
  }

  /** What a refused frame held behind its first byte: a telegram may begin there. */
  private *again(): Iterable<Decoded<P1Frame>> {
    const rest = this.unread;
    this.unread = null;
    if (rest) yield* this.push(rest);
  }

  /** The bytes of data lines, all at once; what needs a closer look is left. */
  private takeLines(chunk: Uint8Array, from: number): number {
    const { held } = this;
    let { length, lineStart, special } = this;
    const lastLine = length > lineStart && held[lineStart] === MARK;
    if (this.mode !== 'telegram' || lastLine) return from;
    const end = Math.min(chunk.length, from + held.length - length);
    let at = from;
    for (; at < end; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === LF) {
        if (special) break;
        lineStart = length + 1;
      } else if (byte === MARK || byte === SLASH) {
        if (byte === MARK && length === lineStart) break;
        special = true;
      }
      held[length++] = byte;
    }
    this.length = length;
    this.lineStart = lineStart;
    this.special = special;
    return at;
  }

  *end(): Iterable<Decoded<P1Frame>> {
    if (this.mode === 'telegram' && this.held[this.lineStart] === MARK && !this.lacksDigits()) {
      const out = this.line(this.length);
      if (out) yield out;
    }
    while (this.mode === 'ciphered') {
      const cut = this.refuse(fault('CUT_FRAME', 'the telegram ends before it is complete'));
      if (cut) yield cut;
      yield* this.again();
    }
    if (this.mode !== 'idle') yield this.giveUp(fault('CUT_FRAME', 'the telegram ends before its last line'));
    else if (this.length + this.skipped > 0) yield this.giveUp(fault('NO_TELEGRAM'));
  }

  /** The input ends with the `!` behind which a CRC belongs. */
  private lacksDigits(): boolean {
    if (this.length - this.lineStart > 1) return false;
    const text = ascii(this.held, 0, this.lineStart);
    return this.checks || crcDue(text) !== null || TIME.test(text);
  }

  private byte(byte: number): Decoded<P1Frame> | null {
    const position = this.length - this.lineStart;
    // No text holds it: a ciphered telegram may begin anywhere, also behind pieces of another one.
    if (this.mode === 'idle' && byte === GENERAL_GLO) {
      this.skipped += this.length - 1;
      this.held[0] = byte;
      this.length = 1;
      this.lineStart = 0;
      this.stated = 0;
      this.mode = 'ciphered';
      return null;
    }
    if (byte === LF) {
      const out = this.line(this.length);
      this.lineStart = this.length;
      if (this.mode === 'idle') this.forget();
      return out;
    }
    // `!` and four digits end a telegram at once: its line end may be late.
    if (this.mode === 'telegram' && position === 5 && this.held[this.lineStart] === MARK) {
      const digits = ascii(this.held, this.lineStart + 1, this.length);
      if (/^[0-9A-Fa-f]{4}$/.test(digits)) return this.telegram(this.lineStart, digits);
    }
    return null;
  }

  /** A whole line, ending before `end`. */
  private line(end: number): Decoded<P1Frame> | null {
    const { special } = this;
    this.special = false;
    // A data line holds neither the character that begins a telegram nor the one that ends it.
    if (this.mode === 'telegram' && !special && this.held[this.lineStart] !== MARK) return null;
    const text = ascii(this.held, this.lineStart, end).replace(/[\r\n]+$/, '');
    const header = HEADER.exec(text);
    if (this.mode === 'telegram' && header) return this.restart(this.lineStart + header.index);
    if (this.mode === 'idle') {
      if (!header) return null;
      this.mode = 'telegram';
      const from = this.lineStart + header.index;
      this.skipped += from;
      this.held.copyWithin(0, from, this.length);
      this.length -= from;
      return null;
    }
    const mark = text.lastIndexOf('!');
    if (mark < 0 || !/^![0-9A-Fa-f]{0,4}\s*$/.test(text.slice(mark))) return null;
    return this.telegram(this.lineStart + mark, text.slice(mark + 1).trim());
  }

  /** A header inside a telegram, also in the middle of a line: the old one was cut, the new one begins here. */
  private restart(from: number): Decoded<P1Frame> {
    this.held.copyWithin(0, from, this.length);
    this.length -= from;
    this.lineStart = 0;
    return { ok: false, error: fault('CUT_FRAME', 'a new telegram began inside this one'), discarded: from };
  }

  private telegram(mark: number, digits: string): Decoded<P1Frame> {
    const bytes = this.held.slice(0, mark);
    const length = this.length;
    const expected = crc16Arc(this.held, 0, mark + 1);
    this.reset();
    if (digits === '') {
      const due = this.checks ? 'from a meter that sent one before' : crcDue(ascii(bytes));
      if (due) return refused(fault('NO_CHECKSUM', `a telegram without CRC ${due}`), length);
      return { ok: true, frame: { bytes, proof: 'absent', cipher: null } };
    }
    if (Number.parseInt(digits, 16) !== expected)
      return refused(fault('BAD_CHECKSUM', 'the CRC16 of the telegram does not match'), length);
    this.checks = true;
    return { ok: true, frame: { bytes, proof: 'valid', cipher: null } };
  }

  private ciphered(): Decoded<P1Frame> | null {
    if (this.length < this.stated) return null;
    if (this.length === CIPHERED_HEAD_BYTES) this.stated = cipheredExtent(this.held)?.to ?? 0;
    const apdu = readCiphered(this.held.subarray(0, this.length), LIMITS.p1Telegram_bytes);
    if (apdu === null) return null;
    // Not a ciphered telegram after all: noise that began with DB.
    if (!apdu.ok) return this.refuse(null);
    const { key, authKey = LUXEMBOURG_AUTH_KEY } = this.keys;
    const { length } = this;
    if (!key) {
      this.reset();
      return refused(fault('KEY_MISSING', 'the telegram is encrypted and no key is configured'), length);
    }
    const lacks = lacking(apdu.value, this.keys.authKey !== undefined);
    if (lacks) return this.refuse(lacks);
    const opened = openCiphered(apdu.value, key, authKey);
    if (!opened.ok) return this.refuse(opened.error);
    const { systemTitle, invocationCounter: counter } = apdu.value;
    const decoded = inner(opened.value, { systemTitle, counter }, length);
    if (!decoded.ok) return this.refuse(decoded.error);
    this.reset();
    return decoded;
  }

  /** Gives up the first byte; what follows it is read again. Noise is refused without a word. */
  private refuse(reason: Fault | null): Decoded<P1Frame> | null {
    const skipped = this.skipped + 1;
    this.unread = this.held.slice(1, this.length);
    this.reset();
    if (reason) return refused(reason, skipped);
    this.skipped = skipped;
    return null;
  }

  private giveUp(reason: Fault): Decoded<P1Frame> {
    const discarded = this.length + this.skipped;
    this.reset();
    return { ok: false, error: reason, discarded };
  }

  private forget(): void {
    this.skipped += this.length;
    this.length = 0;
    this.lineStart = 0;
  }

  private reset(): void {
    this.mode = 'idle';
    this.special = false;
    this.length = 0;
    this.lineStart = 0;
    this.skipped = 0;
  }
}

/** A telegram before DSMR 4, which has no CRC, has no time of its own either. */
const TIME = /[\r\n]0-0:1\.0\.0\(/;

/** Why a CRC belongs to the telegram; null before DSMR 4. Belgium (e-MUCS) states its version under another code. */
function crcDue(text: string): string | null {
  const version = /1-3:0\.2\.8\((\d+)/.exec(text)?.[1];
  if (version && Number(version) >= 40) return `of version ${version}`;
  return /[\r\n]0-0:96\.1\.4\(/.test(text) ? 'of e-MUCS' : null;
}

const refused = (error: Fault, discarded: number): Decoded<P1Frame> => ({ ok: false, error, discarded });

/** The telegram inside. A verified tag proves it; otherwise its own CRC has to, or the key was wrong. */
function inner(
  { plain, authenticated }: Opened,
  cipher: { readonly systemTitle: Uint8Array; readonly counter: number },
  length: number,
): Decoded<P1Frame> {
  const mark = plain.lastIndexOf(0x21);
  if (plain[0] !== SLASH || mark < 0)
    return refused(fault('KEY_WRONG', 'what the key opens is no telegram'), length);
  const digits = ascii(plain, mark + 1).trim();
  const proven = authenticated || Number.parseInt(digits, 16) === crc16Arc(plain, 0, mark + 1);
  if (!proven)
    return refused(fault('BAD_CHECKSUM', 'the CRC16 of the decrypted telegram does not match'), length);
  return {
    ok: true,
    frame: { bytes: plain.subarray(0, mark), proof: 'ciphered', cipher: { ...cipher, authenticated } },
  };
}
