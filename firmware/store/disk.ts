/** The database while it can be had: opened, lost, tried again with back-off. Nothing in here throws. */
import { statSync } from 'node:fs';
import { type ErrorCode, HearthError } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Clock, ElapsedMs, WallMs } from '../domain/time.ts';
import { codeOf, type Db, limitSize, type Opened, type OpenOptions, openDatabase } from './open.ts';
import { Reserve } from './reserve.ts';
import { prepared } from './statements.ts';

/** Failures after which the connection is of no use: it is closed and made anew. */
const GONE = new Set<ErrorCode>(['STORE_READ_ONLY', 'STORE_UNREACHABLE', 'STORE_CORRUPT']);

export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode };

export class Disk {
  private readonly file: string;
  private readonly clock: Clock;
  private readonly options: Omit<OpenOptions, 'damaged'>;
  private readonly attach: (opened: Opened) => void;
  private db: Db | null = null;
  private readonly reserve: Reserve;
  private isSqueezed = false;
  private inode = 0;
  private damaged = false;
  private retryMs: number = LIMITS.storeRetryMinMs;
  private retryAtMs: ElapsedMs = -Infinity;
  readonly failures: Partial<Record<ErrorCode, number>> = {};
  code: ErrorCode | null = null;
  /** What the last failure said, for the report. */
  message = '';
  commits = 0;
  lastCommitMs: WallMs | null = null;
  private committedAtMs: ElapsedMs | null = null;

  /** @param attach takes up what is on the disk; called after each opening, in which it may write. */
  constructor(
    file: string,
    clock: Clock,
    options: Omit<OpenOptions, 'damaged'>,
    attach: (opened: Opened) => void,
  ) {
    this.file = file;
    this.clock = clock;
    this.options = options;
    this.attach = attach;
    this.reserve = new Reserve(file);
  }

  get isOpen(): boolean {
    return this.db !== null;
  }

  /** Milliseconds until the next attempt makes sense; 0 when now does. */
  get waitMs(): number {
    return Math.max(0, this.retryAtMs - this.clock.elapsedMs());
  }

  get size_bytes(): number | null {
    if (!this.db) return null;
    const size = (suffix: string): number =>
      statSync(this.file + suffix, { throwIfNoEntry: false })?.size ?? 0;
    return size('') + size('-wal');
  }

  get lastCommitAgeMs(): number | null {
    return this.committedAtMs === null ? null : this.clock.elapsedMs() - this.committedAtMs;
  }

  get free_bytes(): number | null {
    try {
      return this.reserve.free_bytes;
    } catch {
      return null;
    }
  }

  /** Opens when it is closed; false when that fails. */
  open(): boolean {
    if (this.db) return true;
    let opened: Opened | null = null;
    try {
      opened = openDatabase(this.file, { ...this.options, damaged: this.damaged });
      this.inode = statSync(this.file).ino;
      this.damaged = false;
      this.db = opened.db;
      this.attach(opened);
      return true;
    } catch (error) {
      this.fail(error);
      // An opened database that cannot be taken up is no disk.
      opened?.db.close();
      this.db = null;
      return false;
    }
  }

  /** One transaction; on failure nothing of it is on the disk, and the failure is counted. */
  write<T>(work: (db: Db) => T): Outcome<T> {
    try {
      if (!this.open() || !this.db) return { ok: false, code: this.code ?? 'STORE_UNREACHABLE' };
      this.checkPlace();
      const value = inTransaction(this.db, work);
      this.succeeded();
      return { ok: true, value };
    } catch (error) {
      return { ok: false, code: this.fail(error) };
    }
  }

  read<T>(query: (db: Db) => T, otherwise: T): T {
    if (!this.db) return otherwise;
    try {
      return query(this.db);
    } catch (error) {
      this.fail(error);
      return otherwise;
    }
  }

  /**
   * On a disk that others have filled: the reserve makes room for the log, and the database grows no more, so that
   * from now on forgetting makes room. Undone by `stretch`.
   */
  squeeze(): void {
    try {
      if (!this.db || !this.reserve.isNeeded) return;
      this.reserve.giveUp();
      this.db.pragma(`max_page_count = ${Number(this.db.pragma('page_count', { simple: true }))}`);
      this.db.pragma('wal_checkpoint(RESTART)');
      this.isSqueezed = true;
    } catch (error) {
      this.fail(error);
    }
  }

  /** Takes a part of the reserve when the disk has room again; true while there is more to take. */
  stretch(): boolean {
    if (!this.db || !this.reserve.isAffordable) return false;
    if (this.isSqueezed) limitSize(this.db, this.options.maxSize_bytes);
    this.isSqueezed = false;
    return this.reserve.take();
  }

  /** A file that was deleted or replaced still takes writes, into nowhere. */
  private checkPlace(): void {
    if (statSync(this.file, { throwIfNoEntry: false })?.ino !== this.inode)
      throw new HearthError('STORE_UNREACHABLE', `${this.file} was moved or deleted`);
  }

  private succeeded(): void {
    this.code = null;
    this.commits += 1;
    this.lastCommitMs = this.clock.wallMs();
    this.committedAtMs = this.clock.elapsedMs();
    this.retryMs = LIMITS.storeRetryMinMs;
    this.retryAtMs = -Infinity;
  }

  private fail(error: unknown): ErrorCode {
    const code = codeOf(error);
    this.code = code;
    this.message = error instanceof Error ? error.message : 'unknown';
    this.failures[code] = (this.failures[code] ?? 0) + 1;
    this.retryAtMs = this.clock.elapsedMs() + this.retryMs;
    this.retryMs = Math.min(this.retryMs * 2, LIMITS.storeRetryMaxMs);
    if (code === 'STORE_CORRUPT') this.damaged = true;
    if (GONE.has(code)) this.close();
    return code;
  }

  close(): void {
    try {
      this.db?.close();
    } catch {
      // A disk that is gone cannot be closed in order; the log is replayed at the next opening.
    }
    this.db = null;
  }
}

function inTransaction<T>(db: Db, work: (db: Db) => T): T {
  prepared(db, 'BEGIN IMMEDIATE').run();
  try {
    const value = work(db);
    prepared(db, 'COMMIT').run();
    return value;
  } catch (error) {
    // Some failures have rolled back by themselves.
    if (db.inTransaction) prepared(db, 'ROLLBACK').run();
    throw error;
  }
}
