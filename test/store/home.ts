/** What the tests of the store share: a folder of its own, simulated time, measurements. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Database from 'better-sqlite3';
import { LIMITS } from '../../firmware/domain/limits.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { Storage } from '../../firmware/domain/storage.ts';
import type { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-store-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
let serial = 0;

export const ZONE = 'Europe/Berlin';
export const START = Date.UTC(2026, 2, 28, 12);
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const EVER = 8e15;
export const POWER = 'm/activePowerImport';
export const ENERGY = 'm/activeEnergyImport';

export const file = (): string => path.join(dir, `db-${serial++}.sqlite`);

export const at = (
  clock: SimulatedClock,
  value: number | null,
  quantity: Measurement['point']['quantity'] = 'activePowerImport',
): Measurement => ({
  point: { source: 'm', quantity, phase: 0, tariff: 0, channel: 0 },
  value,
  quality: 'good',
  meterTimeMs: null,
  receivedMs: clock.wallMs(),
  receivedElapsedMs: clock.elapsedMs(),
});

/** A value that was received `agoMs` ago and comes only now. */
export const late = (
  clock: SimulatedClock,
  value: number,
  agoMs: number,
  quantity?: 'activeEnergyImport',
) => ({
  ...at(clock, value, quantity),
  receivedMs: clock.wallMs() - agoMs,
  receivedElapsedMs: clock.elapsedMs() - agoMs,
});

export const advance = (clock: SimulatedClock, ms: number): Promise<void> =>
  clock.advanceTo(clock.elapsedMs() + ms);

/** Long enough for the batch to be written and for the upkeep to do all it has to. */
export const rest = (clock: SimulatedClock): Promise<void> => advance(clock, LIMITS.storeBatchMs + 10_000);

export const values = (store: Storage, resolution: 'raw' | 'quarter' | 'day', point = POWER) =>
  store.series.read(point, resolution, 0, EVER).map(({ value }) => value);

/** What is on the disk, seen by another. */
export function onDisk<T>(where: string, sql: string): T[] {
  const db = new Database(where, { readonly: true });
  try {
    return db.prepare<[], T>(sql).all();
  } finally {
    db.close();
  }
}
