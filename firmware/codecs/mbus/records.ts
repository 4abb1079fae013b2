/** From parsed records to what the house prints and keeps: data records, and readings with their names and dates. */
import { type Fault, fault } from '../../domain/errors.ts';
import type { DataRecord, Reading } from '../../domain/telegram.ts';
import { hexOf } from '../bytes.ts';
import {
  MODIFIER,
  type Parsed,
  type ParsedRecord,
  type RecordKind,
  type Stop,
} from '../mbus-parser/index.ts';
import { whyInvalid } from './invalid.ts';
import { obisOf } from './obis-code.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Written field by field: a spread costs more than all the rest. */
export function dataRecord(record: ParsedRecord, i: number, payload: Uint8Array): DataRecord {
  const { kind, unit, name, quality } = record;
  const data: Writable<DataRecord> = {
    i,
    function: record.function,
    storage: record.storage,
    tariff: record.tariff,
    subunit: record.subunit,
    quantity: name === '' || unit !== '' ? record.quantity : name,
  };
  if (kind === 'number' || kind === 'invalid') {
    data.value = kind === 'number' ? record.value : null;
    if (unit !== '') data.unit = unit;
    if (quality === 'invalid') data.reason = whyInvalid(record, payload);
  } else if (DATES.has(kind)) data.time = record.text;
  else if (kind === 'clock' || kind === 'text') data.text = record.text;
  else if (kind === 'binary')
    data.hex = hexOf(payload, record.dataStart, record.dataStart + record.dataLength);
  if (quality !== 'good') data.quality = quality;
  else if ((record.modifiers & MODIFIER.derived) !== 0) data.quality = 'doubtful';
  return data;
}

/** Kinds of data that say a day. */
export const DATES: ReadonlySet<RecordKind> = new Set(['date', 'minute', 'second'] as const);

const WHY: Readonly<Record<Stop, string>> = {
  end: '',
  'cut-header': 'the payload ends within the header of a record',
  'cut-data': 'the payload ends within the data of a record',
  'too-many-dife': 'a record has more than 10 DIFE',
  'too-many-vife': 'a record has more than 10 VIFE',
  'text-too-long': 'the text of a plain-text VIF runs past the end',
  'bad-length': 'a variable length (LVAR) is one of the reserved values',
  'too-many-records': 'the payload has more than 256 records',
  oversized: 'the payload is longer than 4096 bytes',
  'bad-fixed': 'the fixed data structure has 16 bytes',
};

/** Why the records end early; null when they do not. */
export function stopFault({ stop, stoppedAt }: Parsed): Fault | null {
  if (stop === 'end') return null;
  const code = stop === 'too-many-records' || stop === 'oversized' ? 'OVERSIZED' : 'BAD_VALUE';
  return fault(code, `${WHY[stop]}, at byte ${stoppedAt} of the payload`);
}

const UNPLAIN =
  MODIFIER.derived | MODIFIER.manufacturer | MODIFIER.future | MODIFIER.dateOf | MODIFIER.average;

/** Registers that go on counting: the present one is `total`, one that was kept `target` or `history`. */
export const COUNTERS: ReadonlySet<string> = new Set(['energy', 'volume', 'mass', 'heatCostAllocation']);
/** The storage number of the last due date (OMS volume 2, annex on storage numbers). */
const DUE_STORAGE = 1;

/** Gives way to the corrected register. */
const isUncorrected = ({ modifiers }: ParsedRecord): boolean => (modifiers & MODIFIER.uncorrected) !== 0;

/**
 * The readings among the records: plain present and stored values with an OBIS code, each code once. A stored value
 * carries the date that has the same storage number (EN 13757-3, 6.3.3).
 */
export function readingsOf(
  records: readonly ParsedRecord[],
  mediumCode: number,
  payload: Uint8Array,
): Reading[] {
  const chosen = new Map<string, ParsedRecord>();
  for (const record of records) {
    const measured = record.kind === 'number' || record.kind === 'invalid';
    if (record.function !== 'inst' || !measured || record.modifiers & UNPLAIN) continue;
    const obis = obisOf(record, mediumCode);
    if (obis === undefined) continue;
    const before = chosen.get(obis);
    if (!before || (isUncorrected(before) && !isUncorrected(record))) chosen.set(obis, record);
  }
  return Array.from(chosen, ([obis, record]) => readingOf(obis, record, records, payload));
}

function readingOf(
  obis: string,
  record: ParsedRecord,
  records: readonly ParsedRecord[],
  payload: Uint8Array,
): Reading {
  const { storage, kind, unit, quality } = record;
  const reading: Writable<Reading> = { obis };
  const name = nameOf(record);
  if (name !== null) reading.name = name;
  reading.quantity = record.quantity;
  reading.value = kind === 'number' ? record.value : null;
  if (unit !== '') reading.unit = unit;
  if (quality !== 'good') reading.quality = quality;
  if (quality === 'invalid') reading.reason = whyInvalid(record, payload);
  const time = storage === 0 ? undefined : dateOf(storage, records);
  if (time !== undefined) reading.time = time;
  return reading;
}

function nameOf({ quantity, storage, tariff, subunit, phase, modifiers }: ParsedRecord): string | null {
  if (tariff > 0 || subunit > 0 || phase > 3 || modifiers & MODIFIER.backward) return null;
  if (quantity === 'volumeFlow' && storage === 0) return 'flow';
  if (!COUNTERS.has(quantity)) return null;
  if (storage === 0) return 'total';
  return storage === DUE_STORAGE ? 'target' : 'history';
}

/** When the values of a storage number were kept. */
function dateOf(storage: number, records: readonly ParsedRecord[]): string | undefined {
  return records.find(
    (r) => r.storage === storage && r.function === 'inst' && DATES.has(r.kind) && !(r.modifiers & UNPLAIN),
  )?.text;
}

/** The meter's own time: the first plain date-time among the present values. */
export function timeOf(records: readonly ParsedRecord[]): string | undefined {
  const own = records.find(
    (r) =>
      r.function === 'inst' &&
      r.storage === 0 &&
      r.quantity === 'dateTime' &&
      r.quality === 'good' &&
      (r.kind === 'minute' || r.kind === 'second') &&
      (r.modifiers & UNPLAIN) === 0,
  );
  return own?.text;
}
