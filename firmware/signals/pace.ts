/** How fast something may come: a burst, then so many a second. */
import type { ElapsedMs } from '../domain/time.ts';

export class Pace {
  private readonly burst: number;
  private readonly perSecond: number;
  private left: number;
  private atMs: ElapsedMs;

  constructor(burst: number, perSecond: number, nowMs: ElapsedMs) {
    this.burst = burst;
    this.perSecond = perSecond;
    this.left = burst;
    this.atMs = nowMs;
  }

  /** Counts one; how long to wait before the next one is looked at. */
  take(nowMs: ElapsedMs): number {
    this.left = Math.min(this.burst, this.left + ((nowMs - this.atMs) * this.perSecond) / 1000) - 1;
    this.atMs = nowMs;
    return this.left >= 0 ? 0 : (-this.left * 1000) / this.perSecond;
  }
}
