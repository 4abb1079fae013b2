/** So many an hour, then only counted: a flood must not wear the flash. */
import type { ElapsedMs } from '../domain/time.ts';

export class Quota {
  private readonly perHour: number;
  private sinceMs: ElapsedMs = 0;
  /** In the present hour. */
  count = 0;

  constructor(perHour: number) {
    this.perHour = perHour;
  }

  /** Counts one; whether it is still within the hour's share. */
  take(nowMs: ElapsedMs): boolean {
    if (nowMs - this.sinceMs > 3_600_000) {
      this.count = 0;
      this.sinceMs = nowMs;
    }
    this.count += 1;
    return this.count <= this.perHour;
  }
}
