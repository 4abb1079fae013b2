/** Where values stay: raw, quarter hours and days. A value that comes late gets into all three. */
import type { WallMs } from '../domain/time.ts';
import type { Db } from './open.ts';
import { fold, merge, quarterOf, type Slot, type SlotKind, slotEnd, slotOf } from './slots.ts';
import { prepared } from './statements.ts';

export interface StoredValue {
  readonly at: WallMs;
  readonly value: number | null;
  readonly quality: string | null;
  readonly lag: number | null;
}

/** Before these times the finer grain is gone: what comes late is added to the sum instead of summed anew. */
export interface Horizons {
  readonly rawFrom: WallMs;
  readonly quarterFrom: WallMs;
}

function readHorizons(db: Db): Horizons {
  const mark = (name: string): number =>
    prepared<[string], { value: number }>(db, 'SELECT value FROM mark WHERE name = ?').get(name)?.value ?? 0;
  return { rawFrom: mark('rawFrom'), quarterFrom: mark('quarterFrom') };
}

export function setHorizon(db: Db, name: keyof Horizons, at: WallMs): void {
  prepared(
    db,
    'INSERT INTO mark VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)',
  ).run(name, at);
}

export interface PointOf {
  readonly id: number;
  readonly cumulative: boolean;
}

/** Stores values of one point and brings its quarter hours and days up to date. Call it within a transaction. */
export function settle(db: Db, point: PointOf, values: readonly StoredValue[], timeZone: string): void {
  const { rawFrom, quarterFrom } = readHorizons(db);
  const late = values.filter(({ at }) => at < rawFrom);
  const insert = prepared(db, 'INSERT OR REPLACE INTO raw VALUES (?, ?, ?, ?, ?)');
  for (const v of values) if (v.at >= rawFrom) insert.run(point.id, v.at, v.value, v.quality, v.lag);
  const quarters = new Set(values.filter(({ at }) => at >= rawFrom).map(({ at }) => quarterOf(at)));
  for (const quarter of quarters) sumQuarter(db, point, quarter);
  const lateSlots = [
    ...fold(
      late.toSorted((a, b) => a.at - b.at),
      quarterOf,
      point.cumulative,
    ).values(),
  ];
  for (const slot of lateSlots) if (slot.at >= quarterFrom) addTo(db, 'quarter', point, slot);
  const dayOf = (at: WallMs): WallMs => slotOf(at, 'day', timeZone);
  for (const slot of lateSlots) {
    const at = dayOf(slot.at);
    if (at < quarterFrom) addTo(db, 'day', point, { ...slot, at });
  }
  const days = new Set([...quarters, ...lateSlots.map(({ at }) => at)].map(dayOf));
  for (const day of days) if (day >= quarterFrom) sumDay(db, point, day, timeZone);
}

/** One quarter hour from its raw values. */
function sumQuarter(db: Db, point: PointOf, quarter: WallMs): void {
  const rows = prepared<number[], { at: number; value: number | null }>(
    db,
    'SELECT at, value FROM raw WHERE point = ? AND at >= ? AND at < ? ORDER BY at',
  ).all(point.id, quarter, slotEnd(quarter, 'quarter', ''));
  for (const slot of fold(rows, () => quarter, point.cumulative).values()) put(db, 'quarter', point, slot);
}

/** One day from its quarter hours. */
function sumDay(db: Db, point: PointOf, day: WallMs, timeZone: string): void {
  let sum: Slot | null = null;
  const rows = storedSlots(db, 'quarter', point.id, day, slotEnd(day, 'day', timeZone));
  // A quarter hour whose count is unknown weighs like one value rather than nothing.
  for (const row of rows) {
    const one = { ...row, at: day, n: Math.max(1, row.n), last: row.last ?? row.at };
    sum = sum ? merge(sum, one, point.cumulative) : one;
  }
  if (sum) put(db, 'day', point, point.cumulative ? sum : { ...sum, last: null });
}

function addTo(db: Db, kind: SlotKind, point: PointOf, slot: Slot): void {
  const [stored] = storedSlots(db, kind, point.id, slot.at, slot.at + 1);
  put(db, kind, point, stored ? merge(stored, slot, point.cumulative) : slot);
}

function put(db: Db, kind: SlotKind, point: PointOf, { at, value, min, max, n, last }: Slot): void {
  prepared(db, `INSERT OR REPLACE INTO ${kind} VALUES (?, ?, ?, ?, ?, ?, ?)`).run(
    point.id,
    at,
    value,
    min,
    max,
    n,
    last,
  );
}

export function storedSlots(
  db: Db,
  kind: SlotKind,
  pointId: number,
  fromMs: WallMs,
  untilMs: WallMs,
): Slot[] {
  return prepared<number[], Slot>(
    db,
    `SELECT at, value, min, max, n, last FROM ${kind} WHERE point = ? AND at >= ? AND at < ? ORDER BY at`,
  ).all(pointId, fromMs, untilMs);
}

/** Stored slots with what is still in memory added. Slots that begin in [fromMs, untilMs), oldest first. */
export function withTail(
  stored: readonly Slot[],
  tail: readonly { readonly at: WallMs; readonly value: number | null }[],
  cumulative: boolean,
  range: {
    readonly fromMs: WallMs;
    readonly untilMs: WallMs;
    readonly kind: SlotKind;
    readonly timeZone: string;
  },
): Slot[] {
  const slots = new Map(stored.map((slot) => [slot.at, slot] as const));
  const find = (at: WallMs): WallMs => slotOf(at, range.kind, range.timeZone);
  for (const [at, slot] of fold(tail, find, cumulative)) {
    if (at < range.fromMs || at >= range.untilMs) continue;
    const before = slots.get(at);
    slots.set(at, before ? merge(before, slot, cumulative) : slot);
  }
  return [...slots.values()].sort((a, b) => a.at - b.at);
}
