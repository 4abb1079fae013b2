/** Opens the database file, whatever state a power cut left it in, and says what was done. */
import { closeSync, existsSync, openSync, readSync, renameSync } from 'node:fs';
import Database from 'better-sqlite3';
import { HearthError } from '../domain/errors.ts';
import { MIGRATIONS } from './migrations.ts';

export interface Opened {
  readonly db: Database.Database;
  /** What was found and done, one line each. */
  readonly report: readonly string[];
}

/**
 * A file that is no database, or whose check fails, is moved aside (`.damaged-N`) and a new one is begun: the house
 * goes on. Throws STORE_NEWER for a file of a newer version, which must not be touched.
 */
export function openDatabase(path: string): Opened {
  const report: string[] = [];
  if (existsSync(`${path}-wal`)) report.push('the last run did not close the database: its log was replayed');
  let db = tryOpen(path);
  if (!db) {
    const aside = freeName(path);
    for (const suffix of ['', '-wal', '-shm'])
      if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
    report.push(`the database was damaged; it was moved to ${aside} and a new one begun`);
    db = tryOpen(path);
  }
  if (!db) throw new HearthError('STORE_CORRUPT', `${path} cannot be opened`);
  const applied = migrate(db);
  if (applied > 0) report.push(`${applied} migration(s) applied, now version ${MIGRATIONS.length}`);
  return { db, report };
}

function tryOpen(path: string): Database.Database | null {
  if (existsSync(path) && !hasHeader(path)) return null;
  let db: Database.Database | null = null;
  try {
    // Waiting for a lock blocks the whole gateway: a batch rather waits for its next turn.
    db = new Database(path, { timeout: 250 });
    db.pragma('journal_mode = WAL');
    // FULL: a batch that was committed survives a power cut, not only a crash of this process.
    db.pragma('synchronous = FULL');
    db.pragma('wal_autocheckpoint = 400');
    db.pragma('temp_store = MEMORY');
    if (db.pragma('quick_check(1)', { simple: true }) === 'ok') return db;
    db.close();
    return null;
  } catch (error) {
    db?.close();
    if (error instanceof Error && 'code' in error && /CORRUPT|NOTADB/.test(String(error.code))) return null;
    throw new HearthError(
      'STORE_CORRUPT',
      `${path}: ${error instanceof Error ? error.message : 'cannot be opened'}`,
      error,
    );
  }
}

/** An empty file is a new database; anything else must begin as SQLite begins. */
function hasHeader(path: string): boolean {
  const head = Buffer.alloc(16);
  const file = openSync(path, 'r');
  try {
    const read = readSync(file, head, 0, 16, 0);
    return read === 0 || head.toString('latin1') === 'SQLite format 3\0';
  } finally {
    closeSync(file);
  }
}

function freeName(path: string): string {
  let n = 1;
  while (existsSync(`${path}.damaged-${n}`)) n += 1;
  return `${path}.damaged-${n}`;
}

function migrate(db: Database.Database): number {
  const from = Number(db.pragma('user_version', { simple: true }));
  if (from > MIGRATIONS.length) {
    db.close();
    throw new HearthError(
      'STORE_NEWER',
      `the database is of version ${from}, this firmware knows ${MIGRATIONS.length}`,
    );
  }
  MIGRATIONS.slice(from).forEach((sql, index) => {
    db.transaction(() => {
      db.exec(sql);
      db.pragma(`user_version = ${from + index + 1}`);
    })();
  });
  return MIGRATIONS.length - from;
}
