/** Lines of one code with one value, `id(value*unit)` or `id(text)`, as nearly all are: read from the bytes in one pass. */
import { type Factor, toHouseUnit } from '../../domain/quantity.ts';
import type { Reading } from '../../domain/telegram.ts';
import { ascii } from '../bytes.ts';
import { EXACT_DIGITS, shifted } from '../decimal.ts';
import { Known } from '../known.ts';
import { stampTime } from './stamp.ts';

const CR = 0x0d;
const LF = 0x0a;
const OPEN = 0x28;
const CLOSE = 0x29;
const STAR = 0x2a;
const AMPERSAND = 0x26;
const POINT = 0x2e;
const ZERO = 0x30;
const ID_CHARS = 32;
const STAMP_CHARS = 13;

const codes = new Known(ascii);
const units = new Known((bytes, from, to): { readonly unit: string; readonly factor: Factor } => {
  const unit = ascii(bytes, from, to);
  return toHouseUnit(unit) ?? { unit, factor: { multiply: 1, exponent: 0 } };
});

/**
 * Goes through the lines of a block. `plain` takes those that say one thing in the usual form, in a third of the time
 * of `readLine` and `readingOf` and with the same outcome; whatever it does not take is for those two.
 */
export class PlainLines {
  /** The beginning of the next line. */
  at = 0;
  private readonly bytes: Uint8Array;
  /** The same as text, one byte a character: a piece of it costs less than text made of bytes. */
  private readonly text: string;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.text = ascii(bytes);
  }

  get ended(): boolean {
    return this.at >= this.bytes.length;
  }

  /** The next line as it stands, without its end: CR LF or, where a tty was in between, one of them. */
  line(): string {
    const { bytes, at } = this;
    let end = at;
    while (end < bytes.length && bytes[end] !== CR && bytes[end] !== LF) end++;
    this.at = this.behind(end);
    return this.text.slice(at, end);
  }

  /** The reading of the next line; null, and no step, where that needs a closer look. */
  plain(): Reading | null {
    const { bytes, at } = this;
    const open = this.run(at, ID);
    if (open === at || open - at > ID_CHARS || bytes[open] !== OPEN) return null;
    const end = this.run(open + 1, VALUE);
    const star = bytes[end] === STAR ? end : -1;
    const close = star < 0 ? end : this.run(star + 1, VALUE);
    if (bytes[close] !== CLOSE || !this.standsAlone(close + 1)) return null;
    const obis = codes.of(bytes, at, open);
    const reading = star < 0 ? this.word(obis, open + 1, close) : this.number(obis, open + 1, star, close);
    if (reading) this.at = this.behind(close + 1);
    return reading;
  }

  /** Behind the characters of a kind that stand here. */
  private run(from: number, kind: Uint8Array): number {
    const { bytes } = this;
    let i = from;
    while (i < bytes.length && kind[bytes[i] ?? 0] === 1) i++;
    return i;
  }

  /** Whether a line ends here and the next one is not a bracket that belongs to it. */
  private standsAlone(end: number): boolean {
    const next = this.behind(end);
    const first = this.bytes[next];
    return next > end ? first === undefined || isDigit(first) : first === undefined;
  }

  private behind(end: number): number {
    const { bytes } = this;
    if (bytes[end] === CR) return bytes[end + 1] === LF ? end + 2 : end + 1;
    return bytes[end] === LF ? end + 1 : end;
  }

  private word(obis: string, from: number, to: number): Reading | null {
    const text = this.text.slice(from, to);
    const time = to - from === STAMP_CHARS ? stampTime(text) : undefined;
    if (time === null) return null;
    return time === undefined ? { obis, text } : { obis, time };
  }

  /** Digits with at most one point within them, few enough to be exact, and a unit. */
  private number(obis: string, from: number, star: number, close: number): Reading | null {
    if (star === from || star - from > EXACT_DIGITS || close === star + 1) return null;
    const { bytes } = this;
    let integer = 0;
    let point = star - 1;
    for (let i = from; i < star; i++) {
      const byte = bytes[i] ?? 0;
      if (isDigit(byte)) integer = integer * 10 + byte - ZERO;
      else if (byte === POINT && point === star - 1 && i > from && i < star - 1) point = i;
      else return null;
    }
    const { unit, factor } = units.of(bytes, star + 1, close);
    const value = shifted(integer, factor.exponent - (star - 1 - point)) * factor.multiply;
    return { obis, value, unit };
  }
}

const isDigit = (byte: number): boolean => byte >= ZERO && byte <= ZERO + 9;

/** 1 for the visible characters of ASCII but these. */
const visibleBut = (...others: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, c) => (c > 0x20 && c < 0x7f && !others.includes(c) ? 1 : 0));
const ID = visibleBut(OPEN, CLOSE);
const VALUE = visibleBut(OPEN, CLOSE, STAR, AMPERSAND);
