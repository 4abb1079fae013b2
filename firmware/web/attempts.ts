/**
 * Failed sign-ins in a window, per address and in all, so that a password cannot be guessed from the home's
 * network. Whoever is known to have the password, by a session or by an address that signed in before, is bound by
 * its own failures alone: strangers cannot lock the owner out. On the clock that is handed in: it can be tested
 * without waiting.
 */
import { LIMITS } from '../domain/limits.ts';
import type { Clock, ElapsedMs } from '../domain/time.ts';

interface Count {
  failures: number;
  readonly sinceMs: ElapsedMs;
}

/** Who asks: where from, and the session's id when there is a good one. */
export interface Caller {
  readonly address: string;
  readonly session: string | null;
}

const ALL = '*';

export class Attempts {
  readonly #clock: Clock;
  readonly #counts = new Map<string, Count>();
  /** Addresses that signed in, the latest last. */
  readonly #known = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds until this caller may try again; 0 is now. */
  waitMs(caller: Caller): number {
    const own = keysOf(caller).map((key) => this.#wait(key, LIMITS.loginFailures));
    const isKnown = caller.session !== null || this.#known.has(caller.address);
    return Math.max(...own, isKnown ? 0 : this.#wait(ALL, LIMITS.loginFailuresAll));
  }

  failed(caller: Caller): void {
    for (const key of [...keysOf(caller), ALL]) {
      const count = this.#live(key);
      if (count) count.failures += 1;
      else this.#counts.set(key, { failures: 1, sinceMs: this.#clock.elapsedMs() });
    }
    this.#bound();
  }

  /** Forgets the failures of this caller, and the one attempt that was booked ahead of its success. */
  succeeded(caller: Caller): void {
    for (const key of keysOf(caller)) this.#counts.delete(key);
    const all = this.#counts.get(ALL);
    if (all) all.failures -= 1;
  }

  /** The owner is at this address. The one that was so longest ago is forgotten. */
  welcome(address: string): void {
    this.#known.delete(address);
    this.#known.add(address);
    const [oldest] = this.#known;
    if (this.#known.size > LIMITS.loginAddresses && oldest !== undefined) this.#known.delete(oldest);
  }

  /** The password was changed: who had the old one is a stranger. */
  forget(): void {
    this.#known.clear();
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

/** A session is bound wherever it turns up, so that a stolen one gives no more guesses than an address. */
const keysOf = ({ address, session }: Caller): string[] =>
  session === null ? [address] : [address, `session ${session}`];
