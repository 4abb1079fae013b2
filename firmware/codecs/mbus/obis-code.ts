/** OBIS codes of what M-Bus meters send, EN 13757-1. */
import type { Reading } from '../../domain/telegram.ts';
import { MODIFIER, type ParsedRecord } from '../mbus-parser/index.ts';

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

/** `A-B:C.D.E*F` of a record, F being its storage number; undefined where EN 13757-1 has none that is certain. */
export function obisOf(record: ParsedRecord, mediumCode: number): string | undefined {
  const a = group(mediumCode);
  const { quantity, tariff, subunit, storage } = record;
  const f = storage === 0 ? '' : `*${storage}`;
  if (a === 1) {
    if (record.phase >= Q1) return quadrantCode(record);
    const row = ELECTRIC[quantity];
    if (!row || record.phase > 3) return undefined;
    const c = row[record.modifiers & MODIFIER.backward ? 1 : 0] + record.phase * 20;
    return `1-${subunit}:${c}.${row[2]}.${row[2] === 8 ? tariff : 0}${f}`;
  }
  const backward = (record.modifiers & MODIFIER.backward) !== 0;
  // What a heat meter counts backward is cold; no other register that counts backward has a code.
  if (backward && (a !== 6 || quantity !== 'energy')) return undefined;
  const c = codeOf(a, quantity);
  return c === undefined ? undefined : `${backward ? 5 : a}-${subunit}:${c}.0.${tariff}${f}`;
}

/** The first of the quadrants among the phases of a record. */
const Q1 = 8;

/** Reactive energy of Q1 to Q4: 5.8 to 8.8. */
function quadrantCode({
  quantity,
  phase,
  tariff,
  subunit,
  storage,
  modifiers,
}: ParsedRecord): string | undefined {
  if (quantity !== 'reactiveEnergy' || modifiers & (MODIFIER.forward | MODIFIER.backward)) return undefined;
  return `1-${subunit}:${5 + phase - Q1}.8.${tariff}${storage === 0 ? '' : `*${storage}`}`;
}

/** Group C of what is no electricity. */
function codeOf(a: number, quantity: string): number | undefined {
  if (a === 5 || a === 6) return HEAT[quantity];
  if (a === 7) return quantity === 'volume' ? 3 : undefined;
  if (a === 8 || a === 9) return WATER[quantity];
  return a === 4 && quantity === 'heatCostAllocation' ? 1 : undefined;
}

/** Group A where a maker's own medium code says nothing: what such meters count is water, heat or radiator units. */
const GROUP_BY_QUANTITY: Readonly<Record<string, number>> = { volume: 8, energy: 6, heatCostAllocation: 4 };
/** Names of a profile for the present register. */
const PRESENT = new Set(['total', 'current', 'sinceTarget']);

/**
 * Readings of a profile: the present register and the one of the due date get their codes, unless a record has them
 * already, and a value with a date beside it (`target`, `targetDate`) carries it.
 */
export function withObis(
  named: readonly Reading[],
  general: readonly Reading[],
  mediumCode: number,
): Reading[] {
  if (named.length === 0) return [];
  const taken = new Set(general.map((reading) => reading.obis));
  return named.map((reading) => {
    const { name = '', quantity = '' } = reading;
    const date = named.find((other) => other.name === `${name}Date`)?.time;
    const dated = date === undefined || reading.time !== undefined ? reading : { ...reading, time: date };
    const total = named.some((other) => other.name === 'total' && other.quantity === quantity);
    const f = name === 'target' ? '*1' : '';
    if (f === '' && (!PRESENT.has(name) || (total && name !== 'total'))) return dated;
    const a = group(mediumCode) || (GROUP_BY_QUANTITY[quantity] ?? 0);
    const c = codeOf(a, quantity);
    const obis = c === undefined ? undefined : `${a}-0:${c}.0.0${f}`;
    if (obis === undefined || taken.has(obis)) return dated;
    taken.add(obis);
    return { obis, ...dated };
  });
}
