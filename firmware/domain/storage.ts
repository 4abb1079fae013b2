/**
 * What the rooms need kept over a restart, as traits. `store/` implements them all on SQLite; each user asks
 * only for the one it needs.
 */
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
  /** Never throws; an entry that cannot be written is counted. */
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
  /** Whether it is on disk; never throws for a full one. */
  save(signal: Signal): boolean;
  remove(id: string): void;
  /** Those that are not over at `wallMs`. Pass 0 for all. */
  load(wallMs: WallMs): readonly Signal[];
}

/** Small facts by name: overrides, the last instruction id, owner's password hash, the draw of a random start. */
export interface Settings {
  get(name: string): string | null;
  set(name: string, value: string): void;
  remove(name: string): void;
}

/**
 * Writes made to a device's memory, and readouts of a meter that lives on a battery, per day of the site's zone: kept
 * over restarts, so that neither is worn out.
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

export interface Storage {
  readonly series: SeriesStore;
  readonly journal: Journal;
  readonly signals: SignalStore;
  readonly settings: Settings;
  readonly writes: WriteBudget;
  readonly overrides: OverrideStore;
  /** What was done when it was opened: migrations, recovery, salvage. One line each, for the journal and the page. */
  readonly opened: readonly string[];
  /** Ages out what is past its retention and rolls up; call it about once an hour. */
  maintain(wallMs: WallMs): void;
  close(): void;
}
