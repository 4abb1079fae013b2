/** Opens the database file, whatever state a power cut left it in, and says what was done. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { type ErrorCode, HearthError } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { MIGRATIONS } from './migrations/index.ts';

export type Db = Database.Database;
/** Makes the connection. Handed in by tests that need a disk that fails. */
export type Connect = (file: string, options: Database.Options) => Db;
export const connectFile: Connect = (file, options) => new Database(file, options);

export interface Opened {
  readonly db: Db;
  /** What was found and done, one line each. */
  readonly report: readonly string[];
  /** The damaged file that was moved aside. */
  readonly aside: string | null;
}

export interface OpenOptions {
  readonly connect: Connect;
  readonly maxSize_bytes: number;
  /** Whether a commit waits until the disk has it. */
  readonly syncs: boolean;
  /** Damage was met while the database was in use: it is moved aside even when the check at opening finds nothing. */
  readonly damaged: boolean;
}

const SUFFIXES = ['', '-wal', '-shm'] as const;
/** A larger file is checked where the house cannot do without: reading the rest would hold up the start. */
const CHECKED_WHOLE_bytes = 8 * 1024 * 1024;
const COPIED_bytes = 32 * 1024 * 1024;
/** Offset of the read and write versions of the file format. */
const FORMAT_AT = 18;
const CHECKED_TABLES = ['point', 'setting', 'signal', 'write_budget', 'mark', 'tail'];

/**
 * A file that is no database, or whose check fails, is moved aside (`.damaged-N`) and a new one is begun: the house
 * goes on. Throws a HearthError when there is no disk to write to (STORE_READ_ONLY, STORE_FULL, STORE_UNREACHABLE,
 * STORE_BUSY) and STORE_NEWER for a file of a newer version, which is not touched.
 */
export function openDatabase(file: string, options: OpenOptions): Opened {
  try {
    return open(file, options);
  } catch (error) {
    if (error instanceof HearthError) throw error;
    const code = codeOf(error);
    throw new HearthError(
      code === 'INTERNAL' ? 'STORE_UNREACHABLE' : code,
      `${file}: ${error instanceof Error ? error.message : 'cannot be opened'}`,
      error,
    );
  }
}

function open(file: string, options: OpenOptions): Opened {
  const report: string[] = [];
  mkdirSync(path.dirname(file), { recursive: true });
  if (existsSync(`${file}-wal`)) report.push('the last run did not close the database: its log was replayed');
  let db = options.damaged ? null : tryOpen(file, options);
  let aside: string | null = null;
  if (!db) {
    aside = moveAside(file);
    report.push(`the database was damaged; it was moved to ${aside} and a new one begun`);
    db = tryOpen(file, options);
  }
  if (!db) throw new HearthError('STORE_CORRUPT', `${file} cannot be opened`);
  const applied = migrate(db);
  if (applied > 0) report.push(`${applied} migration(s) applied, now version ${MIGRATIONS.length}`);
  return { db, report, aside };
}

function tryOpen(file: string, { connect, maxSize_bytes, syncs }: OpenOptions): Db | null {
  if (existsSync(file) && !hasHeader(file)) return null;
  let db: Db | null = null;
  try {
    // Waiting for a lock blocks the whole gateway: a batch rather waits for its next turn.
    db = connect(file, { timeout: LIMITS.storeBusyMs });
    refuseNewer(db);
    // Only a new file takes this; an older one reuses its free pages.
    db.pragma('auto_vacuum = INCREMENTAL');
    db.pragma('journal_mode = WAL');
    // FULL: a batch that was committed survives a power cut, not only a crash of this process.
    db.pragma(`synchronous = ${syncs ? 'FULL' : 'OFF'}`);
    db.pragma('wal_autocheckpoint = 400');
    db.pragma('journal_size_limit = 4194304');
    db.pragma('temp_store = MEMORY');
    limitSize(db, maxSize_bytes);
    if (isSound(db, file)) return db;
    db.close();
    return null;
  } catch (error) {
    db?.close();
    if (codeOf(error) === 'STORE_CORRUPT') return null;
    throw error;
  }
}

/** Never below what it has. */
export const limitSize = (db: Db, size_bytes: number): void =>
  void db.pragma(`max_page_count = ${Math.floor(size_bytes / pageSize(db))}`);

const pageSize = (db: Db): number => Number(db.pragma('page_size', { simple: true }));

/** Whole as far as can be told in a moment; what is found later is handled when it is met. */
function isSound(db: Db, file: string): boolean {
  db.pragma('wal_checkpoint(PASSIVE)');
  const { size } = statSync(file);
  const logged = statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  const wanted = Number(db.pragma('page_count', { simple: true })) * pageSize(db);
  if (logged === 0 && size < wanted) return false;
  if (size <= CHECKED_WHOLE_bytes) return db.pragma('quick_check(1)', { simple: true }) === 'ok';
  return CHECKED_TABLES.every(
    (table) => !hasTable(db, table) || db.pragma(`quick_check(${table})`, { simple: true }) === 'ok',
  );
}

/**
 * A connection that only reads, to a file that cannot be written: as it is, or, where SQLite would have to make a log
 * beside it to do so, as a copy in memory. Throws when neither goes.
 */
export function openReadOnly(file: string, connect: Connect): Db {
  const options = { readonly: true, timeout: LIMITS.storeBusyMs };
  try {
    const db = connect(file, { ...options, fileMustExist: true });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return db;
  } catch (error) {
    if (statSync(file).size > COPIED_bytes || existsSync(`${file}-wal`)) throw error;
    const bytes = readFileSync(file);
    // File format 2 says that there is a log; the copy has none.
    bytes.fill(1, FORMAT_AT, FORMAT_AT + 2);
    return new Database(bytes, options);
  }
}

export const hasTable = (db: Db, table: string): boolean =>
  db.prepare(`SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?`).get(table) !== undefined;

/** An empty file is a new database; anything else must begin as SQLite begins. */
function hasHeader(file: string): boolean {
  const head = Buffer.alloc(16);
  const handle = openSync(file, 'r');
  try {
    const read = readSync(handle, head, 0, 16, 0);
    return read === 0 || head.toString('latin1') === 'SQLite format 3\0';
  } finally {
    closeSync(handle);
  }
}

/** The newest `storeDamagedKept` damaged files stay beside the new one: more would fill the disk. */
function moveAside(file: string): string {
  const numbers = damagedNumbers(file);
  const aside = `${file}.damaged-${Math.max(0, ...numbers) + 1}`;
  for (const suffix of SUFFIXES) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  for (const n of numbers.sort((a, b) => b - a).slice(LIMITS.storeDamagedKept - 1))
    for (const suffix of SUFFIXES) rmSync(`${file}.damaged-${n}${suffix}`, { force: true });
  return aside;
}

function damagedNumbers(file: string): number[] {
  const prefix = `${path.basename(file)}.damaged-`;
  return readdirSync(path.dirname(file))
    .filter((name) => name.startsWith(prefix))
    .map((name) => Number(name.slice(prefix.length)))
    .filter(Number.isInteger);
}

function refuseNewer(db: Db): void {
  const version = Number(db.pragma('user_version', { simple: true }));
  if (version <= MIGRATIONS.length) return;
  throw new HearthError(
    'STORE_NEWER',
    `the database is of version ${version}, this firmware knows ${MIGRATIONS.length}`,
  );
}

function migrate(db: Db): number {
  const from = Number(db.pragma('user_version', { simple: true }));
  try {
    MIGRATIONS.slice(from).forEach((sql, index) => {
      db.transaction(() => {
        db.exec(sql);
        db.pragma(`user_version = ${from + index + 1}`);
      })();
    });
  } catch (error) {
    db.close();
    throw error;
  }
  return MIGRATIONS.length - from;
}

/** The row of the catalogue that an error of SQLite or of the file system belongs to. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof HearthError) return error.code;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return CODES.find(([pattern]) => pattern.test(code))?.[1] ?? 'INTERNAL';
}

const CODES: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^SQLITE_FULL|^ENOSPC|^EDQUOT/, 'STORE_FULL'],
  [/^SQLITE_READONLY|^SQLITE_PERM|^EROFS|^EACCES|^EPERM/, 'STORE_READ_ONLY'],
  [/^SQLITE_BUSY|^SQLITE_LOCKED/, 'STORE_BUSY'],
  [/^SQLITE_CORRUPT|^SQLITE_NOTADB/, 'STORE_CORRUPT'],
  [/^SQLITE_IOERR|^SQLITE_CANTOPEN|^SQLITE_PROTOCOL|^SQLITE_NOMEM|^E[A-Z]/, 'STORE_UNREACHABLE'],
];
