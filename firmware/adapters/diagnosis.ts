/**
 * What is wrong with a line on which bytes come and no telegram does: one sentence to act on instead of a flood of
 * refused frames. Judges what was heard, whatever the protocol; never gives out a value.
 */
import { ascii } from '../codecs/bytes.ts';
import { type Fault, fault } from '../domain/errors.ts';

/** So much of a line is enough to judge it. */
export const DIAGNOSED_BYTES = 4096;

const DATA_LINE = /(?:^|[\r\n])(?:\d-\d:)?[0-9CF]\.[0-9CF]+(?:\.\d+)?(?:[*&]\d+)?\(/;
const P1_HEADER = /\/[A-Za-z]{3}[0-9 A-F][\x20-\x7e]*\r?\n/;
const SML_START = '\x1b\x1b\x1b\x1b\x01\x01\x01\x01';
const SML_END = '\x1b\x1b\x1b\x1b\x1a';

/** `faults` are the decoder's refusals of these bytes. Null when nothing was heard. */
export function diagnose(bytes: Uint8Array, faults: readonly Fault[]): Fault | null {
  if (bytes.length === 0) return null;
  return (
    fromContent(faults) ??
    inverted(bytes) ??
    parity(bytes) ??
    checksum(faults) ??
    half(bytes) ??
    echo(bytes) ??
    noise(bytes)
  );
}

const KEYS: readonly Fault['code'][] = [
  'KEY_MISSING',
  'KEY_WRONG',
  'BAD_AUTHENTICATION',
  'REPLAYED',
  'NOT_ENCRYPTED',
];

/** Whole telegrams come; what is inside is refused. */
const fromContent = (faults: readonly Fault[]): Fault | null =>
  faults.find(({ code }) => KEYS.includes(code)) ?? null;

/**
 * The data line of a P1 port is an open collector and inverted (DSMR 5.0.2, 5.7.2). A receiver without inverter locks
 * onto the stop bits: it hears a set bit and the seven inverted bits of each character.
 */
function inverted(bytes: Uint8Array): Fault | null {
  const text = ascii(Uint8Array.from(bytes, (b) => ~(b >> 1) & 0x7f));
  if (!DATA_LINE.test(text)) return null;
  return fault(
    'LINE_INVERTED',
    'the data line is inverted: a P1 port needs a cable with an inverter, or a pull-up and the inverting input of the board',
  );
}

/** Seven bits with even parity, heard as eight bits. */
function parity(bytes: Uint8Array): Fault | null {
  const odd = bytes.reduce((n, b) => n + (ones(b) & 1), 0);
  const high = bytes.reduce((n, b) => n + (b >> 7), 0);
  if (odd * 50 > bytes.length || high * 8 < bytes.length) return null;
  if (!DATA_LINE.test(ascii(Uint8Array.from(bytes, (b) => b & 0x7f)))) return null;
  return fault(
    'BAD_PARITY',
    'the meter sends seven bits with even parity: set dataBits to 7 and parity to "even"',
  );
}

function ones(byte: number): number {
  let n = 0;
  for (let b = byte; b !== 0; b &= b - 1) n++;
  return n;
}

function checksum(faults: readonly Fault[]): Fault | null {
  const bad = faults.filter(({ code }) => code === 'BAD_CHECKSUM' || code === 'BAD_PARITY').length;
  if (bad === 0) return null;
  return fault(
    'BAD_CHECKSUM',
    `telegrams come and ${bad} of them failed their checksum: the head has moved, the cable is too long or damaged, or another program reads from the same port`,
  );
}

/** It begins like a telegram and never ends like one, or the other way round. */
function half(bytes: Uint8Array): Fault | null {
  const text = ascii(bytes);
  const begins = P1_HEADER.test(text) || text.includes(SML_START);
  const ends = /[\r\n]!/.test(text) || text.includes(SML_END);
  if (begins === ends && !DATA_LINE.test(text)) return null;
  if (begins && ends) return null;
  const what = begins
    ? 'the beginning of a telegram comes and never its end'
    : 'only pieces of telegrams come';
  return fault(
    'CUT_FRAME',
    `${what}: bytes are lost on the way; try another cable, adapter or port, without a hub`,
  );
}

function echo(bytes: Uint8Array): Fault | null {
  if (!/^(?:\/\?[^!]*!\r?\n)+$/.test(ascii(Uint8Array.from(bytes, (b) => b & 0x7f)))) return null;
  return fault(
    'TIMEOUT',
    'only what we send comes back: the optical head does not sit on the meter’s window',
  );
}

/** Bytes without any sense: mostly another speed. */
function noise(bytes: Uint8Array): Fault {
  const common = new Set(bytes).size;
  if (bytes.length < 8 || common <= 3)
    return fault('BAD_FRAME', 'a few stray bytes come: an open line, or daylight on the optical head');
  return fault('WRONG_SPEED', 'bytes come and make no sense: the line has another speed, or it is no meter');
}
