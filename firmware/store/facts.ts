/**
 * Small facts: settings, signals, write budgets. Memory holds them all and the disk follows, so that the house goes on
 * without one and needs no disk to read them.
 */
import type { Override } from '../domain/image.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Signal } from '../domain/signal.ts';
import type { OverrideStore, Settings, SignalStore, WriteBudget } from '../domain/storage.ts';
import type { WallMs } from '../domain/time.ts';
import type { Db } from './open.ts';
import { slotOf } from './slots.ts';
import { prepared } from './statements.ts';

/** A table of facts by key, and which of them the disk does not have yet. */
interface Table<T> {
  readonly kept: Map<string, T>;
  readonly unsaved: Set<string>;
}

interface KeptSignal {
  readonly until: number;
  readonly body: string;
}

interface Budget {
  readonly device: string;
  readonly day: WallMs;
  readonly used: number;
  /** What the disk is told: writes are booked there some ahead, so that one commit covers many. */
  readonly booked: number;
}

const BUDGET_DAYS = 8;
/** So much of a day's budget is booked at once. After a cut the rest of it counts as spent: the safe side for the flash. */
const BOOKED_SHARE = 0.01;
const OVERRIDE = 'override.';
const budgetKey = (device: string, day: WallMs): string => `${device} ${day}`;
const table = <T>(): Table<T> => ({ kept: new Map(), unsaved: new Set() });

export class Facts {
  private readonly settingTable = table<string>();
  private readonly signalTable = table<KeptSignal>();
  private readonly budgetTable = table<Budget>();
  private readonly timeZone: string;
  private readonly changed: (urgency: 'now' | 'soon') => void;
  private readonly refused: () => void;
  /** Whether the disk was read since the start: what is not here is nowhere. */
  known = false;

  /**
   * @param changed asks for a commit
   * @param refused counts a fact for which there is no room
   */
  constructor(timeZone: string, changed: (urgency: 'now' | 'soon') => void, refused: () => void) {
    this.timeZone = timeZone;
    this.changed = changed;
    this.refused = refused;
  }

  /** Takes in what the disk has; where memory knows better, the disk is to follow. */
  attach(db: Db): void {
    const read = soundReader(db);
    take(this.settingTable, settingRows(read), (mine) => mine);
    take(this.signalTable, signalRows(read), (mine) => mine);
    // Booked on both sides while the disk was away: the larger is the safer.
    take(this.budgetTable, budgetRows(read), (mine, theirs) =>
      mine.booked >= theirs.booked ? mine : theirs,
    );
    this.known = true;
  }

  /** Takes in what another file has: one that is damaged, or that cannot be written. Returns how many facts. */
  adopt(read: Reader): number {
    return (
      adopt(this.settingTable, settingRows(read)) +
      adopt(this.signalTable, signalRows(read)) +
      adopt(this.budgetTable, budgetRows(read))
    );
  }

  write(db: Db): void {
    save(this.settingTable, db, 'setting', 'name', (name, value) => ({ name, value }));
    save(this.signalTable, db, 'signal', 'id', (id, signal) => ({ id, ...signal }));
    for (const key of this.budgetTable.unsaved) {
      const budget = this.budgetTable.kept.get(key);
      if (!budget) continue;
      prepared(
        db,
        'INSERT OR REPLACE INTO write_budget (device, day, used) VALUES (@device, @day, @booked)',
      ).run(budget);
      // By rank, not by age: a clock that jumped ahead must not make today's bookings old.
      prepared(
        db,
        `DELETE FROM write_budget WHERE device = @device AND day NOT IN
           (SELECT day FROM write_budget WHERE device = @device ORDER BY day DESC LIMIT ${BUDGET_DAYS})`,
      ).run({ device: budget.device });
    }
  }

  /** Gives back what was booked ahead, before the store is closed in order. */
  settle(): void {
    for (const [key, budget] of this.budgetTable.kept)
      if (budget.booked > budget.used) put(this.budgetTable, key, { ...budget, booked: budget.used });
  }

  written(): void {
    for (const { unsaved } of [this.settingTable, this.signalTable, this.budgetTable]) unsaved.clear();
  }

  get pending(): number {
    return this.settingTable.unsaved.size + this.signalTable.unsaved.size + this.budgetTable.unsaved.size;
  }

  readonly settings: Settings = {
    get: (name) => this.settingTable.kept.get(name) ?? null,
    set: (name, value) => {
      const { kept } = this.settingTable;
      if (kept.get(name) === value) return;
      if (!kept.has(name) && kept.size >= LIMITS.storeSettings) return this.refused();
      put(this.settingTable, name, value);
      this.changed('soon');
    },
    remove: (name) => {
      if (drop(this.settingTable, name)) this.changed('soon');
    },
    isKnown: () => this.known,
  };

  readonly signals: SignalStore = {
    save: (signal) => {
      const until = signal.intervals.reduce((end, i) => Math.max(end, i.untilMs), 0);
      const body = JSON.stringify(signal);
      put(this.signalTable, signal.id, { until: Math.min(until, Number.MAX_SAFE_INTEGER), body });
      this.boundSignals();
      this.changed('now');
      return !this.signalTable.unsaved.has(signal.id);
    },
    remove: (id) => {
      if (drop(this.signalTable, id)) this.changed('soon');
    },
    load: (wallMs) =>
      [...this.signalTable.kept]
        .filter(([, { until }]) => until > wallMs)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([, { body }]) => parsed<Signal>(body) ?? []),
  };

  /** The one that ends first makes room. */
  private boundSignals(): void {
    while (this.signalTable.kept.size > LIMITS.signalsKept) {
      const [first] = [...this.signalTable.kept].sort(([, a], [, b]) => a.until - b.until);
      if (!first) return;
      drop(this.signalTable, first[0]);
      this.refused();
    }
  }

  readonly writes: WriteBudget = {
    spend: (device, wallMs, perDay) => {
      const day = slotOf(wallMs, 'day', this.timeZone);
      const key = budgetKey(device, day);
      const { used, booked } = this.budgetTable.kept.get(key) ?? { used: 0, booked: 0 };
      if (used >= perDay) return false;
      if (used < booked) {
        this.budgetTable.kept.set(key, { device, day, used: used + 1, booked });
        return true;
      }
      const ahead = Math.max(1, Math.floor(perDay * BOOKED_SHARE));
      put(this.budgetTable, key, { device, day, used: used + 1, booked: Math.min(perDay, used + ahead) });
      forgetOldest(this.budgetTable.kept, device);
      this.changed('now');
      return true;
    },
    used: (device, wallMs) =>
      this.budgetTable.kept.get(budgetKey(device, slotOf(wallMs, 'day', this.timeZone)))?.used ?? 0,
  };

  readonly overrides: OverrideStore = {
    load: () =>
      new Map(
        this.overridden().flatMap((id) => {
          const override = parsed<Override>(this.settings.get(OVERRIDE + id));
          return override === null ? [] : [[id, override] as const];
        }),
      ),
    save: (device, override) => {
      put(this.settingTable, OVERRIDE + device, JSON.stringify(override));
      put(this.settingTable, 'overrides', JSON.stringify([...new Set([...this.overridden(), device])]));
      this.changed('soon');
    },
  };

  private overridden(): string[] {
    return parsed<string[]>(this.settings.get('overrides')) ?? [];
  }
}

/** Reads the rows of a table; one that reads what is left of a damaged file gives what it can. */
export type Reader = <T>(tableName: string, orderBy: string, limit: number) => readonly T[];

export const soundReader =
  (db: Db): Reader =>
  <T>(tableName: string, orderBy: string, limit: number) =>
    prepared<[number], T>(db, `SELECT * FROM ${tableName} ORDER BY ${orderBy} LIMIT ?`).all(limit);

const settingRows = (read: Reader): (readonly [string, string])[] =>
  read<{ name: string; value: string }>('setting', 'name', LIMITS.storeSettings).map(
    ({ name, value }) => [name, value] as const,
  );

const signalRows = (read: Reader): (readonly [string, KeptSignal])[] =>
  read<KeptSignal & { id: string }>('signal', 'id', LIMITS.signalsKept).map(
    ({ id, until, body }) => [id, { until, body }] as const,
  );

const budgetRows = (read: Reader): (readonly [string, Budget])[] =>
  read<Omit<Budget, 'booked'>>('write_budget', 'device, day', LIMITS.devices * BUDGET_DAYS).map(
    ({ device, day, used }) => [budgetKey(device, day), { device, day, used, booked: used }] as const,
  );

/** Takes in what is not known here, to be saved. */
function adopt<T>({ kept, unsaved }: Table<T>, rows: readonly (readonly [string, T])[]): number {
  let count = 0;
  for (const [key, value] of rows) {
    if (kept.has(key) || unsaved.has(key)) continue;
    kept.set(key, value);
    unsaved.add(key);
    count += 1;
  }
  return count;
}

function take<T>(
  { kept, unsaved }: Table<T>,
  rows: readonly (readonly [string, T])[],
  better: (mine: T, theirs: T) => T,
): void {
  const theirs = new Map(rows);
  for (const [key, value] of theirs) {
    const mine = kept.get(key);
    // What was removed while the disk was away is unsaved and not kept: it stays removed.
    if (mine === undefined && !unsaved.has(key)) kept.set(key, value);
    if (mine !== undefined) kept.set(key, better(mine, value));
  }
  for (const [key, mine] of kept)
    if (JSON.stringify(theirs.get(key)) !== JSON.stringify(mine)) unsaved.add(key);
}

function put<T>({ kept, unsaved }: Table<T>, key: string, value: T): void {
  kept.set(key, value);
  unsaved.add(key);
}

function drop<T>({ kept, unsaved }: Table<T>, key: string): boolean {
  if (!kept.delete(key)) return false;
  unsaved.add(key);
  return true;
}

function save<T>(
  { kept, unsaved }: Table<T>,
  db: Db,
  name: string,
  keyColumn: string,
  rowOf: (key: string, value: T) => Record<string, unknown>,
): void {
  for (const key of unsaved) {
    const value = kept.get(key);
    if (value === undefined) {
      prepared(db, `DELETE FROM ${name} WHERE ${keyColumn} = ?`).run(key);
      continue;
    }
    const row = rowOf(key, value);
    const columns = Object.keys(row);
    prepared(
      db,
      `INSERT OR REPLACE INTO ${name} (${columns.join(', ')}) VALUES (${columns.map((c) => `@${c}`).join(', ')})`,
    ).run(row);
  }
}

function forgetOldest(kept: Map<string, Budget>, device: string): void {
  const days = [...kept.values()].filter((b) => b.device === device).sort((a, b) => b.day - a.day);
  for (const { day } of days.slice(BUDGET_DAYS)) kept.delete(budgetKey(device, day));
}

/** What cannot be read any more is as if it were not there. */
function parsed<T>(text: string | null): T | null {
  if (text === null) return null;
  try {
    return JSON.parse(text) as T;
  } catch {
    return null;
  }
}
