/** Housekeeping in small transactions with a pause after each, so that the event loop is never held up. */
import type { ErrorCode } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Cancel, Clock } from '../domain/time.ts';
import type { Disk } from './disk.ts';
import type { Db } from './open.ts';

export interface StepResult {
  /** Whether the job needs another step. */
  readonly more: boolean;
  /** What follows in memory when the step is on disk. */
  readonly committed?: () => void;
}

/** One small transaction of a job. */
export type Step = (db: Db) => StepResult;

export class Upkeep {
  private readonly disk: Disk;
  private readonly clock: Clock;
  private readonly onFailure: (job: string, code: ErrorCode) => void;
  private readonly jobs = new Map<string, Step>();
  private cancel: Cancel | null = null;
  private isStopped = false;

  /** @param onFailure a job whose step failed is dropped, and may be added again */
  constructor(disk: Disk, clock: Clock, onFailure: (job: string, code: ErrorCode) => void) {
    this.disk = disk;
    this.clock = clock;
    this.onFailure = onFailure;
  }

  /** Adds a job unless one of its name is under way. Jobs run one after another. */
  add(job: string, step: Step): void {
    if (this.isStopped) return;
    if (!this.jobs.has(job)) this.jobs.set(job, step);
    this.cancel ??= this.clock.after(LIMITS.storeStepPauseMs, () => this.run());
  }

  private run(): void {
    this.cancel = null;
    const [next] = this.jobs;
    if (!next) return;
    const [job, step] = next;
    const outcome = this.disk.write(step);
    if (outcome.ok) outcome.value.committed?.();
    if (!outcome.ok || !outcome.value.more) this.jobs.delete(job);
    if (!outcome.ok) this.onFailure(job, outcome.code);
    if (this.jobs.size > 0) this.cancel = this.clock.after(LIMITS.storeStepPauseMs, () => this.run());
  }

  stop(): void {
    this.isStopped = true;
    this.cancel?.();
    this.cancel = null;
    this.jobs.clear();
  }
}
