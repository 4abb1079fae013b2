/** Measures and places that several products share. */
import type { Measure, Product } from './profile.ts';

export const CUBIC_METRES: Measure = { quantity: 'volume', unit: 'm3' };
export const TENTHS_OF_M3: Measure = { quantity: 'volume', unit: 'm3', per: 10 };
export const HUNDREDTHS_OF_M3: Measure = { quantity: 'volume', unit: 'm3', per: 100 };
export const LITRES: Measure = { quantity: 'volume', unit: 'm3', per: 1000 };
export const KILOWATT_HOURS: Measure = { quantity: 'energy', unit: 'Wh', times: 1000 };
export const MEGAJOULES: Measure = { quantity: 'energy', unit: 'Wh', times: 1e6, per: 3600 };
/** Units of a heat cost allocator. */
export const HCA: Measure = { quantity: 'heatCostAllocation', unit: 'hca' };
export const HUNDREDTHS_OF_C: Measure = { quantity: 'temperature', unit: 'C', per: 100 };
export const DATE: Measure = { quantity: 'date' };
export const DATE_TIME: Measure = { quantity: 'dateTime' };

export const YEAR_S = 31_556_952;

/** What follows the DIF 0Fh. */
export function manufacturerBlock({ records, payload }: Product): Uint8Array | null {
  const rest = records.find((r) => r.function === 'mfct');
  return rest ? payload.subarray(rest.dataStart) : null;
}
