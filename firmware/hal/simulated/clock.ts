/** A clock that moves only when it is told to: a simulated day takes seconds and is the same every time. */
import type { Clock, ElapsedMs, WallMs } from '../../domain/time.ts';

interface Timer {
  readonly atMs: ElapsedMs;
  readonly order: number;
  /** Null when it was cancelled. */
  task: (() => void) | null;
}

export class SimulatedClock implements Clock {
  private nowMs: ElapsedMs = 0;
  private offsetMs: number;
  private order = 0;
  /** A binary heap by time, then by the order of asking. */
  private readonly heap: Timer[] = [];

  constructor(startWallMs: WallMs) {
    this.offsetMs = startWallMs;
  }

  wallMs(): WallMs {
    return Math.floor(this.offsetMs + this.nowMs);
  }

  elapsedMs(): ElapsedMs {
    return this.nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const timer: Timer = { atMs: this.nowMs + Math.max(0, delayMs), order: this.order++, task };
    this.push(timer);
    return () => {
      timer.task = null;
    };
  }

  /** The wall clock jumps; elapsed time does not notice. */
  jumpWall(byMs: number): void {
    this.offsetMs += byMs;
  }

  /** Runs everything that is due up to `untilMs` of elapsed time, each after all that the one before set in motion. */
  async advanceTo(untilMs: ElapsedMs): Promise<void> {
    await settled();
    for (let next = this.heap[0]; next && next.atMs <= untilMs; next = this.heap[0]) {
      this.pop();
      if (!next.task) continue;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.task();
      await settled();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  private push(timer: Timer): void {
    let i = this.heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!this.swapIfSooner(i, parent)) return;
      i = parent;
    }
  }

  private pop(): void {
    const last = this.heap.pop();
    if (!last || this.heap.length === 0) return;
    this.heap[0] = last;
    for (let i = 0; ; ) {
      const child = this.soonerChild(i);
      if (child === null || !this.swapIfSooner(child, i)) return;
      i = child;
    }
  }

  private soonerChild(i: number): number | null {
    const [left, right] = [this.heap[2 * i + 1], this.heap[2 * i + 2]];
    if (!left) return null;
    return right && isSooner(right, left) ? 2 * i + 2 : 2 * i + 1;
  }

  private swapIfSooner(i: number, above: number): boolean {
    const [a, b] = [this.heap[i], this.heap[above]];
    if (!a || !b || !isSooner(a, b)) return false;
    this.heap[i] = b;
    this.heap[above] = a;
    return true;
  }
}

const isSooner = (a: Timer, b: Timer): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** One turn of the event loop: every promise that was ready has run. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
