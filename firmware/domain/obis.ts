/**
 * OBIS, IEC 62056-6-1: A-B:C.D.E*F. One table for P1, IEC 62056-21, SML and DLMS.
 */
import type { Phase } from './measurement.ts';
import type { Quantity } from './quantity.ts';

/** A medium (1 electricity, 7 gas …), B channel, C quantity, D processing, E tariff, F history (255: now). */
export interface Obis {
  readonly a: number;
  readonly b: number;
  readonly c: number | string;
  readonly d: number;
  readonly e: number;
  readonly f: number;
}

const FORM =
  /^(?:(\d{1,3})-(\d{1,3}):)?([0-9]{1,3}|[CFLP])\.([0-9]{1,3}|F)(?:\.(\d{1,3}))?(?:[*&](\d{1,3}))?$/;

/** Reads `1-0:1.8.0*255`, `1.8.0`, `1.8.0&01`, `C.1.0`; absent parts are A=1, B=0, E=0, F=255. Null when it is none. */
export function parseObis(code: string): Obis | null {
  const m = FORM.exec(code.trim().toUpperCase());
  if (!m) return null;
  const part = (text: string | undefined, absent: number): number =>
    text === undefined ? absent : Number(text);
  const c = m[3] ?? '';
  const obis: Obis = {
    a: part(m[1], 1),
    b: part(m[2], 0),
    c: /^\d/.test(c) ? Number(c) : c,
    d: m[4] === 'F' ? -1 : Number(m[4]),
    e: part(m[5], 0),
    f: part(m[6], 255),
  };
  const numbers = [obis.a, obis.b, typeof obis.c === 'number' ? obis.c : 0, obis.d, obis.e, obis.f];
  return numbers.every((n) => n <= 255) ? obis : null;
}

/** Six bytes as DLMS and SML send them, as `A-B:C.D.E*F`, with `*F` only where F is not 255. */
export function formatObis(bytes: Uint8Array): string {
  const [a, b, c, d, e, f] = bytes;
  return `${a}-${b}:${c}.${d}.${e}${f === 255 ? '' : `*${f}`}`;
}

export interface ObisMeaning {
  readonly quantity: Quantity;
  readonly phase: Phase;
  readonly tariff: number;
  /** 0 is the meter itself, 1…4 a channel behind it. */
  readonly channel: number;
  /** Only a magnitude: 15.7.0 is |+A| + |−A| and does not say which way the power flows. */
  readonly unsigned?: true;
}

/** C without its phase offset (20, 40, 60 for L1, L2, L3): quantity of an energy (D = 8) and of a power (D = 7). */
const ELECTRICITY: ReadonlyMap<number, { energy: Quantity | null; power: Quantity | null }> = new Map([
  [1, { energy: 'activeEnergyImport', power: 'activePowerImport' }],
  [2, { energy: 'activeEnergyExport', power: 'activePowerExport' }],
  [3, { energy: 'reactiveEnergyImport', power: 'reactivePowerImport' }],
  [4, { energy: 'reactiveEnergyExport', power: 'reactivePowerExport' }],
  [5, { energy: 'reactiveEnergyQ1', power: null }],
  [6, { energy: 'reactiveEnergyQ2', power: null }],
  [7, { energy: 'reactiveEnergyQ3', power: null }],
  [8, { energy: 'reactiveEnergyQ4', power: null }],
  [9, { energy: 'apparentEnergyImport', power: 'apparentPowerImport' }],
  [10, { energy: 'apparentEnergyExport', power: 'apparentPowerExport' }],
  [11, { energy: null, power: 'current' }],
  [12, { energy: null, power: 'voltage' }],
  [13, { energy: null, power: 'powerFactor' }],
  [14, { energy: null, power: 'frequency' }],
  [15, { energy: 'activeEnergy', power: 'activePower' }],
  [16, { energy: 'activeEnergyNet', power: 'activePower' }],
]);

/** What a code measures here and now; null for history (F ≠ 255), texts, logs and everything unknown. */
export function meaningOf(obis: Obis): ObisMeaning | null {
  if (obis.f !== 255 || typeof obis.c !== 'number') return null;
  if (obis.a === 1) return electricity(obis, obis.c);
  if (obis.a === 0 && obis.c === 24 && obis.d === 2 && obis.b >= 1) {
    return { quantity: 'volume', phase: 0, tariff: 0, channel: obis.b };
  }
  const [quantity] = OTHER_MEDIA.get(`${obis.a}.${obis.c}.${obis.d}`) ?? [];
  return quantity ? { quantity, phase: 0, tariff: obis.e, channel: obis.b } : null;
}

/** EN 13757-1 and IEC 62056-6-1: cost allocators (4), cooling (5), heat (6), gas (7), cold (8) and hot water (9). */
const OTHER_MEDIA: ReadonlyMap<string, [Quantity]> = new Map([
  ['4.1.0', ['heatCostAllocation']],
  ['5.1.0', ['coolingEnergy']],
  ['6.1.0', ['heatEnergy']],
  ...['5', '6'].flatMap((a): [string, [Quantity]][] => [
    [`${a}.2.0`, ['volume']],
    [`${a}.8.0`, ['heatPower']],
    [`${a}.9.0`, ['volumeFlow']],
    [`${a}.10.0`, ['flowTemperature']],
    [`${a}.11.0`, ['returnTemperature']],
    [`${a}.12.0`, ['temperatureDifference']],
  ]),
  ['7.3.0', ['volume']],
  ['8.1.0', ['volume']],
  ['8.2.0', ['volumeFlow']],
  ['9.1.0', ['volume']],
  ['9.2.0', ['volumeFlow']],
]);

function electricity({ b, d, e }: Obis, c: number): ObisMeaning | null {
  if (b > 4) return null;
  const phased = c > 20 && c < 80;
  const phase = (phased ? Math.floor(c / 20) : 0) as Phase;
  const row = ELECTRICITY.get(phased ? c % 20 : c);
  if (!row) return null;
  // An electricity meter's own registers are channel 0 or 1 (Kamstrup, Landis+Gyr: `1-1:1.8.0`).
  const channel = b === 1 ? 0 : b;
  if (d === 8 && row.energy) return { quantity: row.energy, phase, tariff: e, channel };
  if (c === 1 && d === 4 && e === 0) return { quantity: 'activeDemandImport', phase, tariff: 0, channel };
  if (c === 1 && d === 6) return { quantity: 'activeDemandPeak', phase, tariff: e, channel };
  if (d === 7 && row.power && e === 0) {
    const unsigned = c % 20 === 15 ? { unsigned: true as const } : {};
    return { quantity: row.power, phase, tariff: 0, channel, ...unsigned };
  }
  return null;
}
