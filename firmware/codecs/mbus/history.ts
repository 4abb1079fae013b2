/**
 * Stored values without a date of their own: where a meter states the interval between storages (VIF FDh 28h, in
 * months) and the date of the first of them, the others follow (EN 13757-3, annex on storage blocks).
 */
import type { Reading } from '../../domain/telegram.ts';
import type { ParsedRecord } from '../mbus-parser/index.ts';
import { addMonths } from './compact-profile.ts';

const STORAGE_INTERVAL_MONTHS = 0xfd28;
const MONTH_S = 2_629_746;
const MAX_STORAGE = 128;

/** The stored values after the base, each with its date. `interval` in whole months, counted back. */
export function datedHistory(
  records: readonly ParsedRecord[],
  baseStorage: number,
  interval: number,
): Reading[] {
  const base = records.find(
    (r) => r.storage === baseStorage && r.quantity.startsWith('date') && r.text !== '',
  );
  if (!base) return [];
  return records.flatMap((record) => {
    const steps = record.storage - baseStorage;
    if (record.kind !== 'number' || record.unit === '' || steps <= 0 || steps > MAX_STORAGE) return [];
    const time = addMonths(base.text, -steps * interval);
    if (time === null) return [];
    return [{ name: 'history', quantity: record.quantity, value: record.value, unit: record.unit, time }];
  });
}

export function historyOf(records: readonly ParsedRecord[]): Reading[] {
  const stated = records.find((r) => r.vif === STORAGE_INTERVAL_MONTHS && r.kind === 'number');
  if (!stated) return [];
  const interval = Math.round(stated.value / MONTH_S);
  return interval >= 1 && interval <= 12 ? datedHistory(records, stated.storage, interval) : [];
}
