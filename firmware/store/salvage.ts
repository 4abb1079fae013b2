/**
 * What can still be read of a damaged database, row by row: forward until a page fails, then backward from the other
 * end. SQLite has no checksums on its pages: a row is taken only if it makes sense.
 */
import { LIMITS } from '../domain/limits.ts';
import { type Clock, EARLIEST_PLAUSIBLE_WALL_MS, type ElapsedMs, type WallMs } from '../domain/time.ts';
import type { Reader } from './facts.ts';
import type { Db } from './open.ts';
import { type PointOf, settle } from './rollup.ts';
import type { StepResult } from './upkeep.ts';

type Row = Readonly<Record<string, unknown>>;

/** One stretch of one table: all of it, or what belongs to one point. */
interface Stretch {
  readonly table: 'day' | 'quarter' | 'raw' | 'tail' | 'journal';
  readonly key: 'at' | 'id';
  /** Number of the point in the damaged file; null for tables that have none. */
  readonly point: number | null;
}

export interface Salvaged {
  readonly values: number;
  readonly slots: number;
  readonly entries: number;
  /** Places at which reading failed. */
  readonly unreadable: number;
  /** Whether the time for it was over first. */
  readonly cutShort: boolean;
}

export interface SalvageDeps {
  readonly clock: Clock;
  readonly timeZone: string;
  /** The point's number in the new database. */
  readonly idOf: (db: Db, name: string) => PointOf;
  readonly done: (salvaged: Salvaged) => void;
}

const KNOWN_POINT = /^[a-z0-9-]{1,32}\/[A-Za-z0-9]{1,40}(\/[LTC]\d{1,4})*$/;
const QUALITIES = new Set(['doubtful', 'invalid', 'estimated', 'missing']);

export class Salvage {
  private readonly from: Db;
  private readonly deps: SalvageDeps;
  private readonly endMs: ElapsedMs;
  private readonly names = new Map<number, string>();
  private readonly stretches: Stretch[];
  private backward = false;
  private low = Number.MIN_SAFE_INTEGER;
  private high = Number.MAX_SAFE_INTEGER;
  private values = 0;
  private slots = 0;
  private entries = 0;
  private unreadable = 0;

  /** @param from the damaged file, opened for reading; closed when all is done */
  constructor(from: Db, deps: SalvageDeps) {
    this.from = from;
    this.deps = deps;
    this.endMs = deps.clock.elapsedMs() + LIMITS.storeSalvageMs;
    for (const { id, name } of damagedReader(from)<Row>('point', 'id', LIMITS.storeMemoryRows))
      if (typeof id === 'number' && typeof name === 'string' && KNOWN_POINT.test(name))
        this.names.set(id, name);
    const points = [...this.names.keys()];
    // Sums first: raw values bring their own up to date.
    this.stretches = [
      ...points.map((point) => ({ table: 'day', key: 'at', point }) as const),
      ...points.map((point) => ({ table: 'quarter', key: 'at', point }) as const),
      { table: 'journal', key: 'id', point: null },
      ...points.map((point) => ({ table: 'raw', key: 'at', point }) as const),
      { table: 'tail', key: 'id', point: null },
    ];
  }

  /** Copies some rows. Call it within a transaction. */
  step(db: Db): StepResult {
    const [stretch] = this.stretches;
    const late = this.deps.clock.elapsedMs() > this.endMs;
    if (!stretch || late) {
      this.finish(late);
      return { more: false };
    }
    const { rows, failed } = this.next(stretch);
    this.keep(db, stretch, rows);
    return { more: true, committed: () => this.move(stretch, rows, failed) };
  }

  private next({ table, key, point }: Stretch): { rows: Row[]; failed: boolean } {
    const where = point === null ? '' : 'point = @point AND';
    const sql = `SELECT * FROM ${table} WHERE ${where} ${key} > @low AND ${key} < @high
      ORDER BY ${key} ${this.backward ? 'DESC' : ''} LIMIT ${LIMITS.storeStepRows}`;
    const bind = { low: this.low, high: this.high, ...(point !== null && { point }) };
    return readSome(this.from, sql, bind, (row) => this.isInside(row[key]));
  }

  /** A tree that is out of order must not lead in circles. */
  private isInside(key: unknown): boolean {
    return typeof key === 'number' && Number.isSafeInteger(key) && key > this.low && key < this.high;
  }

  private move({ key }: Stretch, rows: readonly Row[], failed: boolean): void {
    const keys = rows.map((row) => Number(row[key]));
    if (this.backward) this.high = Math.min(this.high, ...keys);
    else this.low = Math.max(this.low, ...keys);
    if (failed && !this.backward) {
      this.unreadable += 1;
      this.backward = true;
    } else if (failed || rows.length < LIMITS.storeStepRows) this.nextStretch();
  }

  private nextStretch(): void {
    this.stretches.shift();
    this.backward = false;
    this.low = Number.MIN_SAFE_INTEGER;
    this.high = Number.MAX_SAFE_INTEGER;
  }

  private keep(db: Db, { table }: Stretch, rows: readonly Row[]): void {
    if (table === 'journal') this.entries += keepEntries(db, rows);
    else if (table === 'raw' || table === 'tail') this.values += this.keepValues(db, rows);
    else this.slots += this.keepSlots(db, table, rows);
  }

  private keepValues(db: Db, rows: readonly Row[]): number {
    const sound = rows.flatMap((row) => soundValue(row) ?? []);
    for (const [point, list] of Map.groupBy(sound, (v) => v.point)) {
      const name = this.names.get(point);
      if (name !== undefined) settle(db, this.deps.idOf(db, name), list, this.deps.timeZone);
    }
    return sound.length;
  }

  private keepSlots(db: Db, table: 'day' | 'quarter', rows: readonly Row[]): number {
    // What the new database has counted itself is newer.
    const insert = db.prepare(
      `INSERT OR IGNORE INTO ${table} VALUES (@point, @at, @value, @min, @max, @n, @last)`,
    );
    let kept = 0;
    for (const row of rows) {
      const name = this.names.get(Number(row.point));
      if (name === undefined || !isSlot(row)) continue;
      kept += insert.run({ ...row, point: this.deps.idOf(db, name).id }).changes;
    }
    return kept;
  }

  private finish(cutShort: boolean): void {
    const { values, slots, entries, unreadable } = this;
    this.from.close();
    this.deps.done({ values, slots, entries, unreadable, cutShort });
  }
}

/** Rows until the end or the first page that cannot be read. */
function readSome(
  db: Db,
  sql: string,
  bind: Record<string, unknown>,
  isSound: (row: Row) => boolean,
): { rows: Row[]; failed: boolean } {
  const rows: Row[] = [];
  try {
    for (const row of db.prepare<[Record<string, unknown>], Row>(sql).iterate(bind)) {
      if (!isSound(row)) return { rows, failed: true };
      rows.push(row);
    }
    return { rows, failed: false };
  } catch {
    return { rows, failed: true };
  }
}

/** Reads small tables from both ends. */
export function damagedReader(db: Db): Reader {
  return <T>(table: string, orderBy: string, limit: number) => {
    const end = orderBy
      .split(', ')
      .map((column) => `${column} DESC`)
      .join(', ');
    const read = (order: string) =>
      readSome(db, `SELECT * FROM ${table} ORDER BY ${order} LIMIT @limit`, { limit }, () => true);
    const first = read(orderBy);
    const rows = first.failed ? [...first.rows, ...read(end).rows] : first.rows;
    const isWhole = (row: Row): boolean => Object.values(row).every((v) => v !== null);
    return rows.filter(isWhole).map((row) => row as T);
  };
}

const isTime = (at: unknown): at is WallMs =>
  typeof at === 'number' && Number.isSafeInteger(at) && at >= EARLIEST_PLAUSIBLE_WALL_MS;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

function soundValue({ point, at, value, quality, lag, held }: Row) {
  if (typeof point !== 'number' || !isTime(at) || (held ?? null) !== null) return null;
  if (value !== null && !isNumber(value)) return null;
  const known = typeof quality === 'string' && QUALITIES.has(quality);
  return { point, at, value, quality: known ? quality : null, lag: isNumber(lag) ? Math.round(lag) : null };
}

function isSlot({ at, value, min, max, n, last }: Row): boolean {
  if (!isTime(at) || !isNumber(value) || !isNumber(min) || !isNumber(max) || !isNumber(n)) return false;
  return min <= max && n >= 0 && (last === null || isTime(last));
}

function keepEntries(db: Db, rows: readonly Row[]): number {
  const insert = db.prepare(
    'INSERT OR IGNORE INTO journal VALUES (@id, @at, @kind, @subject, @code, @detail)',
  );
  let kept = 0;
  for (const row of rows) {
    const { at, kind, code, detail } = row;
    const whole = isNumber(at) && [kind, code, detail].every((text) => typeof text === 'string');
    if (whole) kept += insert.run(row).changes;
  }
  return kept;
}
