/**
 * The typed face of the native parser: application-layer bytes in, M-Bus data records out (EN 13757-3). The native
 * part fills one lent array with plain numbers; texts, times and hexadecimal are made here from the bytes.
 */
import { createRequire } from 'node:module';
import { HearthError } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';

/** What the value of a record is; the order is that of `mbus::Kind`. */
export const KINDS = [
  'nothing',
  'number',
  'date',
  'minute',
  'second',
  'clock',
  'text',
  'binary',
  'invalid',
] as const;
export type RecordKind = (typeof KINDS)[number];

export const FUNCTIONS = ['inst', 'max', 'min', 'error', 'mfct', 'more', 'actual', 'stored'] as const;
export type RecordFunction = (typeof FUNCTIONS)[number];

/** Why the walk over the records stopped; the order is that of `mbus::Stop`. */
export const STOPS = [
  'end',
  'cut-header',
  'cut-data',
  'too-many-dife',
  'too-many-vife',
  'text-too-long',
  'bad-length',
  'too-many-records',
  'oversized',
  'bad-fixed',
] as const;
export type Stop = (typeof STOPS)[number];

/** Bits of `modifiers`: combinable VIFE that change what a value means. */
export const MODIFIER = {
  backward: 1,
  forward: 2,
  compactProfile: 4,
  compactRegister: 8,
  inverseProfile: 16,
  manufacturer: 32,
  derived: 64,
  future: 128,
  dateOf: 256,
  average: 512,
  uncorrected: 1024,
  unsigned: 2048,
} as const;

/** One data record as the parser sees it. Offsets count from the start of the payload. */
export interface ParsedRecord {
  readonly function: RecordFunction;
  readonly storage: number;
  readonly tariff: number;
  readonly subunit: number;
  readonly quantity: string;
  /** Without prefix (Wh, m3, W, C, Pa, s, …), empty for bare numbers. */
  readonly unit: string;
  readonly kind: RecordKind;
  /** `invalid` beside a number: the number that stands for none (80…00h). */
  readonly quality: 'good' | 'doubtful' | 'invalid';
  /** Number in `unit` where `kind` is number, else 0. */
  readonly value: number;
  /** Text, or local time `YYYY-MM-DD[THH:MM[:SS]]`, or `HH:MM:SS`, by `kind`; else empty. */
  readonly text: string;
  readonly modifiers: number;
  /** 0 none, 1…3 L1…L3, 4 neutral, 5…7 between L1-L2, L2-L3, L3-L1, 8…11 quadrants Q1…Q4. */
  readonly phase: number;
  /** value = raw × 10^exponent for whole-number data. */
  readonly exponent: number;
  /** VIF, or FBh/FDh × 256 + code, without extension bits. */
  readonly vif: number;
  readonly start: number;
  readonly vibStart: number;
  readonly headerEnd: number;
  readonly dataStart: number;
  readonly dataLength: number;
  /** The text of a plain-text VIF. */
  readonly name: string;
}

export interface Parsed {
  readonly records: readonly ParsedRecord[];
  readonly stop: Stop;
  /** Where the record starts that could not be read. */
  readonly stoppedAt: number;
}

interface Native {
  /** Writes the records into `rows`; gives count, stop and where it stopped in one number. */
  parse(bytes: Uint8Array, fixed: boolean, rows: Int32Array): number;
  readonly quantities: readonly string[];
  readonly units: readonly string[];
}

/** The fields of `mbus::Record`, in units of 4 bytes. */
const FIELDS = 22;
const STORAGE_LOW = 2;
const STORAGE_HIGH = 3;
const FUNCTION = 4;
const KIND = 5;
const QUALITY = 6;
const QUANTITY = 7;
const UNIT = 8;
const PHASE = 9;
const TARIFF = 10;
const SUBUNIT = 11;
const MODIFIERS = 12;
const EXPONENT = 13;
const VIF = 14;
const START = 15;
const VIB_START = 16;
const HEADER_END = 17;
const DATA_START = 18;
const DATA_LENGTH = 19;
const NAME_START = 20;
const NAME_LENGTH = 21;

/** Lent to the native part for each call; whole numbers, and the same bytes as doubles for the values. */
const rows = new Int32Array(LIMITS.mbusRecords * FIELDS);
const values = new Float64Array(rows.buffer);
const QUALITIES = ['good', 'doubtful', 'invalid'] as const;
let native: Native | null = null;

/** Made by scripts/prebuild-mbus-parser.ts for this kind of machine, or compiled at install. */
const BINARIES = [`./prebuilds/linux-${process.arch}/mbus_parser.node`, './build/Release/mbus_parser.node'];

/** Loads the addon on first use, so that a house without M-Bus needs no compiler. */
function load(): Native {
  if (native) return native;
  const require = createRequire(import.meta.url);
  let reason: unknown;
  for (const binary of BINARIES) {
    try {
      native = require(binary) as Native;
      return native;
    } catch (error) {
      reason = error;
    }
  }
  throw new HearthError('UNSUPPORTED', 'the M-Bus parser is not built: run scripts/setup.sh', reason);
}

/**
 * Reads the records of a payload; `fixed` for the fixed data structure of wired meters (CI 73h). Never fails on what
 * the bytes are: the records before a mistake are there, and `stop` says what it was.
 * @throws HearthError UNSUPPORTED when the addon is not built.
 */
export function parse(bytes: Uint8Array, fixed = false): Parsed {
  const addon = load();
  const verdict = addon.parse(bytes, fixed, rows);
  const count = verdict & 511;
  const records: ParsedRecord[] = new Array(count);
  for (let i = 0; i < count; i++) records[i] = recordOf(addon, bytes, i * FIELDS);
  return { records, stop: STOPS[(verdict >> 9) & 15] ?? 'cut-header', stoppedAt: verdict >> 13 };
}

const at = (index: number): number => rows[index] ?? 0;

function recordOf({ quantities, units }: Native, bytes: Uint8Array, row: number): ParsedRecord {
  const kind = KINDS[at(row + KIND)] ?? 'invalid';
  const value = values[row >> 1] ?? 0;
  const dataStart = at(row + DATA_START);
  const dataLength = at(row + DATA_LENGTH);
  const nameLength = at(row + NAME_LENGTH);
  const high = at(row + STORAGE_HIGH);
  const text = textOf(kind, value, bytes, dataStart, dataLength);
  return {
    function: FUNCTIONS[at(row + FUNCTION)] ?? 'inst',
    storage: high === 0 ? at(row + STORAGE_LOW) >>> 0 : high * 2 ** 32 + (at(row + STORAGE_LOW) >>> 0),
    tariff: at(row + TARIFF),
    subunit: at(row + SUBUNIT),
    quantity: quantities[at(row + QUANTITY)] ?? 'unknown',
    unit: units[at(row + UNIT)] ?? '',
    kind: text === null ? 'binary' : kind,
    quality: QUALITIES[at(row + QUALITY)] ?? 'invalid',
    value: kind === 'number' ? value : 0,
    text: text ?? '',
    modifiers: at(row + MODIFIERS),
    phase: at(row + PHASE),
    exponent: at(row + EXPONENT),
    vif: at(row + VIF),
    start: at(row + START),
    vibStart: at(row + VIB_START),
    headerEnd: at(row + HEADER_END),
    dataStart,
    dataLength,
    name: nameLength > 0 ? (latin1(bytes, at(row + NAME_START), nameLength) ?? '') : '',
  };
}

function textOf(
  kind: RecordKind,
  value: number,
  bytes: Uint8Array,
  start: number,
  length: number,
): string | null {
  switch (kind) {
    case 'number':
    case 'binary':
    case 'invalid':
    case 'nothing':
      return '';
    case 'text':
      return latin1(bytes, start, length);
    default:
      return timeText(kind, value);
  }
}

/** ISO 8859-1, last character first, without the zeros that pad it; null when a control character is within. */
function latin1(bytes: Uint8Array, start: number, length: number): string | null {
  let from = start;
  let to = start + length;
  while (from < to && bytes[from] === 0) from++;
  while (to > from && bytes[to - 1] === 0) to--;
  let text = '';
  for (let i = to - 1; i >= from; i--) {
    const code = bytes[i] ?? 0;
    if (code < 0x20 || (code > 0x7e && code < 0xa0)) return null;
    text += String.fromCharCode(code);
  }
  return text;
}

const TWO_DIGITS = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'));
const two = (n: number): string => TWO_DIGITS[n] ?? String(n);

/** Undoes `mbus::packTime`. */
function timeText(kind: 'date' | 'minute' | 'second' | 'clock', packed: number): string {
  const second = packed % 64;
  const minute = Math.floor(packed / 64) % 64;
  const hour = Math.floor(packed / 4096) % 32;
  const days = Math.floor(packed / 131_072);
  const clock = `${two(hour)}:${two(minute)}`;
  if (kind === 'clock') return `${clock}:${two(second)}`;
  const date = `${Math.floor(days / 512)}-${two(Math.floor(days / 32) % 16)}-${two(days % 32)}`;
  if (kind === 'date') return date;
  return kind === 'minute' ? `${date}T${clock}` : `${date}T${clock}:${two(second)}`;
}
