/** The real clock and the real source of chance. Only this room asks the operating system for either. */
import { randomFillSync } from 'node:crypto';
import type { Random } from '../domain/random.ts';
import type { Clock } from '../domain/time.ts';

/** The longest delay that one timer of Node takes; a longer one is made of several. */
const LONGEST_TIMER_MS = 2_147_483_647;

export function systemClock(): Clock {
  return {
    wallMs: () => Date.now(),
    elapsedMs: () => performance.now(),
    after(delayMs, task) {
      let timer: NodeJS.Timeout;
      const arm = (leftMs: number): void => {
        const stepMs = Math.min(Math.max(0, leftMs), LONGEST_TIMER_MS);
        timer = setTimeout(() => (leftMs > stepMs ? arm(leftMs - stepMs) : task()), stepMs);
      };
      arm(delayMs);
      return () => clearTimeout(timer);
    },
  };
}

export function systemRandom(): Random {
  return {
    next: () => (randomFillSync(new Uint32Array(1))[0] ?? 0) / 4_294_967_296,
    bytes: (length) => randomFillSync(new Uint8Array(length)),
  };
}
