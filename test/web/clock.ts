/** The time of the tests, and clocks that show it. */
import type { Clock } from '../../firmware/domain/time.ts';

/** 17:20 in Brussels, a Wednesday in June. */
export const NOON = Date.UTC(2026, 5, 17, 15, 20);
export const MIDNIGHT = Date.UTC(2026, 5, 16, 22);

/** A clock that stands where it is told; what was asked to run later runs when it is moved there. */
export class HandClock implements Clock {
  wall = NOON;
  elapsed = 1_000_000;
  readonly #tasks = new Set<{ at: number; task: () => void }>();

  wallMs(): number {
    return this.wall;
  }
  elapsedMs(): number {
    return this.elapsed;
  }
  after(delayMs: number, task: () => void): () => void {
    const entry = { at: this.elapsed + delayMs, task };
    this.#tasks.add(entry);
    return () => this.#tasks.delete(entry);
  }
  move(ms: number): void {
    this.wall += ms;
    this.elapsed += ms;
    for (const entry of [...this.#tasks]) {
      if (entry.at <= this.elapsed && this.#tasks.delete(entry)) entry.task();
    }
  }
}

/** The machine's own time, for tests with real sockets. */
export const realClock = (shiftMs: number): Clock => ({
  wallMs: () => Date.now() + shiftMs,
  elapsedMs: () => performance.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs);
    return () => clearTimeout(timer);
  },
});
