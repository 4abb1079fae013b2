/**
 * When a command that failed may be tried again. One that turns down waits least, because it may be a limit; one that
 * turns up has no hurry, and a device that refuses it for good is not worn out by the asking.
 */
import type { Fault } from '../domain/errors.ts';
import type { ElapsedMs } from '../domain/time.ts';

const WAITS = {
  up: { firstMs: 10_000, mostMs: 640_000 },
  down: { firstMs: 1_000, mostMs: 10_000 },
} as const;

export type Direction = keyof typeof WAITS;

interface Failures {
  readonly count: number;
  readonly atMs: ElapsedMs;
}

const NONE: Failures = { count: 0, atMs: -Infinity };

export class Retries {
  private failures: Readonly<Record<Direction, Failures>> = { up: NONE, down: NONE };
  private lastCode: Fault['code'] | null = null;

  failed(direction: Direction, reason: Fault | null, nowMs: ElapsedMs): void {
    const count = this.failures[direction].count + 1;
    this.failures = { ...this.failures, [direction]: { count, atMs: nowMs } };
    this.lastCode = reason?.code ?? null;
  }

  /** What turned it up shows that it takes commands; that it can be turned down says nothing of the other. */
  succeeded(direction: Direction): void {
    this.failures = direction === 'up' ? { up: NONE, down: NONE } : { ...this.failures, down: NONE };
    if (this.failures.up.count === 0) this.lastCode = null;
  }

  /** It was away and is back: what it refused before counts no more. */
  forget(): void {
    this.failures = { up: NONE, down: NONE };
    this.lastCode = null;
  }

  hasFailed(direction: Direction): boolean {
    return this.failures[direction].count > 0;
  }

  isDue(direction: Direction, nowMs: ElapsedMs): boolean {
    const { count, atMs } = this.failures[direction];
    const { firstMs, mostMs } = WAITS[direction];
    return count === 0 || nowMs - atMs >= Math.min(mostMs, firstMs * 2 ** (count - 1));
  }

  /** A further attempt at what failed before and, where it has ended, for the same reason: nothing that is news. */
  isRepetition(direction: Direction, reason: Fault | null): boolean {
    return this.hasFailed(direction) && (reason === null || reason.code === this.lastCode);
  }
}
