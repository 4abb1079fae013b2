/**
 * Stored values without a date of their own: where a meter states the interval between storages (VIF FDh 28h, in
 * months) and the date of the first of them, the others follow (EN 13757-3, annex on storage blocks). Products that
 * keep such a history without saying so have it in their profile.
 */
import type { Reading } from '../../domain/telegram.ts';
import type { ParsedRecord } from '../mbus-parser/index.ts';
import { addMonths } from './compact-profile.ts';
import { COUNTERS } from './records.ts';

export interface History {
  /** The storage whose date is the base, or the meter's own time. */
  readonly base: number | 'now';
  /** The storage to which the base belongs; those after it lie further back. */
  readonly first: number;
  /** Between one storage and the next. */
  readonly months: number;
}

const STORAGE_INTERVAL_MONTHS = 0xfd28;
const MONTH_S = 2_629_746;
const MAX_STORAGE = 128;

function baseDate(records: readonly ParsedRecord[], base: number | 'now'): ParsedRecord | undefined {
  return records.find((r) =>
    base === 'now'
      ? r.storage === 0 && r.function === 'inst' && (r.kind === 'minute' || r.kind === 'second')
      : r.storage === base && r.quantity.startsWith('date') && r.text !== '',
  );
}

/** The stored values after the base, each with its date; null where the meter had none yet. */
export function datedHistory(records: readonly ParsedRecord[], { base, first, months }: History): Reading[] {
  const start = baseDate(records, base);
  if (!start) return [];
  return records.flatMap((record) => {
    const { kind, quantity, unit } = record;
    const steps = record.storage - first;
    if ((kind !== 'number' && kind !== 'invalid') || unit === '') return [];
    if (steps <= 0 || steps > MAX_STORAGE) return [];
    const time = addMonths(start.text, -steps * months);
    if (time === null) return [];
    // Where no number can be below zero, all ones are "no value yet".
    const missing = kind === 'invalid' || (record.value < 0 && COUNTERS.has(quantity));
    const value = missing ? null : record.value;
    return [
      { name: 'history', quantity, value, unit, time, ...(missing && { quality: 'missing' as const }) },
    ];
  });
}

export function historyOf(records: readonly ParsedRecord[]): Reading[] {
  const stated = records.find((r) => r.vif === STORAGE_INTERVAL_MONTHS && r.kind === 'number');
  if (!stated) return [];
  const months = Math.round(stated.value / MONTH_S);
  const { storage } = stated;
  return months >= 1 && months <= 12 ? datedHistory(records, { base: storage, first: storage, months }) : [];
}
