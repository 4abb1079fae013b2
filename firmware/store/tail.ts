/** The values of the quarter hour that is not over yet, in memory and on disk: all of them while there is no disk. */
import { LIMITS } from '../domain/limits.ts';
import type { ElapsedMs, WallMs } from '../domain/time.ts';
import type { Db } from './open.ts';
import { quarterOf } from './slots.ts';
import { prepared } from './statements.ts';

export interface Value {
  readonly point: string;
  at: WallMs;
  readonly value: number | null;
  /** Null is good. */
  readonly quality: string | null;
  /** What the meter's clock was behind ours, ms; null when it sent none. */
  readonly lag: number | null;
  /** Elapsed time of reception in this run; null when it was of another. */
  readonly elapsedMs: ElapsedMs | null;
  /** The wall clock could not be believed when it came: `at` is a guess. */
  held: boolean;
  /** Row of the table `tail`; null when it has none. */
  id: number | null;
  /** Whether the disk has it as it is here. */
  saved: boolean;
}

interface Row {
  readonly id: number;
  readonly name: string;
  readonly at: number;
  readonly value: number | null;
  readonly quality: string | null;
  readonly lag: number | null;
  readonly held: number | null;
}

export class Tail {
  readonly byPoint = new Map<string, Value[]>();
  /** What is to be written, oldest first. */
  private unsaved: Value[] = [];
  private batch = 0;
  private nextId = 1;
  private count = 0;
  private heldCount = 0;

  get size(): number {
    return this.count;
  }

  get pending(): number {
    return this.unsaved.length;
  }

  get held(): number {
    return this.heldCount;
  }

  /** More than fits the quarter hour: part of it is to move on before it is over. */
  get isLong(): boolean {
    return this.count > LIMITS.storeMemoryRows / 2;
  }

  /** Adds one; returns how many old ones had to go. */
  add(value: Value): number {
    this.put(value);
    if (!value.saved) this.unsaved.push(value);
    return this.bound();
  }

  private put(value: Value): void {
    const list = this.byPoint.get(value.point);
    if (list) list.push(value);
    else this.byPoint.set(value.point, [value]);
    this.count += 1;
    if (value.held) this.heldCount += 1;
  }

  /** Memory has an end: a tenth goes at a time, the oldest first. Only what no disk has taken is lost by it. */
  private bound(): number {
    if (this.count <= LIMITS.storeMemoryRows) return 0;
    const oldest = this.values()
      .sort((a, b) => a.at - b.at)
      .slice(0, LIMITS.storeMemoryRows / 10);
    this.drop(new Set(oldest));
    return oldest.filter(({ saved }) => !saved).length;
  }

  values(): Value[] {
    return [...this.byPoint.values()].flat();
  }

  drop(values: ReadonlySet<Value>): void {
    const points = new Set([...values].map(({ point }) => point));
    for (const point of points) {
      const left = (this.byPoint.get(point) ?? []).filter((v) => !values.has(v));
      if (left.length > 0) this.byPoint.set(point, left);
      else this.byPoint.delete(point);
    }
    this.count -= values.size;
    for (const { held } of values) if (held) this.heldCount -= 1;
    if ([...values].some(({ saved }) => !saved)) this.unsaved = this.unsaved.filter((v) => !values.has(v));
  }

  /** Dates held values; `dateOf` gives null for one that stays held. */
  date(dateOf: (value: Value) => WallMs | null): void {
    if (this.heldCount === 0) return;
    for (const value of this.values()) {
      if (!value.held) continue;
      const at = dateOf(value);
      if (at === null) continue;
      value.at = at;
      value.held = false;
      this.heldCount -= 1;
      this.touch(value);
    }
  }

  private touch(value: Value): void {
    if (!value.saved) return;
    value.saved = false;
    this.unsaved.push(value);
  }

  /** Takes up what is on disk; what the disk had and has no more is to be written again. */
  attach(db: Db): void {
    const rows = new Map(tailRows(db).map((row) => [row.id, row] as const));
    for (const value of this.values()) {
      if (!value.saved) value.id = null;
      else if (value.id === null || !rows.delete(value.id)) this.touch(value);
    }
    for (const row of rows.values()) this.put(storedValue(row));
    this.nextId = Math.max(this.nextId, ...rows.keys()) + 1;
  }

  /** Writes one batch. @param idOf the number of a point */
  write(db: Db, idOf: (point: string) => number): void {
    const insert = prepared(db, 'INSERT OR REPLACE INTO tail VALUES (?, ?, ?, ?, ?, ?, ?)');
    const batch = this.unsaved.slice(0, LIMITS.storeBatchRows);
    for (const v of batch) {
      v.id ??= this.nextId++;
      const held = v.held ? (v.elapsedMs ?? 0) : null;
      insert.run(v.id, idOf(v.point), v.at, v.value, v.quality, v.lag, held);
    }
    this.batch = batch.length;
  }

  written(): void {
    for (const value of this.unsaved.splice(0, this.batch)) value.saved = true;
    this.batch = 0;
  }

  /** What may go where it stays: on disk, dated, of a quarter hour that is over. Whole points, about a step's worth. */
  settled(nowMs: WallMs): Value[] {
    const quarter = this.isLong ? Infinity : quarterOf(nowMs);
    const out: Value[] = [];
    for (const list of this.byPoint.values()) {
      for (const v of list) if (v.saved && !v.held && v.at < quarter) out.push(v);
      if (out.length >= LIMITS.storeStepRows) break;
    }
    return out.slice(0, 2 * LIMITS.storeStepRows);
  }
}

function tailRows(db: Db): Row[] {
  return prepared<[number], Row>(
    db,
    `SELECT tail.id, name, at, value, quality, lag, held FROM tail JOIN point ON point.id = tail.point
       ORDER BY tail.id LIMIT ?`,
  ).all(LIMITS.storeMemoryRows);
}

const storedValue = ({ id, name, held, ...row }: Row): Value => ({
  ...row,
  point: name,
  elapsedMs: null,
  held: held !== null,
  id,
  saved: true,
});
