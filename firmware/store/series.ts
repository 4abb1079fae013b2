/** Measurements: dated, kept in the tail until their quarter hour is over, then where they stay. */
import { LIMITS } from '../domain/limits.ts';
import { type Measurement, pointKey } from '../domain/measurement.ts';
import { QUANTITIES, type Quantity } from '../domain/quantity.ts';
import type { SeriesRow, SeriesStore } from '../domain/storage.ts';
import { type Clock, isWallPlausible, type WallMs } from '../domain/time.ts';
import { Dating } from './dating.ts';
import type { Disk } from './disk.ts';
import type { Db } from './open.ts';
import { type PointOf, type StoredValue, settle, storedSlots, withTail } from './rollup.ts';
import { prepared } from './statements.ts';
import { Tail, type Value } from './tail.ts';

const READ_ROWS = 200_000;
/** A value held by an earlier run is dated as it was stamped when today's clock goes on from there. */
const AGREES_MS = 86_400_000;

type Resolution = 'raw' | 'quarter' | 'day';

export interface SeriesDeps {
  readonly clock: Clock;
  readonly timeZone: string;
  readonly disk: Disk;
  readonly changed: () => void;
  readonly onLost: (count: number) => void;
  /** Writes everything that is queued. */
  readonly flush: () => void;
}

export class Series implements SeriesStore {
  private readonly deps: SeriesDeps;
  private readonly ids = new Map<string, PointOf>();
  private readonly dating: Dating;
  private newestMs: WallMs | null = null;
  /** Points named in the transaction that runs. */
  private fresh: string[] = [];
  readonly tail = new Tail();

  constructor(deps: SeriesDeps) {
    this.deps = deps;
    this.dating = new Dating(deps.clock);
  }

  /** The wall time, null while it cannot be believed. Dates what was held as soon as it can. */
  nowMs(): WallMs | null {
    const now = this.dating.nowMs(this.newestMs);
    if (now !== null && this.tail.held > 0) this.tail.date((value) => this.dateOf(value, now));
    return now;
  }

  private dateOf({ at, elapsedMs }: Value, nowMs: WallMs): WallMs | null {
    if (elapsedMs === null) return isWallPlausible(at) && at <= nowMs && nowMs - at <= AGREES_MS ? at : null;
    const dated = this.dating.wallAt(elapsedMs);
    return Math.abs(dated - at) <= LIMITS.storeClockSlackMs ? at : dated;
  }

  append(measurements: readonly Measurement[]): void {
    const held = this.nowMs() === null;
    let lost = 0;
    for (const m of measurements) {
      const value = received(m, held);
      lost += value ? this.tail.add(value) : 1;
    }
    if (lost > 0) this.deps.onLost(lost);
    this.deps.changed();
  }

  flush(): void {
    this.deps.flush();
  }

  attach(db: Db): void {
    this.ids.clear();
    const rows = prepared<[], { id: number; name: string; cumulative: number }>(
      db,
      'SELECT id, name, cumulative FROM point',
    ).all();
    for (const { id, name, cumulative } of rows) this.ids.set(name, { id, cumulative: cumulative === 1 });
    this.tail.attach(db);
    this.newestMs = newestOf(db);
  }

  write(db: Db): void {
    this.tail.write(db, (point) => this.idOf(db, point).id);
  }

  written(): void {
    this.tail.written();
    this.fresh = [];
  }

  /** Points that were named in a transaction that failed are named anew. */
  failed(): void {
    for (const name of this.fresh) this.ids.delete(name);
    this.fresh = [];
  }

  idOf(db: Db, name: string): PointOf {
    const known = this.ids.get(name);
    if (known) return known;
    const cumulative = isCumulative(name);
    prepared(db, 'INSERT OR IGNORE INTO point (name, cumulative) VALUES (?, ?)').run(
      name,
      cumulative ? 1 : 0,
    );
    const id =
      prepared<[string], { id: number }>(db, 'SELECT id FROM point WHERE name = ?').get(name)?.id ?? 0;
    const point = { id, cumulative };
    this.ids.set(name, point);
    this.fresh.push(name);
    return point;
  }

  /** One step of moving the tail to where it stays. What it returns has left the tail once it is committed. */
  settle(db: Db): { readonly more: boolean; readonly committed: () => void } {
    const now = this.nowMs();
    const values = now === null ? [] : this.tail.settled(now);
    const forget = prepared(db, 'DELETE FROM tail WHERE id = ?');
    for (const [name, list] of Map.groupBy(values, ({ point }) => point))
      settle(db, this.idOf(db, name), list, this.deps.timeZone);
    for (const { id } of values) forget.run(id);
    return {
      more: values.length >= LIMITS.storeStepRows,
      committed: () => this.tail.drop(new Set(values)),
    };
  }

  /** Puts aside what an earlier run held and whose time can no longer be known. Call it when the clock is believed. */
  putAside(db: Db): { readonly committed: () => void } {
    const values = this.tail.values().filter((v) => v.held && v.elapsedMs === null);
    for (const { id } of values) {
      prepared(
        db,
        'INSERT INTO undated SELECT NULL, point, at, value, quality, lag, held FROM tail WHERE id = ?',
      ).run(id);
      prepared(db, 'DELETE FROM tail WHERE id = ?').run(id);
    }
    prepared(db, 'DELETE FROM undated WHERE id <= (SELECT max(id) FROM undated) - ?').run(
      LIMITS.storeUndatedRows,
    );
    return { committed: () => this.tail.drop(new Set(values)) };
  }

  points(): readonly string[] {
    return [...new Set([...this.ids.keys(), ...this.tail.byPoint.keys()])].sort();
  }

  read(point: string, resolution: Resolution, fromMs: WallMs, untilMs: WallMs): readonly SeriesRow[] {
    const id = this.ids.get(point)?.id;
    const waiting = (this.tail.byPoint.get(point) ?? [])
      .filter(({ at, held }) => !held || isWallPlausible(at))
      .sort((a, b) => a.at - b.at);
    if (resolution === 'raw') return this.readRaw(id, waiting, fromMs, untilMs);
    const stored =
      id === undefined
        ? []
        : this.deps.disk.read((db) => storedSlots(db, resolution, id, fromMs, untilMs), []);
    const { timeZone } = this.deps;
    const range = { fromMs, untilMs, kind: resolution, timeZone };
    return withTail(stored, waiting, isCumulative(point), range).map(({ at, value, min, max }) => ({
      atMs: at,
      value,
      min,
      max,
      quality: 'good',
    }));
  }

  private readRaw(
    id: number | undefined,
    waiting: readonly Value[],
    fromMs: WallMs,
    untilMs: WallMs,
  ): SeriesRow[] {
    const stored = id === undefined ? [] : this.deps.disk.read((db) => rawRows(db, id, fromMs, untilMs), []);
    // One value an instant: the one that came last.
    const rows = new Map<WallMs, StoredRow>(stored.map((row) => [row.at, row] as const));
    for (const v of waiting) if (v.at >= fromMs && v.at < untilMs) rows.set(v.at, v);
    const sorted = [...rows.values()];
    if (waiting.length > 0) sorted.sort((a, b) => a.at - b.at);
    return sorted.slice(0, READ_ROWS).map(({ at, value, quality }) => ({
      atMs: at,
      value,
      min: value,
      max: value,
      quality: quality ?? 'good',
    }));
  }
}

type StoredRow = Pick<StoredValue, 'at' | 'value' | 'quality'>;

function rawRows(db: Db, id: number, fromMs: WallMs, untilMs: WallMs): StoredRow[] {
  return prepared<number[], StoredRow>(
    db,
    `SELECT at, value, quality FROM raw WHERE point = ? AND at >= ? AND at < ? ORDER BY at LIMIT ${READ_ROWS}`,
  ).all(id, fromMs, untilMs);
}

function newestOf(db: Db): WallMs | null {
  const tail = prepared<[], { at: number | null }>(
    db,
    'SELECT max(at) AS at FROM tail WHERE held IS NULL',
  ).get()?.at;
  const points = prepared<[], { id: number }>(db, 'SELECT id FROM point').all();
  const raw = points.map(
    ({ id }) =>
      prepared<[number], { at: number | null }>(db, 'SELECT max(at) AS at FROM raw WHERE point = ?').get(id)
        ?.at ?? 0,
  );
  const newest = Math.max(tail ?? 0, ...raw);
  return newest > 0 ? newest : null;
}

/** Null for one that has no place in a series: a time that is none. */
function received(m: Measurement, held: boolean): Value | null {
  const at = Math.round(m.receivedMs);
  if (!Number.isSafeInteger(at)) return null;
  return {
    point: pointKey(m.point),
    at,
    value: m.value !== null && Number.isFinite(m.value) ? m.value : null,
    quality: m.quality === 'good' ? null : m.quality,
    lag: m.meterTimeMs === null ? null : Math.round(at - m.meterTimeMs),
    elapsedMs: m.receivedElapsedMs,
    // A value stamped before the clock was set waits like one that comes before.
    held: held || !isWallPlausible(at),
    id: null,
    saved: false,
  };
}

/** By the quantity in the point's name: `source/quantity/…`. */
function isCumulative(point: string): boolean {
  const quantity = point.split('/')[1] ?? '';
  return quantity in QUANTITIES && QUANTITIES[quantity as Quantity].kind !== 'momentary';
}
