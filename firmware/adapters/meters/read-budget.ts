/** How often a meter that is asked may be asked: what its battery gives, and how long to wait after a failure. */
import { LIMITS } from '../../domain/limits.ts';
import type { WriteBudget } from '../../domain/storage.ts';
import { type Clock, isWallPlausible } from '../../domain/time.ts';

const DAY_MS = 86_400_000;

/** A battery is read no more often than its budget gives evenly over the day. */
export const politeIntervalMs = (intervalMs: number, readsPerDay: number | null): number =>
  readsPerDay === null ? intervalMs : Math.max(intervalMs, Math.ceil(DAY_MS / readsPerDay));

/** When the budget of the day is spent, the next day is looked for so often. */
export const SPENT_MS = 900_000;

/**
 * Doubled with each failure from 2 s up to a minute, or up to the interval where that is longer: what is out of order
 * is not asked more often than what works.
 */
export const retryMs = (failures: number, intervalMs: number): number =>
  Math.min(
    LIMITS.linkBackoffMinMs * 2 ** Math.min(failures, 24),
    Math.max(intervalMs, LIMITS.linkBackoffMaxMs),
  );

/** Visits a day that a battery can give. Each attempt costs, whether its answer arrives or not. */
export class ReadBudget {
  private readonly id: string;
  /** Null: power from the mains. */
  private readonly perDay: number | null;
  private readonly reads: Pick<WriteBudget, 'spend'> | null;
  private readonly clock: Clock;

  /** Without `reads` nothing is counted. */
  constructor(id: string, perDay: number | null, reads: Pick<WriteBudget, 'spend'> | null, clock: Clock) {
    this.id = id;
    this.perDay = perDay;
    this.reads = reads;
    this.clock = clock;
  }

  /** Counts one. A clock that was never set has no day. */
  spend(): boolean {
    const nowMs = this.clock.wallMs();
    if (this.perDay === null || !this.reads || !isWallPlausible(nowMs)) return true;
    return this.reads.spend(this.id, nowMs, this.perDay);
  }
}
