/**
 * Retention. The wall clock alone must not decide: one that jumps ahead by years would age everything out at once. So
 * what is forgotten in one go is never more than the time that went by on the clock that does not jump, and a quarter
 * of it to catch up: a clock that is wrong forgets no faster than one that is right.
 */
import { LIMITS } from '../domain/limits.ts';
import type { ElapsedMs, WallMs } from '../domain/time.ts';
import type { Db } from './open.ts';
import { type Horizons, setHorizon } from './rollup.ts';
import { quarterOf } from './slots.ts';
import { prepared } from './statements.ts';

const DAY_MS = 86_400_000;
const CATCH_UP = 1.25;
/** What is given up at a time when the disk is full. */
const ROOM_MS = 3_600_000;

interface Kind {
  readonly table: 'raw' | 'quarter';
  readonly horizon: keyof Horizons;
  readonly keepMs: number;
}

const RAW: Kind = { table: 'raw', horizon: 'rawFrom', keepMs: LIMITS.storeRawDays * DAY_MS };
const QUARTER: Kind = {
  table: 'quarter',
  horizon: 'quarterFrom',
  keepMs: LIMITS.storeQuarterDays * DAY_MS,
};

export interface Cuts {
  readonly raw: WallMs | null;
  readonly quarter: WallMs | null;
}

export class Ageing {
  private lastMs: ElapsedMs;
  /** A day's end, after which no quarter hour of that day is left. */
  private readonly dayAfter: (at: WallMs) => WallMs;

  constructor(elapsedMs: ElapsedMs, dayAfter: (at: WallMs) => WallMs) {
    this.lastMs = elapsedMs;
    this.dayAfter = dayAfter;
  }

  /** Up to when raw values and quarter hours are to be forgotten now. Books the time that went by. */
  cuts(db: Db, nowMs: WallMs, elapsedMs: ElapsedMs): Cuts {
    const creditMs = (elapsedMs - this.lastMs) * CATCH_UP;
    this.lastMs = elapsedMs;
    const cut = ({ table, keepMs }: Kind): WallMs | null => {
      const oldest = oldestOf(db, table);
      return oldest === null ? null : quarterOf(Math.min(nowMs - keepMs, oldest + creditMs));
    };
    return { raw: cut(RAW), quarter: cut(QUARTER) };
  }

  /** One step; true while there is more. */
  step(db: Db, { raw, quarter }: Cuts): boolean {
    return (
      (raw !== null && this.forget(db, RAW, raw)) || (quarter !== null && this.forget(db, QUARTER, quarter))
    );
  }

  /** One step towards room on a full disk: the oldest raw values go first, then the oldest quarter hours. */
  makeRoom(db: Db): boolean {
    for (const kind of [RAW, QUARTER]) {
      const oldest = oldestOf(db, kind.table);
      if (oldest === null) continue;
      this.forget(db, kind, quarterOf(oldest) + ROOM_MS);
      return true;
    }
    return false;
  }

  private forget(db: Db, { table, horizon }: Kind, cut: WallMs): boolean {
    let left: number = LIMITS.storeStepRows;
    for (const point of pointsOf(db)) {
      left -= forgetSome(db, table, point, cut, left);
      if (left <= 0) break;
    }
    if (left < LIMITS.storeStepRows) setHorizon(db, horizon, table === 'quarter' ? this.dayAfter(cut) : cut);
    return left <= 0;
  }
}

const pointsOf = (db: Db): number[] =>
  prepared<[], { id: number }>(db, 'SELECT id FROM point ORDER BY id')
    .all()
    .map(({ id }) => id);

function oldestOf(db: Db, table: string): WallMs | null {
  const first = prepared<[number], { at: number | null }>(
    db,
    `SELECT min(at) AS at FROM ${table} WHERE point = ?`,
  );
  const times = pointsOf(db).flatMap((id) => first.get(id)?.at ?? []);
  return times.length > 0 ? Math.min(...times) : null;
}

function forgetSome(db: Db, table: string, point: number, cut: WallMs, most: number): number {
  const nth = prepared<number[], { at: number }>(
    db,
    `SELECT at FROM ${table} WHERE point = ? AND at < ? ORDER BY at LIMIT 1 OFFSET ?`,
  ).get(point, cut, most);
  const until = nth?.at ?? cut;
  return prepared(db, `DELETE FROM ${table} WHERE point = ? AND at < ?`).run(point, until).changes;
}
