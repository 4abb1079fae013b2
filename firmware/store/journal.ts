/** What happened, in order. Entries wait for the batch, or go with what does not. */
import { LIMITS } from '../domain/limits.ts';
import type { Journal, JournalEntry, JournalKind } from '../domain/storage.ts';
import type { Disk } from './disk.ts';
import type { Db } from './open.ts';
import { prepared } from './statements.ts';

interface Row {
  readonly id: number;
  readonly at: number;
  readonly kind: JournalKind;
  readonly subject: string | null;
  readonly code: string;
  readonly detail: string;
}

type Numbered = JournalEntry & { readonly id: number };

/** Kept longest while there is no disk: what was obeyed, and what was done. */
const KEPT_LONGEST: ReadonlySet<JournalKind> = new Set(['signal', 'command']);
const PAGE = 1_000;
/** Where the old numbers of a damaged database cannot be read, its entries are older than this all the same. */
const PAST_ANY_ID = 1_000_000_000;

export interface JournalDeps {
  readonly disk: Disk;
  /** Each entry as it is made, for the log. */
  readonly recorded: (entry: JournalEntry) => void;
  readonly changed: () => void;
  readonly onLost: (count: number) => void;
}

export class StoredJournal implements Journal {
  private readonly deps: JournalDeps;
  private pendingRows: Row[] = [];
  private batch = 0;
  private nextId = 1;

  constructor(deps: JournalDeps) {
    this.deps = deps;
  }

  get pending(): number {
    return this.pendingRows.length;
  }

  record(entry: JournalEntry): void {
    const { atMs, kind, subject, code, detail } = entry;
    this.deps.recorded(entry);
    const text = detailOf(detail);
    const at = Math.round(atMs);
    if (text === null || !Number.isSafeInteger(at)) this.deps.onLost(1);
    else this.add({ id: this.nextId++, at, kind, subject, code, detail: text });
  }

  private add(row: Row): void {
    this.pendingRows.push(row);
    if (this.pendingRows.length > LIMITS.storeMemoryJournal) this.dropOldest();
    this.deps.changed();
  }

  private dropOldest(): void {
    const index = this.pendingRows.findIndex(({ kind }) => !KEPT_LONGEST.has(kind));
    this.pendingRows.splice(Math.max(0, index), 1);
    this.deps.onLost(1);
  }

  attach(db: Db, afterDamage: Db | null): void {
    this.renumber(Math.max(maxId(db), afterDamage ? oldMaxId(afterDamage) : 0));
  }

  private renumber(after: number): void {
    this.nextId = after + 1;
    this.pendingRows = this.pendingRows.map((row) => ({ ...row, id: this.nextId++ }));
  }

  write(db: Db): void {
    const last = maxId(db);
    if (last >= (this.pendingRows[0]?.id ?? Infinity)) this.renumber(last);
    const insert = prepared(
      db,
      'INSERT INTO journal (id, at, kind, subject, code, detail) VALUES (@id, @at, @kind, @subject, @code, @detail)',
    );
    const rows = this.pendingRows.slice(0, LIMITS.storeBatchRows);
    for (const row of rows) insert.run(row);
    this.batch = rows.length;
  }

  written(): void {
    this.pendingRows.splice(0, this.batch);
    this.batch = 0;
  }

  read({
    limit,
    beforeId = Number.MAX_SAFE_INTEGER,
    kind,
    subject,
  }: Parameters<Journal['read']>[0]): Numbered[] {
    const wanted = Math.max(0, Math.min(limit, PAGE));
    const waiting = this.pendingRows
      .filter(
        (row) =>
          row.id < beforeId &&
          (kind === undefined || row.kind === kind) &&
          (subject === undefined || row.subject === subject),
      )
      .reverse()
      .slice(0, wanted);
    const stored = this.deps.disk.read(
      (db) =>
        prepared<unknown[], Row>(
          db,
          `SELECT * FROM journal WHERE id < ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR subject = ?)
             ORDER BY id DESC LIMIT ?`,
        ).all(
          Math.min(beforeId, this.pendingRows[0]?.id ?? beforeId),
          kind ?? null,
          kind ?? null,
          subject ?? null,
          subject ?? null,
          wanted - waiting.length,
        ),
      [],
    );
    return [...waiting, ...stored].map(entryOf);
  }

  /** One step of forgetting what is past `journalRows`; true while there is more. */
  age(db: Db): boolean {
    return forgetUpTo(db, maxId(db) - LIMITS.journalRows) === LIMITS.storeStepRows;
  }

  /** On a disk that is full and has nothing else to give. */
  makeRoom(db: Db): void {
    forgetUpTo(db, maxId(db));
  }
}

const maxId = (db: Db): number =>
  prepared<[], { id: number | null }>(db, 'SELECT max(id) AS id FROM journal').get()?.id ?? 0;

const forgetUpTo = (db: Db, id: number): number =>
  prepared(
    db,
    'DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE id <= ? ORDER BY id LIMIT ?)',
  ).run(id, LIMITS.storeStepRows).changes;

function oldMaxId(damaged: Db): number {
  try {
    return maxId(damaged);
  } catch {
    return PAST_ANY_ID;
  }
}

function entryOf({ at, detail, ...row }: Row): Numbered {
  return { ...row, atMs: at, detail: dataOf(detail) };
}

function dataOf(detail: string): Record<string, unknown> {
  try {
    return JSON.parse(detail) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** Null when it is no plain data; a detail too long for the journal is left out and said so. */
function detailOf(detail: JournalEntry['detail']): string | null {
  try {
    const text = JSON.stringify(detail);
    if (text.length <= LIMITS.journalDetail_chars) return text;
    return JSON.stringify({ omitted_chars: text.length });
  } catch {
    return null;
  }
}
