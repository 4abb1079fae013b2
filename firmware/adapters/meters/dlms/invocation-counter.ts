/**
 * Our own message counter towards one meter. None may ever be used twice with a key (AES-GCM would give the key away),
 * so they are set aside on disk before they are used: a restart skips what may have been sent.
 */
import { type Fault, fault } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { Settings } from '../../../domain/storage.ts';
import { fingerprintOf } from '../replay-guard.ts';

const LAST = 0xffff_ffff;

export class InvocationCounter {
  private readonly settings: Pick<Settings, 'get' | 'set'>;
  private readonly name: string;
  private following: number;
  /** Counters below it are on disk as used. */
  private bound: number;
  /** Whether any counter towards this meter is known. */
  readonly known: boolean;
  /** Those that were sent because somebody said in clear that the meter expects them, from `following` on. */
  private onHearsay: readonly number[];

  constructor(id: string, key: Uint8Array, settings: Pick<Settings, 'get' | 'set'>) {
    this.settings = settings;
    this.name = `invocation/${id}/${fingerprintOf(key)}`;
    const text = settings.get(this.name);
    this.known = text !== null && /^\d{1,10}$/.test(text);
    this.following = this.known ? Number(text) : 1;
    this.bound = this.following;
    this.onHearsay = (settings.get(this.hearsayName) ?? '').split(' ').filter(Boolean).map(Number);
  }

  private get hearsayName(): string {
    return `${this.name}/hearsay`;
  }

  /** The next one that was never used. */
  get next(): number {
    return this.following;
  }

  /** Makes sure that one exchange may use its counters. STORE_FULL when that cannot be kept, REFUSED when none are left. */
  reserve(): Fault | null {
    // An exchange that would come upon a counter that was sent on hearsay begins behind it.
    for (const used of this.onHearsay)
      if (used < this.following + LIMITS.dlmsCountersExchange)
        this.following = Math.max(this.following, used + 1);
    if (this.following + LIMITS.dlmsCountersExchange > LAST)
      return fault('REFUSED', 'the invocation counters of this key are used up: the meter needs a new key');
    if (this.following + LIMITS.dlmsCountersExchange <= this.bound) return null;
    const bound = Math.min(LAST, this.following + LIMITS.dlmsCountersReserved);
    this.settings.set(this.name, String(bound));
    if (this.settings.get(this.name) !== String(bound))
      return fault('STORE_FULL', 'the invocation counter cannot be kept: nothing ciphered is sent');
    this.bound = bound;
    return null;
  }

  /**
   * One that is sent because somebody said in clear that the meter expects it. It is used from then on, and those
   * before it are not: a lie must not use them up. The reason why it may not be sent where that cannot be kept.
   */
  takeOnHearsay(counter: number): Fault | null {
    if (counter < this.following || this.onHearsay.includes(counter)) return null;
    const kept = [...this.onHearsay.filter((used) => used >= this.following), counter].sort((a, b) => a - b);
    if (kept.length > LIMITS.dlmsCountersHearsay)
      return fault('TOO_MANY', 'too many counters were named to us in clear that the meter did not expect');
    const text = kept.join(' ');
    this.settings.set(this.hearsayName, text);
    if (this.settings.get(this.hearsayName) !== text)
      return fault('STORE_FULL', 'the invocation counter cannot be kept: nothing ciphered is sent');
    this.onHearsay = kept;
    return null;
  }

  /** All below `next` are used, or the meter expects `next`. Never goes back. The reason why `next` may not be sent. */
  advance(next: number): Fault | null {
    this.following = Math.max(this.following, next);
    // The meter named a far higher one: it is on disk before it is sent.
    return this.following > this.bound ? this.reserve() : null;
  }
}
