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
  readonly quality: 'good' | 'doubtful' | 'invalid';
  /** Number in `unit` where `kind` is number, else 0. */
  readonly value: number;
  /** Text, or local time `YYYY-MM-DD[THH:MM[:SS]]`, or `HH:MM:SS`, by `kind`; else empty. */
  readonly text: string;
  readonly modifiers: number;
  /** 0 none, 1…3 L1…L3, 4 neutral, 5…7 between L1-L2, L2-L3, L3-L1. */
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
  parse(bytes: Uint8Array, fixed: boolean, rows: Float64Array, verdict: Int32Array): void;
  readonly quantities: readonly string[];
  readonly units: readonly string[];
}

const STRIDE = 20;
const rows = new Float64Array(LIMITS.mbusRecords * STRIDE);
const verdict = new Int32Array(3);
let native: Native | null = null;

/** Loads the addon on first use, so that a house without M-Bus needs no compiler. */
function load(): Native {
  if (native) return native;
  try {
    native = createRequire(import.meta.url)('./build/Release/mbus_parser.node') as Native;
  } catch (error) {
    throw new HearthError('UNSUPPORTED', 'the M-Bus parser is not built: run scripts/setup.sh', error);
  }
  return native;
}

/**
 * Reads the records of a payload; `fixed` for the fixed data structure of wired meters (CI 73h). Never fails on what
 * the bytes are: the records before a mistake are there, and `stop` says what it was.
 * @throws HearthError UNSUPPORTED when the addon is not built.
 */
export function parse(bytes: Uint8Array, fixed = false): Parsed {
  const addon = load();
  addon.parse(bytes, fixed, rows, verdict);
  const [count = 0, stop = 0, stoppedAt = 0] = verdict;
  const records: ParsedRecord[] = new Array(count);
  for (let i = 0; i < count; i++) records[i] = recordOf(addon, bytes, i * STRIDE);
  return { records, stop: STOPS[stop] ?? 'cut-header', stoppedAt };
}

function recordOf({ quantities, units }: Native, bytes: Uint8Array, at: number): ParsedRecord {
  const get = (field: number): number => rows[at + field] ?? 0;
  const kind = KINDS[get(6)] ?? 'invalid';
  const dataStart = get(16);
  const dataLength = get(17);
  const text = kind === 'text' ? latin1(bytes, dataStart, dataLength) : timeText(kind, get(8));
  const readable = kind !== 'text' || text !== null;
  return {
    function: FUNCTIONS[get(0)] ?? 'inst',
    storage: get(1),
    tariff: get(2),
    subunit: get(3),
    quantity: quantities[get(4)] ?? 'unknown',
    unit: units[get(5)] ?? '',
    kind: readable ? kind : 'binary',
    quality: get(7) === 0 ? 'good' : get(7) === 1 ? 'doubtful' : 'invalid',
    value: kind === 'number' ? get(8) : 0,
    text: text ?? '',
    modifiers: get(9),
    phase: get(10),
    exponent: get(11),
    vif: get(12),
    start: get(13),
    vibStart: get(14),
    headerEnd: get(15),
    dataStart,
    dataLength,
    name: get(19) > 0 ? (latin1(bytes, get(18), get(19)) ?? '') : '',
  };
}

/** ISO 8859-1, last character first, without the zeros that pad it; null when a control character is within. */
function latin1(bytes: Uint8Array, start: number, length: number): string | null {
  let text = '';
  for (let i = start + length - 1; i >= start; i--) text += String.fromCharCode(bytes[i] ?? 0);
  let from = 0;
  let to = text.length;
  while (from < to && text.charCodeAt(from) === 0) from++;
  while (to > from && text.charCodeAt(to - 1) === 0) to--;
  const bare = text.slice(from, to);
  for (let i = 0; i < bare.length; i++) {
    const code = bare.charCodeAt(i);
    if (code < 0x20 || (code > 0x7e && code < 0xa0)) return null;
  }
  return bare;
}

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** Undoes `mbus::packTime`. */
function timeText(kind: RecordKind, packed: number): string {
  if (kind !== 'date' && kind !== 'minute' && kind !== 'second' && kind !== 'clock') return '';
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
