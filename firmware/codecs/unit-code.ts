/** DLMS unit codes (IEC 62056-6-2, table of units) in the units of the house; SML uses the same. */
import { type Factor, toHouseUnit } from '../domain/quantity.ts';

const NAMES: Readonly<Record<number, string>> = {
  5: 'h',
  6: 'min',
  7: 's',
  8: '°',
  9: '°C',
  13: 'm3',
  14: 'm3',
  15: 'm3/h',
  16: 'm3/h',
  17: 'm3/d',
  18: 'm3/d',
  19: 'l',
  20: 'kg',
  23: 'Pa',
  24: 'bar',
  25: 'J',
  26: 'J/h',
  27: 'W',
  28: 'VA',
  29: 'var',
  30: 'Wh',
  31: 'VAh',
  32: 'varh',
  33: 'A',
  34: 'C (charge)',
  35: 'V',
  36: 'V/m',
  38: 'Ohm',
  41: 'V2h',
  42: 'A2h',
  44: 'Hz',
  52: 'K',
  56: '%',
  57: 'Ah',
};

type HouseUnit = NonNullable<ReturnType<typeof toHouseUnit>>;

const PLAIN: Factor = { multiply: 1, exponent: 0 };
const HOUSE: readonly HouseUnit[] = Array.from({ length: 255 }, (_, code) => {
  const name = NAMES[code];
  const house = name === undefined ? undefined : toHouseUnit(name);
  return house ?? { unit: name ?? `unit ${code}`, factor: PLAIN };
});

/** Undefined for "no unit" (255, 0); a code without a row keeps its number, so that no value passes for a bare one. */
export function unitOf(code: number | null): HouseUnit | undefined {
  if (code === null || code === 255 || code === 0) return undefined;
  return HOUSE[code] ?? { unit: `unit ${code}`, factor: PLAIN };
}
