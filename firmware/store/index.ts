/** The only room that knows SQL. */
import type Database from 'better-sqlite3';
import { startOfDay } from '../domain/calendar.ts';
import type { Override } from '../domain/image.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Signal } from '../domain/signal.ts';
import type {
  Journal,
  JournalEntry,
  OverrideStore,
  Settings,
  SignalStore,
  Storage,
  WriteBudget,
} from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';
import { openDatabase } from './open.ts';
import { Series } from './series.ts';

export interface StoreOptions {
  readonly clock: Clock;
  /** IANA zone whose days the roll-ups and write budgets follow. */
  readonly timeZone: string;
}

/**
 * Opens or makes the database at `path`. A measurement is on disk within `LIMITS.storeBatchMs` of its arrival, and
 * that is the most a power cut loses. A disk that is full or read-only loses nothing that fits the queue.
 */
export function openStore(path: string, options: StoreOptions): Storage {
  const { db, report } = openDatabase(path);
  const opened = [...report];
  let failed = false;
  const onFailure = (error: unknown, lost: number): void => {
    if (!failed)
      opened.push(
        `writing failed: ${error instanceof Error ? error.message : 'unknown'}${lost > 0 ? `, ${lost} values lost` : ''}`,
      );
    failed = true;
  };
  const series = new Series(db, options.clock, options.timeZone, onFailure);
  const settings = settingsOf(db, onFailure);
  return {
    series,
    journal: journalOf(db, onFailure),
    signals: signalsOf(db, onFailure),
    settings,
    writes: writesOf(db, options.timeZone, onFailure),
    overrides: overridesOf(settings),
    opened,
    maintain(wallMs) {
      try {
        series.maintain(wallMs);
        db.prepare('DELETE FROM journal WHERE id <= (SELECT max(id) FROM journal) - ?').run(
          LIMITS.journalRows,
        );
        db.pragma('optimize');
      } catch (error) {
        onFailure(error, 0);
      }
    },
    close() {
      series.flush();
      db.close();
    },
  };
}

type OnFailure = (error: unknown, lost: number) => void;

function attempt(onFailure: OnFailure, write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    onFailure(error, 1);
    return false;
  }
}

function journalOf(db: Database.Database, onFailure: OnFailure): Journal {
  const insert = db.prepare('INSERT INTO journal (at, kind, subject, code, detail) VALUES (?, ?, ?, ?, ?)');
  return {
    record: ({ atMs, kind, subject, code, detail }) =>
      attempt(
        onFailure,
        () => void insert.run(Math.round(atMs), kind, subject, code, JSON.stringify(detail)),
      ),
    read({ limit, beforeId = Number.MAX_SAFE_INTEGER, kind, subject }) {
      return db
        .prepare<
          unknown[],
          {
            id: number;
            at: number;
            kind: JournalEntry['kind'];
            subject: string | null;
            code: string;
            detail: string;
          }
        >(
          `SELECT * FROM journal WHERE id < ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR subject = ?) ORDER BY id DESC LIMIT ?`,
        )
        .all(beforeId, kind ?? null, kind ?? null, subject ?? null, subject ?? null, Math.min(limit, 1000))
        .map(({ at, detail, ...row }) => ({
          ...row,
          atMs: at,
          detail: JSON.parse(detail) as Record<string, unknown>,
        }));
    },
  };
}

function signalsOf(db: Database.Database, onFailure: OnFailure): SignalStore {
  return {
    save(signal) {
      const until = signal.intervals.reduce((end, i) => Math.max(end, i.untilMs), 0);
      return attempt(
        onFailure,
        () =>
          void db
            .prepare('INSERT OR REPLACE INTO signal (id, until, body) VALUES (?, ?, ?)')
            .run(signal.id, Math.min(until, Number.MAX_SAFE_INTEGER), JSON.stringify(signal)),
      );
    },
    remove: (id) => void attempt(onFailure, () => void db.prepare('DELETE FROM signal WHERE id = ?').run(id)),
    load: (wallMs) =>
      db
        .prepare<[number, number], { body: string }>(
          'SELECT body FROM signal WHERE until > ? ORDER BY id LIMIT ?',
        )
        .all(wallMs, LIMITS.signalsKept)
        .map(({ body }) => JSON.parse(body) as Signal),
  };
}

function settingsOf(db: Database.Database, onFailure: OnFailure): Settings {
  return {
    get: (name) =>
      db.prepare<[string], { value: string }>('SELECT value FROM setting WHERE name = ?').get(name)?.value ??
      null,
    set: (name, value) =>
      attempt(
        onFailure,
        () => void db.prepare('INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)').run(name, value),
      ),
    remove: (name) =>
      attempt(onFailure, () => void db.prepare('DELETE FROM setting WHERE name = ?').run(name)),
  };
}

function writesOf(db: Database.Database, timeZone: string, onFailure: OnFailure): WriteBudget {
  const used = (device: string, day: number): number =>
    db
      .prepare<[string, number], { used: number }>(
        'SELECT used FROM write_budget WHERE device = ? AND day = ?',
      )
      .get(device, day)?.used ?? 0;
  return {
    spend(device, wallMs, perDay) {
      const day = startOfDay(wallMs, timeZone);
      if (used(device, day) >= perDay) return false;
      // A disk that takes nothing does not stop a command.
      attempt(onFailure, () => {
        db.prepare(
          'INSERT INTO write_budget VALUES (?, ?, 1) ON CONFLICT (device, day) DO UPDATE SET used = used + 1',
        ).run(device, day);
        db.prepare('DELETE FROM write_budget WHERE device = ? AND day < ?').run(device, day - 7 * 86_400_000);
      });
      return true;
    },
    used: (device, wallMs) => used(device, startOfDay(wallMs, timeZone)),
  };
}

const OVERRIDE = 'override.';

function overridesOf(settings: Settings): OverrideStore {
  const index = (): string[] => JSON.parse(settings.get('overrides') ?? '[]') as string[];
  return {
    load: () =>
      new Map(
        index().flatMap((id) => {
          const text = settings.get(OVERRIDE + id);
          return text === null ? [] : [[id, JSON.parse(text) as Override] as const];
        }),
      ),
    save(device, override) {
      settings.set(OVERRIDE + device, JSON.stringify(override));
      settings.set('overrides', JSON.stringify([...new Set([...index(), device])]));
    },
  };
}
