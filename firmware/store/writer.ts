/**
 * When what waits goes to disk: one transaction for everything, within `storeBatchMs`; at once for what is asked to be,
 * as long as that is not too often for the flash; with back-off while the disk takes nothing.
 */
import type { ErrorCode } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Cancel, Clock, ElapsedMs } from '../domain/time.ts';
import type { Disk } from './disk.ts';
import type { Db } from './open.ts';

/** Something that has rows waiting. */
export interface Part {
  /** How many, at most one batch of which the next transaction takes. */
  readonly waiting: () => number;
  readonly write: (db: Db) => void;
  readonly written: () => void;
  readonly failed: () => void;
}

export interface WriterEvents {
  readonly committed: () => void;
  readonly failed: (code: ErrorCode) => void;
  /** Before each attempt; true when there will be more to write later although nothing waits now. */
  readonly look: () => boolean;
}

/** `now`: before the call returns; `soon`: by the end of the event loop's turn; `batch`: within `storeBatchMs`. */
export type Urgency = 'now' | 'soon' | 'batch';

const HOUR_MS = 3_600_000;

export class Writer {
  private readonly disk: Disk;
  private readonly clock: Clock;
  private readonly parts: readonly Part[];
  private readonly events: WriterEvents;
  private timer: Cancel | null = null;
  private dueMs: ElapsedMs = Infinity;
  private hourMs: ElapsedMs = -Infinity;
  private urgent = 0;
  private closed = false;

  constructor(disk: Disk, clock: Clock, parts: readonly Part[], events: WriterEvents) {
    this.disk = disk;
    this.clock = clock;
    this.parts = parts;
    this.events = events;
  }

  get waiting(): number {
    return this.parts.reduce((sum, part) => sum + part.waiting(), 0);
  }

  changed(urgency: Urgency): void {
    if (this.closed) return;
    const full = this.waiting >= LIMITS.storeBatchRows;
    if (this.disk.waitMs > 0) this.arm(this.disk.waitMs);
    else if (!full && (urgency === 'batch' || !this.mayHurry())) this.arm(LIMITS.storeBatchMs);
    else if (urgency === 'soon') this.arm(0);
    else this.commit();
  }

  private mayHurry(): boolean {
    const now = this.clock.elapsedMs();
    if (now - this.hourMs >= HOUR_MS) {
      this.hourMs = now;
      this.urgent = 0;
    }
    // One that waits for the end of the turn is a single commit, however many ask for it.
    if (this.dueMs <= now) return true;
    this.urgent += 1;
    return this.urgent <= LIMITS.storeUrgentPerHour;
  }

  private arm(delayMs: number): void {
    const due = this.clock.elapsedMs() + delayMs;
    if (this.timer && due >= this.dueMs) return;
    this.timer?.();
    this.dueMs = due;
    this.timer = this.clock.after(delayMs, () => this.commit());
  }

  private disarm(): void {
    this.timer?.();
    this.timer = null;
    this.dueMs = Infinity;
  }

  /** Writes one batch of everything that waits; false when the disk did not take it. */
  commit(): boolean {
    this.disarm();
    const later = this.events.look();
    if (this.waiting === 0 && this.disk.isOpen) {
      if (later) this.arm(LIMITS.storeBatchMs);
      return true;
    }
    const outcome = this.disk.write((db) => {
      for (const part of this.parts) part.write(db);
    });
    if (outcome.ok) {
      for (const part of this.parts) part.written();
      this.events.committed();
    } else {
      for (const part of this.parts) part.failed();
      this.events.failed(outcome.code);
    }
    this.armNext(outcome.ok, later);
    return outcome.ok;
  }

  private armNext(ok: boolean, later: boolean): void {
    if (this.closed) return;
    if (!ok) this.arm(Math.max(this.disk.waitMs, LIMITS.storeStepPauseMs));
    else if (this.waiting > 0) this.arm(LIMITS.storeStepPauseMs);
    else if (later) this.arm(LIMITS.storeBatchMs);
  }

  /** Writes all that waits, batch by batch, as far as the disk takes it. */
  flush(): void {
    const most = 2 + Math.ceil(this.waiting / LIMITS.storeBatchRows);
    for (let i = 0; i < most && this.commit() && this.waiting > 0; i += 1);
  }

  close(): void {
    this.closed = true;
    this.flush();
    this.disarm();
  }
}
