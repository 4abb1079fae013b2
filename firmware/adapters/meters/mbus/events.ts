/**
 * What an M-Bus meter tells beside the present: flags of its status, and values of past dates. Each is told once; what
 * was told is kept as text over restarts.
 */
import { LIMITS } from '../../../domain/limits.ts';
import type { MeterEvent } from '../../../domain/meter-event.ts';
import type { DataRecord } from '../../../domain/telegram.ts';
import type { WallMs } from '../../../domain/time.ts';
import { flagEvents } from '../mbus-flags.ts';

/** What was told before. */
export interface Told {
  readonly flags: readonly string[];
  /** `quantity/tariff@date`, oldest first. */
  readonly stored: readonly string[];
}

export const NOTHING_TOLD: Told = { flags: [], stored: [] };

/** Reads what `JSON.stringify` made of it; anything else is nothing. */
export function toldFrom(text: string | null): Told {
  try {
    const { flags, stored } = JSON.parse(text ?? '{}') as Partial<Told>;
    const texts = (list: unknown): string[] =>
      Array.isArray(list) ? list.filter((entry) => typeof entry === 'string') : [];
    return { flags: texts(flags), stored: texts(stored).slice(-LIMITS.mbusStoredValues) };
  } catch {
    return NOTHING_TOLD;
  }
}

/** The dates of the storage numbers: a stored value and the date with the same number belong together (EN 13757-3, 6.3.3). */
export function storageDates(records: readonly DataRecord[]): ReadonlyMap<number, string> {
  const dates = new Map<number, string>();
  for (const { storage, time, function: kind } of records) {
    if (storage > 0 && kind === 'inst' && time !== undefined && !dates.has(storage)) dates.set(storage, time);
  }
  return dates;
}

export function eventsOf(
  records: readonly DataRecord[],
  flags: readonly string[],
  told: Told,
  instantOf: (date: string) => WallMs | null,
): { readonly events: readonly MeterEvent[]; readonly told: Told } {
  const fresh = storedValues(records).filter((value) => !told.stored.includes(keyOf(value)));
  const events = [
    ...flagEvents(told.flags, flags),
    ...fresh.map((detail) => ({
      code: 'STORED_VALUE' as const,
      atMs: instantOf(detail.date),
      detail: { ...detail },
    })),
  ];
  const stored = [...told.stored, ...fresh.map(keyOf)].slice(-LIMITS.mbusStoredValues);
  return { events, told: { flags, stored } };
}

interface StoredValue {
  readonly quantity: string;
  readonly tariff: number;
  readonly value: number | null;
  readonly unit: string;
  readonly date: string;
}

const keyOf = ({ quantity, tariff, date }: StoredValue): string => `${quantity}/${tariff}@${date}`;

/** What people are billed by. */
const BILLED = new Set([
  'energy',
  'volume',
  'mass',
  'heatCostAllocation',
  'reactiveEnergy',
  'apparentEnergy',
]);

function storedValues(records: readonly DataRecord[]): StoredValue[] {
  const dates = storageDates(records);
  const values = records.flatMap(({ storage, tariff, quantity, value, unit, function: kind }) => {
    const date = dates.get(storage);
    if (kind !== 'inst' || date === undefined || quantity === undefined || !BILLED.has(quantity)) return [];
    return value === undefined || unit === undefined ? [] : [{ quantity, tariff, value, unit, date }];
  });
  return [...new Map(values.map((value) => [keyOf(value), value])).values()];
}
