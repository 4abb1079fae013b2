/**
 * Failed sign-ins in a window, per address and in all, so that a password cannot be guessed from the home's
 * network. On the clock that is handed in: it can be tested without waiting.
 */
import { LIMITS } from '../domain/limits.ts';
import type { Clock, ElapsedMs } from '../domain/time.ts';

interface Count {
  failures: number;
  readonly sinceMs: ElapsedMs;
}

const ALL = '*';

export class Attempts {
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until this address may try again; 0 is now. */
  waitMs(address: string): number {
    return Math.max(this.#wait(address, LIMITS.loginFailures), this.#wait(ALL, LIMITS.loginFailuresAll));
  }

  failed(address: string): void {
    for (const key of [address, ALL]) {
      const count = this.#live(key);
      if (count) count.failures += 1;
      else this.#counts.set(key, { failures: 1, sinceMs: this.#clock.elapsedMs() });
    }
    this.#bound();
  }

  /** Forgets the failures of this address, and the one attempt that was booked ahead of its success. */
  succeeded(address: string): void {
    this.#counts.delete(address);
    const all = this.#counts.get(ALL);
    if (all) all.failures -= 1;
  }

  #wait(key: string, most: number): number {
    const count = this.#live(key);
    if (!count || count.failures < most) return 0;
    return count.sinceMs + LIMITS.loginWindowMs - this.#clock.elapsedMs();
  }

  #live(key: string): Count | undefined {
    const count = this.#counts.get(key);
    if (count && this.#clock.elapsedMs() - count.sinceMs >= LIMITS.loginWindowMs) {
      this.#counts.delete(key);
      return undefined;
    }
    return count;
  }

  /** The oldest address gives way; the count over all addresses stays and holds against many. */
  #bound(): void {
    for (const key of this.#counts.keys()) {
      if (this.#counts.size <= LIMITS.loginAddresses) return;
      if (key !== ALL) this.#counts.delete(key);
    }
  }
}
