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

  constructor(id: string, key: Uint8Array, settings: Pick<Settings, 'get' | 'set'>) {
    this.settings = settings;
    this.name = `invocation/${id}/${fingerprintOf(key)}`;
    const text = settings.get(this.name);
    this.known = text !== null && /^\d{1,10}$/.test(text);
    this.following = this.known ? Number(text) : 1;
    this.bound = this.following;
  }

  /** The next one that was never used. */
  get next(): number {
    return this.following;
  }

  /** Makes sure that one exchange may use its counters. STORE_FULL when that cannot be kept, REFUSED when none are left. */
  reserve(): Fault | null {
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

  /** All below `next` are used, or the meter expects `next`. Never goes back. */
  advance(next: number): void {
    this.following = Math.max(this.following, next);
    // The meter named a far higher one: it is on disk before it is sent.
    if (this.following > this.bound) this.reserve();
  }
}
