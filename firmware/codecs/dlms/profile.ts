/** Profile generic, class 7 (IEC 62056-6-2, 4.3.6): its columns and its rows. */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { formatObis } from '../../domain/obis.ts';
import type { Quality } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';
import type { ProfileRow, ProfileSection } from '../load-profile.ts';
import { unitOf } from '../unit-code.ts';
import type { Data } from './axdr.ts';
import { CLOCK_STATUS } from './date-time.ts';
import { cosemInstant } from './instant.ts';
import { type Scaling, scaled } from './readings.ts';

/** One of the capture objects. */
export interface Column {
  readonly classId: number;
  readonly obis: Uint8Array;
  readonly attribute: number;
}

const CLOCK_CLASS = 8;
const STATUS_CODE = /^0-\d+:96\.10\.\d+$/;

/** Capture objects, attribute 3: structures of class, logical name, attribute and data index. */
export function readColumns(data: Data): readonly Column[] | null {
  if (data.kind !== 'array' || data.items.length === 0) return null;
  const columns = data.items.map((item): Column | null => {
    const [classId, obis, attribute] = item.kind === 'structure' ? item.items : [];
    if (classId?.kind !== 'integer' || attribute?.kind !== 'integer') return null;
    if (obis?.kind !== 'octets' || obis.bytes.length !== 6) return null;
    return { classId: Number(classId.value), obis: obis.bytes.slice(), attribute: Number(attribute.value) };
  });
  return columns.every((c) => c !== null) ? columns : null;
}

/** Where a register class keeps its scaler and unit; null for classes that have none. */
export function scalerAttribute({ classId, attribute }: Omit<Column, 'obis'>): number | null {
  if (classId === 3 || classId === 4) return attribute === 2 ? 3 : null;
  return classId === 5 && (attribute === 2 || attribute === 3) ? 4 : null;
}

interface BufferView {
  readonly columns: readonly Column[];
  /** One for each column; null where there is none. */
  readonly scalings: readonly (Scaling | null)[];
  readonly periodMs: number;
  readonly timeZone: string;
  /** Rows that end at or before it are known. */
  readonly afterMs: WallMs;
}

/**
 * The rows that end after `afterMs`, oldest first, none twice. Null-data stands for "as in the row before", for a clock
 * "one period later" (IEC 62056-6-2, 4.3.6.2.2). A row whose time cannot be read has no place and is left out.
 */
export function readBuffer(data: Data, view: BufferView): Result<ProfileSection> {
  if (data.kind !== 'array') return refuse('BAD_VALUE', 'the buffer of a profile is no array');
  const { columns, periodMs, afterMs } = view;
  const clock = columns.findIndex((c) => c.classId === CLOCK_CLASS);
  if (clock < 0) return refuse('UNSUPPORTED', 'a profile without a clock among its columns');
  const codes = columns.map((c) => formatObis(c.obis));
  const units = view.scalings.map((s) => s && (unitOf(s.unit) ?? null));
  const rows = new Map<WallMs, ProfileRow>();
  let before: { readonly items: readonly Data[]; readonly endMs: WallMs } | null = null;
  for (const row of data.items) {
    const items = expanded(row, before?.items ?? null);
    if (items?.length !== columns.length) return refuse('BAD_VALUE', 'a row of a profile has another form');
    const { endMs, status } = timeOf(row, clock, view, before?.endMs ?? null);
    if (endMs === null) continue;
    before = { items, endMs };
    if (endMs <= afterMs) continue;
    const values = items.map((item, i) => digitsOf(item, view.scalings[i] ?? null, units[i] ?? null));
    rows.set(endMs, { endMs, quality: qualityOf(items, codes, status), values });
  }
  const channels = codes.map((code, i) => ({ code, unit: units[i]?.unit ?? '' }));
  const sorted = [...rows.values()].sort((a, b) => a.endMs - b.endMs);
  return ok({
    startMs: sorted[0]?.endMs ?? afterMs,
    season: null,
    status: 0,
    periodMs,
    channels,
    rows: sorted,
  });
}

/** The row with what it leaves out as it was in the row before. */
function expanded(row: Data, before: readonly Data[] | null): readonly Data[] | null {
  if (row.kind !== 'structure' && row.kind !== 'array') return null;
  return row.items.map((item, i) => (item.kind === 'null' ? (before?.[i] ?? item) : item));
}

function timeOf(
  row: Data,
  clock: number,
  { timeZone, periodMs, afterMs }: BufferView,
  beforeMs: WallMs | null,
): { readonly endMs: WallMs | null; readonly status: number } {
  const own = row.kind === 'structure' || row.kind === 'array' ? row.items[clock] : undefined;
  if (own?.kind === 'null') return { endMs: beforeMs === null ? null : beforeMs + periodMs, status: 0 };
  const instant = cosemInstant(own, timeZone, beforeMs ?? afterMs);
  return { endMs: instant?.atMs ?? null, status: instant?.status ?? 0 };
}

/** In the unit of the house; null for what is no number or has no scaling. */
function digitsOf(
  data: Data,
  scaling: Scaling | null,
  unit: ReturnType<typeof unitOf> | null,
): string | null {
  if (!scaling || !unit || (data.kind !== 'integer' && data.kind !== 'float')) return null;
  if (!Number.isFinite(Number(data.value))) return null;
  const { value } = scaled(data.value, scaling.scaler, unit);
  return value === null ? null : String(value);
}

/** Bits of the status that IDIS and DLMS companion standards keep beside the values (`0-0:96.10.1`). */
const STATUS = { critical: 0x01, clockInvalid: 0x02, invalid: 0x04, clockSet: 0x20, powerDown: 0x80 };

function qualityOf(items: readonly Data[], codes: readonly string[], clockStatus: number): Quality {
  const word = items[codes.findIndex((code) => STATUS_CODE.test(code))];
  const status = word?.kind === 'integer' ? Number(word.value) : 0;
  if (status & (STATUS.critical | STATUS.invalid)) return 'invalid';
  const doubts = status & (STATUS.clockInvalid | STATUS.clockSet | STATUS.powerDown);
  return doubts || clockStatus & CLOCK_STATUS.doubtful ? 'doubtful' : 'good';
}
