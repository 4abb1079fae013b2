/** Measurements: queued, written in batches, rolled up to quarter hours and days of the site's zone, aged out. */
import type Database from 'better-sqlite3';
import { startOfDay } from '../domain/calendar.ts';
import { LIMITS } from '../domain/limits.ts';
import { type Measurement, pointKey } from '../domain/measurement.ts';
import { QUANTITIES } from '../domain/quantity.ts';
import type { SeriesRow, SeriesStore } from '../domain/storage.ts';
import {
  type Cancel,
  type Clock,
  EARLIEST_PLAUSIBLE_WALL_MS,
  isWallPlausible,
  type WallMs,
} from '../domain/time.ts';

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

interface Row {
  readonly point: number;
  readonly at: number;
  readonly value: number | null;
  readonly quality: string;
}

export class Series implements SeriesStore {
  private readonly db: Database.Database;
  private readonly clock: Clock;
  private readonly timeZone: string;
  private readonly onFailure: (error: unknown, lost: number) => void;
  private readonly ids = new Map<string, number>();
  private queue: Measurement[] = [];
  private timer: Cancel | null = null;
  private failing = false;

  constructor(
    db: Database.Database,
    clock: Clock,
    timeZone: string,
    onFailure: (error: unknown, lost: number) => void,
  ) {
    this.db = db;
    this.clock = clock;
    this.timeZone = timeZone;
    this.onFailure = onFailure;
    this.loadIds();
  }

  private loadIds(): void {
    this.ids.clear();
    const rows = this.db.prepare<[], { id: number; name: string }>('SELECT id, name FROM point').all();
    for (const { id, name } of rows) this.ids.set(name, id);
  }

  append(measurements: readonly Measurement[]): void {
    this.queue.push(...measurements);
    const excess = this.queue.length - 4 * LIMITS.storeBatchRows;
    if (excess > 0) {
      this.queue.splice(0, excess);
      this.onFailure(new Error('the queue is full'), excess);
    }
    if (this.queue.length >= LIMITS.storeBatchRows && !this.failing) this.flush();
    else this.timer ??= this.clock.after(LIMITS.storeBatchMs, () => this.flush());
  }

  flush(): void {
    this.timer?.();
    this.timer = null;
    if (this.queue.length === 0) return;
    const batch = this.queue;
    // Before the clock is set there is no time to store under: the values wait, and are stamped when it is.
    if (!isWallPlausible(this.clock.wallMs())) {
      this.timer = this.clock.after(LIMITS.storeBatchMs, () => this.flush());
      return;
    }
    try {
      this.db.transaction(() => this.write(batch))();
      this.queue = [];
      this.failing = false;
    } catch (error) {
      // A full or read-only disk: the batch waits for the next try, the queue has its bound. What the transaction
      // had named is named anew.
      this.failing = true;
      this.loadIds();
      this.onFailure(error, 0);
      this.timer = this.clock.after(LIMITS.storeBatchMs, () => this.flush());
    }
  }

  private write(batch: readonly Measurement[]): void {
    const insert = this.db.prepare(
      'INSERT OR REPLACE INTO raw (point, at, value, quality, meter_at) VALUES (?, ?, ?, ?, ?)',
    );
    for (const m of batch) insert.run(this.idOf(m), this.stamp(m), m.value, m.quality, m.meterTimeMs);
  }

  private stamp(m: Measurement): WallMs {
    if (m.receivedMs >= EARLIEST_PLAUSIBLE_WALL_MS) return m.receivedMs;
    return Math.round(this.clock.wallMs() - (this.clock.elapsedMs() - m.receivedElapsedMs));
  }

  private idOf(m: Measurement): number {
    const name = pointKey(m.point);
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    const cumulative = QUANTITIES[m.point.quantity].kind === 'momentary' ? 0 : 1;
    const { lastInsertRowid } = this.db
      .prepare('INSERT INTO point (name, cumulative) VALUES (?, ?)')
      .run(name, cumulative);
    this.ids.set(name, Number(lastInsertRowid));
    return Number(lastInsertRowid);
  }

  points(): readonly string[] {
    return [...this.ids.keys()].sort();
  }

  read(
    point: string,
    resolution: 'raw' | 'quarter' | 'day',
    fromMs: WallMs,
    untilMs: WallMs,
  ): readonly SeriesRow[] {
    this.flush();
    const id = this.ids.get(point);
    if (id === undefined) return [];
    if (resolution === 'raw') return this.raw(id, fromMs, untilMs);
    const stored = this.db
      .prepare<[number, string, number, number], SeriesRow>(
        `SELECT at AS atMs, value, min, max, 'good' AS quality FROM rollup WHERE point = ? AND slot = ? AND at >= ? AND at < ? ORDER BY at`,
      )
      .all(id, resolution, fromMs, untilMs);
    // What is not rolled up yet (the present slot above all) is computed on the way out.
    const last = stored.at(-1);
    const from = last ? this.slotEnd(last.atMs, resolution) : fromMs;
    return [...stored, ...this.rolled(id, resolution, Math.max(from, fromMs), untilMs)];
  }

  private raw(id: number, fromMs: WallMs, untilMs: WallMs): SeriesRow[] {
    return this.db
      .prepare<[number, number, number], SeriesRow>(
        'SELECT at AS atMs, value, value AS min, value AS max, quality FROM raw WHERE point = ? AND at >= ? AND at < ? ORDER BY at LIMIT 200000',
      )
      .all(id, fromMs, untilMs);
  }

  private slotOf(atMs: WallMs, slot: 'quarter' | 'day'): WallMs {
    return slot === 'quarter' ? Math.floor(atMs / QUARTER_MS) * QUARTER_MS : startOfDay(atMs, this.timeZone);
  }

  private slotEnd(slotMs: WallMs, slot: 'quarter' | 'day'): WallMs {
    // A day has 23 to 25 hours: 26 hours on is always in the next one.
    return slot === 'quarter' ? slotMs + QUARTER_MS : startOfDay(slotMs + 26 * 3_600_000, this.timeZone);
  }

  private isCumulative(id: number): boolean {
    return (
      this.db.prepare<[number], { cumulative: number }>('SELECT cumulative FROM point WHERE id = ?').get(id)
        ?.cumulative === 1
    );
  }

  /** Slots made from raw values: mean of a momentary quantity, last value of a cumulative one. */
  private rolled(id: number, slot: 'quarter' | 'day', fromMs: WallMs, untilMs: WallMs): SeriesRow[] {
    const cumulative = this.isCumulative(id);
    const slots = new Map<WallMs, { sum: number; n: number; last: number; min: number; max: number }>();
    const rows = this.db
      .prepare<[number, number, number], Row>(
        'SELECT at, value, point, quality FROM raw WHERE point = ? AND at >= ? AND at < ? AND value IS NOT NULL ORDER BY at',
      )
      .all(id, this.slotOf(fromMs, slot), untilMs);
    let slotMs = -Infinity;
    let endMs = -Infinity;
    for (const { at, value } of rows) {
      if (value === null) continue;
      if (at >= endMs) {
        slotMs = this.slotOf(at, slot);
        endMs = this.slotEnd(slotMs, slot);
      }
      const s = slots.get(slotMs) ?? { sum: 0, n: 0, last: 0, min: Infinity, max: -Infinity };
      slots.set(slotMs, {
        sum: s.sum + value,
        n: s.n + 1,
        last: value,
        min: Math.min(s.min, value),
        max: Math.max(s.max, value),
      });
    }
    return [...slots].map(([atMs, s]) => ({
      atMs,
      value: cumulative ? s.last : s.sum / s.n,
      min: s.min,
      max: s.max,
      quality: 'good',
    }));
  }

  /** Rolls up every slot that is over, then forgets raw values and quarters past their retention. */
  maintain(wallMs: WallMs): void {
    if (!isWallPlausible(wallMs)) return;
    this.flush();
    this.db.transaction(() => {
      for (const id of this.ids.values())
        for (const slot of ['quarter', 'day'] as const) this.rollUp(id, slot, wallMs);
      this.db.prepare('DELETE FROM raw WHERE at < ?').run(wallMs - LIMITS.storeRawDays * DAY_MS);
      this.db
        .prepare(`DELETE FROM rollup WHERE slot = 'quarter' AND at < ?`)
        .run(wallMs - LIMITS.storeQuarterDays * DAY_MS);
    })();
  }

  private rollUp(id: number, slot: 'quarter' | 'day', wallMs: WallMs): void {
    const last = this.db
      .prepare<[number, string], { at: number | null }>(
        'SELECT max(at) AS at FROM rollup WHERE point = ? AND slot = ?',
      )
      .get(id, slot)?.at;
    const from = last == null ? EARLIEST_PLAUSIBLE_WALL_MS : this.slotEnd(last, slot);
    const insert = this.db.prepare(
      'INSERT OR REPLACE INTO rollup (point, slot, at, value, min, max, n) VALUES (?, ?, ?, ?, ?, ?, 0)',
    );
    for (const row of this.rolled(id, slot, from, this.slotOf(wallMs, slot)))
      insert.run(id, slot, row.atMs, row.value, row.min, row.max);
  }
}
