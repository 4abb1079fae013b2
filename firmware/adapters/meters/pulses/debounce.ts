/** Contacts bounce and long wires catch spikes: a level counts when it has stayed for `settleMs`. */
import { LEVEL } from '../../../domain/link.ts';
import type { ElapsedMs } from '../../../domain/time.ts';

export class Debounce {
  private readonly settleMs: number;
  private readonly whenPulse: (atMs: ElapsedMs) => void;
  /** Null before the first change: which level the input had is not known. */
  private raw: number | null = null;
  private sinceMs: ElapsedMs = 0;
  private settled: number = LEVEL.inactive;

  /** `whenPulse` is told the begin of each pulse, once it is certain. */
  constructor(settleMs: number, whenPulse: (atMs: ElapsedMs) => void) {
    this.settleMs = settleMs;
    this.whenPulse = whenPulse;
  }

  /** The input changed to `level`. A change to the level that it has says that one between was lost; it is none. */
  edge(level: number, atMs: ElapsedMs): void {
    this.settle(atMs);
    if (level === this.raw) return;
    this.raw = level;
    this.sinceMs = atMs;
  }

  /** Time went on without a change. */
  settle(nowMs: ElapsedMs): void {
    if (this.raw === null || this.raw === this.settled || nowMs - this.sinceMs < this.settleMs) return;
    this.settled = this.raw;
    if (this.settled === LEVEL.active) this.whenPulse(this.sinceMs);
  }
}
