/** From parsed records to what the house prints and keeps: data records, and readings with OBIS (EN 13757-1). */
import { type Fault, fault } from '../../domain/errors.ts';
import type { DataRecord, Reading } from '../../domain/telegram.ts';
import { hexOf } from '../bytes.ts';
import { MODIFIER, type Parsed, type ParsedRecord, type Stop } from '../mbus-parser/index.ts';

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
  } else if (kind === 'date' || kind === 'minute' || kind === 'second') data.time = record.text;
  else if (kind === 'clock' || kind === 'text') data.text = record.text;
  else if (kind === 'binary')
    data.hex = hexOf(payload, record.dataStart, record.dataStart + record.dataLength);
  if (quality !== 'good') data.quality = quality;
  else if ((record.modifiers & MODIFIER.derived) !== 0) data.quality = 'doubtful';
  return data;
}

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

/** OBIS group A by medium (EN 13757-1, table of group A). */
function group(mediumCode: number): number {
  switch (mediumCode) {
    case 0x02:
      return 1;
    case 0x08:
      return 4;
    case 0x0a:
    case 0x0b:
      return 5;
    case 0x04:
    case 0x0c:
    case 0x0d:
      return 6;
    case 0x03:
      return 7;
    case 0x07:
    case 0x16:
      return 8;
    case 0x06:
    case 0x15:
      return 9;
    default:
      return 0;
  }
}

const ELECTRIC: Readonly<Record<string, readonly [forward: number, backward: number, d: number]>> = {
  energy: [1, 2, 8],
  reactiveEnergy: [3, 4, 8],
  apparentEnergy: [9, 10, 8],
  power: [1, 2, 7],
  reactivePower: [3, 4, 7],
  apparentPower: [9, 10, 7],
  current: [11, 11, 7],
  voltage: [12, 12, 7],
  frequency: [14, 14, 7],
};
const HEAT: Readonly<Record<string, number>> = {
  energy: 1,
  volume: 2,
  mass: 3,
  power: 8,
  volumeFlow: 9,
  flowTemperature: 10,
  returnTemperature: 11,
  temperatureDifference: 12,
};

const WATER: Readonly<Record<string, number>> = { volume: 1, volumeFlow: 2 };

/** `A-B:C.D.E*F` of a record; undefined where EN 13757-1 has none that is certain. */
function obisOf(record: ParsedRecord, mediumCode: number): string | undefined {
  const a = group(mediumCode);
  const { quantity, tariff, subunit, storage } = record;
  const f = storage === 0 ? '' : `*${storage}`;
  if (a === 1) {
    const row = ELECTRIC[quantity];
    if (!row || record.phase > 3) return undefined;
    const c = row[record.modifiers & MODIFIER.backward ? 1 : 0] + record.phase * 20;
    return `1-${subunit}:${c}.${row[2]}.${row[2] === 8 ? tariff : 0}${f}`;
  }
  const c = codeOf(a, quantity);
  return c === undefined ? undefined : `${a}-${subunit}:${c}.${tariff}.0${f}`;
}

/** Group A where a maker's own medium code says nothing: what such meters count is water, heat or radiator units. */
const GROUP_BY_QUANTITY: Readonly<Record<string, number>> = { volume: 8, energy: 6, heatCostAllocation: 4 };
/** Names of a profile for the present register. */
const PRESENT = new Set(['total', 'current', 'sinceTarget']);

/** The present register of a profile's readings gets its code, unless a record has it already. */
export function withObis(
  named: readonly Reading[],
  general: readonly Reading[],
  mediumCode: number,
): Reading[] {
  const taken = new Set(general.map((reading) => reading.obis));
  return named.map((reading) => {
    const { name = '', quantity = '' } = reading;
    const total = named.some((other) => other.name === 'total' && other.quantity === quantity);
    if (!PRESENT.has(name) || (total && name !== 'total')) return reading;
    const a = group(mediumCode) || (GROUP_BY_QUANTITY[quantity] ?? 0);
    const c = codeOf(a, quantity);
    const obis = c === undefined ? undefined : `${a}-0:${c}.0.0`;
    if (obis === undefined || taken.has(obis)) return reading;
    taken.add(obis);
    return { obis, ...reading };
  });
}

/** Group C of what is no electricity. */
function codeOf(a: number, quantity: string): number | undefined {
  if (a === 5 || a === 6) return HEAT[quantity];
  if (a === 7) return quantity === 'volume' ? 3 : undefined;
  if (a === 8 || a === 9) return WATER[quantity];
  return a === 4 && quantity === 'heatCostAllocation' ? 1 : undefined;
}

const UNPLAIN =
  MODIFIER.derived | MODIFIER.manufacturer | MODIFIER.future | MODIFIER.dateOf | MODIFIER.average;

/** The readings among the records: plain present and stored values with an OBIS code, each code once. */
export function readingsOf(records: readonly ParsedRecord[], mediumCode: number): Reading[] {
  const readings: Reading[] = [];
  const seen = new Set<string>();
  for (const record of records) {
    const measured = record.kind === 'number' || record.kind === 'invalid';
    if (record.function !== 'inst' || !measured || record.modifiers & UNPLAIN) continue;
    const obis = obisOf(record, mediumCode);
    if (obis === undefined || seen.has(obis)) continue;
    seen.add(obis);
    readings.push(readingOf(obis, record));
  }
  return readings;
}

function readingOf(obis: string, { quantity, kind, value, unit, quality }: ParsedRecord): Reading {
  const reading: Writable<Reading> = { obis, quantity, value: kind === 'number' ? value : null };
  if (unit !== '') reading.unit = unit;
  if (quality !== 'good') reading.quality = quality;
  return reading;
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
