/**
 * Time as the house uses it. It is always handed in: wall time for tariffs and records, elapsed time for
 * everything that measures a duration. The board has no battery clock and may boot in 1970, so wall time
 * carries whether it can be trusted.
 */

/** Milliseconds since 1970-01-01T00:00:00Z on the wall clock; may jump. */
export type WallMs = number;

/** Milliseconds on a clock that never jumps and starts anywhere; only differences mean something. */
export type ElapsedMs = number;

export type Cancel = () => void;

export interface Clock {
  wallMs(): WallMs;
  elapsedMs(): ElapsedMs;
  /** Runs `task` once, no sooner than `delayMs` from now. The returned function cancels it. */
  after(delayMs: number, task: () => void): Cancel;
}

/** Anything before this firmware was written is a clock that was never set. */
export const EARLIEST_PLAUSIBLE_WALL_MS: WallMs = Date.UTC(2026, 0, 1);

/** Whether the wall clock has been set since boot. Tariffs, prices and schedules need it; limits do not. */
export function isWallPlausible(wallMs: WallMs): boolean {
  return wallMs >= EARLIEST_PLAUSIBLE_WALL_MS;
}

/** Resolves after `delayMs` on the handed-in clock. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/** Runs `task` every `periodMs`, counted from the end of the run before, until cancelled. */
export function every(clock: Clock, periodMs: number, task: () => void | Promise<void>): Cancel {
  let stopped = false;
  let cancel: Cancel = () => {};
  const arm = (): void => {
    cancel = clock.after(periodMs, () => {
      void Promise.resolve(task()).finally(() => {
        if (!stopped) arm();
      });
    });
  };
  arm();
  return () => {
    stopped = true;
    cancel();
  };
}
