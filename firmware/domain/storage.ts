/**
 * What the rooms need kept over a restart, as traits. `store/` implements them all on SQLite; each user asks
 * only for the one it needs.
 */
import type { ErrorCode } from './errors.ts';
import type { Override } from './image.ts';
import type { Measurement } from './measurement.ts';
import type { Signal } from './signal.ts';
import type { WallMs } from './time.ts';

export interface SeriesStore {
  /** Queued, and on disk within `LIMITS.storeBatchMs`; that is the most a power cut can lose. Never throws for a full disk. */
  append(measurements: readonly Measurement[]): void;
  /** Writes what is queued now. */
  flush(): void;
  /**
   * Values of a series in [fromMs, untilMs), oldest first. `raw`: as received; `quarter` and `day`: rolled up, one
   * row a slot (days of the site's zone), `value` being the mean (momentary) or the last value (cumulative).
   * Reading never writes: what is not on disk yet is merged in.
   */
  read(
    point: string,
    resolution: 'raw' | 'quarter' | 'day',
    fromMs: WallMs,
    untilMs: WallMs,
  ): readonly SeriesRow[];
  points(): readonly string[];
}

export interface SeriesRow {
  readonly atMs: WallMs;
  readonly value: number | null;
  readonly min: number | null;
  readonly max: number | null;
  readonly quality: string;
}

export type JournalKind =
  | 'signal'
  | 'rejected'
  | 'decision'
  | 'command'
  | 'guard'
  | 'limit'
  | 'override'
  | 'config'
  | 'system'
  | 'fault';

export interface JournalEntry {
  readonly atMs: WallMs;
  readonly kind: JournalKind;
  /** The device, meter or source it is about; null when it is about the gateway. */
  readonly subject: string | null;
  /** An ErrorCode, ReasonCode, InstructionStatus or MeterEventCode. */
  readonly code: string;
  /** Plain data; never holds a key or a password. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface Journal {
  /**
   * Never throws; an entry that cannot be written is counted. On disk within `LIMITS.storeBatchMs`, or with the next
   * thing that cannot wait so long: a signal, a setting.
   */
  record(entry: JournalEntry): void;
  /** Newest first. */
  read(query: {
    readonly limit: number;
    readonly beforeId?: number;
    readonly kind?: JournalKind;
    readonly subject?: string;
  }): readonly (JournalEntry & { readonly id: number })[];
}

export interface SignalStore {
  /** Whether it is on disk, when it returns; never throws. One that is not is kept in memory, and written when it can be. */
  save(signal: Signal): boolean;
  remove(id: string): void;
  /** Those that are not over at `wallMs`. Pass 0 for all. */
  load(wallMs: WallMs): readonly Signal[];
}

/**
 * Small facts by name: overrides, the last instruction id, owner's password hash, the draw of a random start. On disk by
 * the end of the event loop's turn.
 */
export interface Settings {
  get(name: string): string | null;
  set(name: string, value: string): void;
  remove(name: string): void;
  /**
   * False while the disk could not be read since the start: what is absent may be there all the same, and nothing that
   * is allowed once only (the owner's first password) may be decided by its absence. Absent: always known.
   */
  isKnown?(): boolean;
}

/**
 * Writes made to a device's memory, and readouts of a meter that lives on a battery, per day of the site's zone, kept
 * over restarts so that neither is worn out. On disk before `spend` returns, a hundredth of the day's budget at a time:
 * a power cut costs what is left of that, and never forgets a write.
 */
export interface WriteBudget {
  /** Books one write if fewer than `perDay` were made on the day of `wallMs`; false when the budget is spent. */
  spend(device: string, wallMs: WallMs, perDay: number): boolean;
  used(device: string, wallMs: WallMs): number;
}

export interface OverrideStore {
  load(): ReadonlyMap<string, Override>;
  save(device: string, override: Override): void;
}

/** How the store fares, for the page and for monitoring. Counters run since the start. */
export interface StorageHealth {
  /** `memory`: there is no disk, the house goes on from bounded memory, and the disk is tried again with back-off. */
  readonly mode: 'disk' | 'memory';
  /** Why the last attempt to write failed; null when it succeeded. */
  readonly code: ErrorCode | null;
  /** Values of the quarter hour that runs, in memory; all since the last commit while there is no disk. */
  readonly tailValues: number;
  /** Values and entries that are not on disk yet. */
  readonly pendingValues: number;
  readonly pendingEntries: number;
  /** Values received while the clock could not be believed: kept, and dated when it can. */
  readonly heldValues: number;
  /** Values on disk whose time was never known: kept aside, in no series. */
  readonly undatedValues: number;
  readonly failures: Readonly<Partial<Record<ErrorCode, number>>>;
  /** Values and entries given up: memory was full, or they could not be stored at all. */
  readonly lost: number;
  readonly commits: number;
  readonly lastCommitMs: WallMs | null;
  /** The same by the clock that does not jump: how long ago, ms; null when there was none since the start. */
  readonly lastCommitAgeMs: number | null;
  /** Database and its log; null without a disk. */
  readonly size_bytes: number | null;
  /** What the file system has left for us; null when it cannot be asked. */
  readonly free_bytes: number | null;
}

export interface Storage {
  readonly series: SeriesStore;
  readonly journal: Journal;
  readonly signals: SignalStore;
  readonly settings: Settings;
  readonly writes: WriteBudget;
  readonly overrides: OverrideStore;
  /** What was done when it was opened: migrations, recovery, salvage. One line each, for the journal and the page. */
  readonly opened: readonly string[];
  /** Starts to age out what is past its retention, in steps that leave the event loop free; call it about once an hour. */
  maintain(wallMs: WallMs): void;
  health(): StorageHealth;
  /** Writes what is queued and closes. Values whose time is not known yet are kept with the time they were received by. */
  close(): void;
}
