/** The only room that knows SQL. */
import type { ErrorCode } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { JournalEntry, Storage, StorageHealth } from '../domain/storage.ts';
import type { Clock, WallMs } from '../domain/time.ts';
import { Ageing, type Cuts } from './ageing.ts';
import { Disk } from './disk.ts';
import { Facts, soundReader } from './facts.ts';
import { StoredJournal } from './journal.ts';
import { type Connect, connectFile, type Db, type Opened, openReadOnly } from './open.ts';
import { damagedReader, Salvage, type Salvaged } from './salvage.ts';
import { Series } from './series.ts';
import { quarterOf, slotEnd, slotOf } from './slots.ts';
import { Upkeep } from './upkeep.ts';
import { Writer } from './writer.ts';

export interface StoreOptions {
  readonly clock: Clock;
  /** IANA zone whose days the roll-ups and write budgets follow. */
  readonly timeZone: string;
  /** The database never grows past this; default `LIMITS.storeSize_bytes`. */
  readonly maxSize_bytes?: number;
  /**
   * Whether a commit waits until the disk has it; default true. False is for simulated time, in which no power is cut:
   * what was committed then survives the end of the process, as it does with true.
   */
  readonly syncs?: boolean;
  /** Called with each entry of the journal as it is made, for the log. */
  readonly recorded?: (entry: JournalEntry) => void;
  /** Makes the connection; for tests that need a disk that fails. */
  readonly connect?: Connect;
}

/**
 * Opens or makes the database at `path`. Never throws for the disk's sake: where there is none to be had, or where the
 * file is of a newer version, the house goes on from bounded memory, `health()` says why, and the disk is tried again.
 * A measurement is on disk within `LIMITS.storeBatchMs` of its arrival, and that is the most a power cut loses.
 */
export function openStore(path: string, options: StoreOptions): Storage {
  return new Store(path, options);
}

/** A database gives pages back when so many are free; fewer are soon used again, and moving them wears the flash. */
const VACUUM_FROM_PAGES = 2_000;
const VACUUM_STEP_PAGES = 100;

class Store implements Storage {
  private readonly path: string;
  private readonly clock: Clock;
  private readonly timeZone: string;
  private readonly connect: Connect;
  private readonly disk: Disk;
  private readonly facts: Facts;
  private readonly writer: Writer;
  private readonly upkeep: Upkeep;
  private readonly ageing: Ageing;
  private settledQuarter: WallMs | null = null;
  private lost = 0;
  private undated = 0;
  private troubled: ErrorCode | null = null;
  private isStarted = false;
  readonly series: Series;
  readonly journal: StoredJournal;
  readonly opened: string[] = [];

  constructor(path: string, { clock, timeZone, connect = connectFile, ...options }: StoreOptions) {
    this.path = path;
    this.clock = clock;
    this.timeZone = timeZone;
    this.connect = connect;
    const { maxSize_bytes = LIMITS.storeSize_bytes, syncs = true } = options;
    this.disk = new Disk(path, clock, { connect, maxSize_bytes, syncs }, (opened) => this.attach(opened));
    const onLost = (count: number): void => this.giveUp(count);
    this.facts = new Facts(
      timeZone,
      (urgency) => this.writer.changed(urgency),
      () => onLost(1),
    );
    this.journal = new StoredJournal({
      disk: this.disk,
      recorded: options.recorded ?? (() => {}),
      changed: () => this.writer.changed('batch'),
      onLost,
    });
    this.series = new Series({
      clock,
      timeZone,
      disk: this.disk,
      changed: () => this.writer.changed('batch'),
      onLost,
      flush: () => this.writer.flush(),
    });
    this.writer = new Writer(this.disk, clock, this.parts(), {
      look: () => this.look(),
      committed: () => this.committed(),
      failed: (code) => {
        this.failed(code);
        // A fault of ours must not stand in the way of what comes after it.
        if (code === 'INTERNAL') this.skipBatch();
      },
    });
    this.upkeep = new Upkeep(this.disk, clock, (job, code) => {
      this.settledQuarter = null;
      if (job !== 'room') this.failed(code);
    });
    this.ageing = new Ageing(clock.elapsedMs(), (at) =>
      slotEnd(slotOf(at, 'day', timeZone), 'day', timeZone),
    );
    if (!this.disk.open()) this.startFromMemory();
    this.isStarted = true;
  }

  private parts() {
    const { facts, series, journal } = this;
    const none = (): void => {};
    return [
      {
        waiting: () => facts.pending,
        write: (db: Db) => facts.write(db),
        written: () => facts.written(),
        failed: none,
      },
      {
        waiting: () => series.tail.pending,
        write: (db: Db) => series.write(db),
        written: () => series.written(),
        failed: () => series.failed(),
      },
      {
        waiting: () => journal.pending,
        write: (db: Db) => journal.write(db),
        written: () => journal.written(),
        failed: none,
      },
    ];
  }

  get settings() {
    return this.facts.settings;
  }

  get signals() {
    return this.facts.signals;
  }

  get writes() {
    return this.facts.writes;
  }

  get overrides() {
    return this.facts.overrides;
  }

  /** Takes up a disk: at the start, or when it is back. */
  private attach({ db, report, aside }: Opened): void {
    this.facts.attach(db);
    this.series.attach(db);
    this.undated = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM undated').get()?.n ?? 0;
    const damaged = aside === null ? null : this.openAside(aside);
    this.journal.attach(db, damaged);
    for (const line of report) this.say(line);
    if (damaged && aside !== null) this.salvage(damaged, aside);
    this.upkeep.add('reserve', () => ({ more: this.disk.stretch() }));
  }

  /** What the house must know at once is read now; the rest follows in steps. */
  private salvage(damaged: Db, aside: string): void {
    const facts = this.facts.adopt(damagedReader(damaged));
    this.say(`${facts} settings, signals and write counts were read from the damaged database`);
    const salvage = new Salvage(damaged, {
      clock: this.clock,
      timeZone: this.timeZone,
      idOf: (db, name) => this.series.idOf(db, name),
      done: (salvaged) => this.say(salvageLine(salvaged, aside)),
    });
    this.upkeep.add('salvage', (db) => salvage.step(db));
  }

  private openAside(file: string): Db | null {
    try {
      const db = this.connect(file, { readonly: true, fileMustExist: true, timeout: LIMITS.storeBusyMs });
      // SQLite reads a file that was cut off only for who may repair its schema. Nothing is written to it here.
      db.unsafeMode(true);
      db.pragma('writable_schema = ON');
      db.prepare('SELECT count(*) FROM sqlite_schema').get();
      return db;
    } catch {
      this.say(`nothing can be read from ${file}`);
      return null;
    }
  }

  /** What is on a disk that cannot be written may be read all the same: limits and the owner's password above all. */
  private startFromMemory(): void {
    try {
      const db = openReadOnly(this.path, this.connect);
      this.facts.adopt(soundReader(db));
      this.facts.known = true;
      db.close();
    } catch {
      // Nothing is known then, and `isKnown` says so.
    }
    this.failed(this.disk.code ?? 'STORE_UNREACHABLE');
    this.writer.changed('batch');
  }

  /** Before each attempt to write: the clock may be believed by now. */
  private look(): boolean {
    const before = this.series.tail.held;
    const now = this.series.nowMs();
    if (now !== null && before > 0) this.settledQuarter = null;
    return this.series.tail.held > 0;
  }

  private committed(): void {
    if (this.troubled !== null) this.say('the disk takes what is written again');
    this.troubled = null;
    const now = this.series.nowMs();
    if (now === null) return;
    if (this.series.tail.held > 0) this.upkeep.add('aside', (db) => this.putAside(db));
    if (this.settledQuarter === quarterOf(now) && !this.series.tail.isLong) return;
    this.settledQuarter = quarterOf(now);
    this.upkeep.add('settle', (db) => this.series.settle(db));
  }

  private putAside(db: Db) {
    const { committed } = this.series.putAside(db);
    this.undated = db.prepare<[], { n: number }>('SELECT count(*) AS n FROM undated').get()?.n ?? 0;
    return { more: false, committed };
  }

  private failed(code: ErrorCode): void {
    if (this.troubled !== code) this.say(`writing failed: ${this.disk.message}`, code);
    this.troubled = code;
    if (code !== 'STORE_FULL') return;
    this.disk.squeeze();
    this.upkeep.add('room', (db) => this.makeRoom(db));
  }

  private skipBatch(): void {
    const before = this.writer.waiting;
    for (const part of this.parts()) part.written();
    this.giveUp(before - this.writer.waiting);
  }

  /** The oldest raw values go first, then the oldest quarter hours, then the oldest entries. */
  private makeRoom(db: Db) {
    if (!this.ageing.makeRoom(db)) this.journal.makeRoom(db);
    return { more: false };
  }

  private giveUp(count: number): void {
    if (count <= 0) return;
    this.lost += count;
    this.disk.failures.STORE_OVERFLOW = (this.disk.failures.STORE_OVERFLOW ?? 0) + 1;
  }

  /** For the page and the journal. What is said while the store is opened is journalled by who opens it. */
  private say(text: string, code = 'OPENED'): void {
    if (this.opened.length < LIMITS.journalPage) this.opened.push(text);
    if (!this.isStarted) return;
    const atMs = this.clock.wallMs();
    this.journal.record({ atMs, kind: 'system', subject: 'store', code, detail: { text } });
  }

  maintain(wallMs: WallMs): void {
    const now = this.series.nowMs();
    let cuts: Cuts | null = null;
    if (now !== null) {
      this.upkeep.add('settle', (db) => this.series.settle(db));
      this.upkeep.add('age', (db) => {
        cuts ??= this.ageing.cuts(db, Math.min(now, wallMs), this.clock.elapsedMs());
        return { more: this.ageing.step(db, cuts) };
      });
    }
    this.upkeep.add('journal', (db) => ({ more: this.journal.age(db) }));
    this.upkeep.add('vacuum', vacuum);
    this.upkeep.add('reserve', () => ({ more: this.disk.stretch() }));
  }

  health(): StorageHealth {
    return {
      mode: this.disk.isOpen ? 'disk' : 'memory',
      code: this.disk.code,
      tailValues: this.series.tail.size,
      pendingValues: this.series.tail.pending,
      pendingEntries: this.journal.pending + this.facts.pending,
      heldValues: this.series.tail.held,
      undatedValues: this.undated,
      failures: { ...this.disk.failures },
      lost: this.lost,
      commits: this.disk.commits,
      lastCommitMs: this.disk.lastCommitMs,
      lastCommitAgeMs: this.disk.lastCommitAgeMs,
      size_bytes: this.disk.size_bytes,
      free_bytes: this.disk.free_bytes,
    };
  }

  close(): void {
    this.facts.settle();
    this.writer.close();
    // Last, for writing asks for upkeep: nothing may open the disk again.
    this.upkeep.stop();
    this.disk.close();
  }
}

/** Gives back a few pages at a time, once there are many. */
function vacuum(db: Db) {
  const free = Number(db.pragma('freelist_count', { simple: true }));
  const pages = Number(db.pragma('page_count', { simple: true }));
  if (free < Math.max(VACUUM_FROM_PAGES, pages / 4)) return { more: false };
  db.pragma(`incremental_vacuum(${VACUUM_STEP_PAGES})`);
  return { more: true };
}

function salvageLine({ values, slots, entries, unreadable, cutShort }: Salvaged, aside: string): string {
  const end = cutShort ? ', until the time for it was over' : '';
  return (
    `salvaged from ${aside}: ${values} values, ${slots} rolled-up slots, ${entries} journal entries${end}; ` +
    `${unreadable} places could not be read`
  );
}
