/**
 * Message counters of ciphered meters: one that does not grow belongs to a recorded message that is sent again. Kept
 * over restarts, per sender and key: a new key may begin again at 0. Only a verified tag proves a counter; without one
 * anybody can write FFFFFFFF into it, so it moves by `LIMITS.counterStep` a message at most, and a meter is never
 * locked out by a forged one for longer than so many messages. The first one of a sender is believed as it is.
 */
import { createHash } from 'node:crypto';
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Settings } from '../../domain/storage.ts';
import type { Cancel, Clock } from '../../domain/time.ts';

export interface Ciphered {
  /** Eight bytes, the sender's name in the cipher. */
  readonly systemTitle: Uint8Array;
  readonly counter: number;
  /** A verified tag stands for both. */
  readonly authenticated: boolean;
}

interface GuardOptions {
  /** The configured id of the meter. */
  readonly id: string;
  readonly key: Uint8Array;
  readonly clock: Clock;
  /** Without it counters are only good until the next start. */
  readonly settings?: Pick<Settings, 'get' | 'set'>;
}

/** Names a key without giving any of it away. */
export const fingerprintOf = (key: Uint8Array): string =>
  createHash('sha256').update('hearth counter').update(key).digest('hex').slice(0, 8);

export class ReplayGuard {
  private readonly options: GuardOptions;
  private readonly fingerprint: string;
  private readonly last = new Map<string, number>();
  /** Senders whose tags were verified since the start: one without a tag is not theirs. */
  private readonly proven = new Set<string>();
  private readonly unsaved = new Set<string>();
  private cancelSave: Cancel = () => {};

  constructor(options: GuardOptions) {
    this.options = options;
    this.fingerprint = fingerprintOf(options.key);
  }

  /** The last counter taken from this sender; -1 when there was none. */
  lastOf(systemTitle: Uint8Array): number {
    const name = this.nameOf(systemTitle);
    return this.last.get(name) ?? this.stored(name) ?? -1;
  }

  /** Takes the counter of a message whose content was read; REPLAYED when it does not grow. */
  check({ systemTitle, counter, authenticated }: Ciphered): Fault | null {
    const name = this.nameOf(systemTitle);
    const before = this.last.get(name) ?? this.stored(name);
    if (!authenticated && this.proven.has(name))
      return fault('BAD_AUTHENTICATION', 'the telegram has no tag, and those before had one');
    if (before !== null && counter <= before)
      return fault('REPLAYED', `message counter ${counter} after ${before}: an old message was sent again`);
    if (!this.last.has(name) && this.last.size >= LIMITS.countersPerMeter)
      return fault('TOO_MANY', 'more senders than one meter can have');
    if (authenticated) this.proven.add(name);
    const most = authenticated || before === null ? counter : before + LIMITS.counterStep;
    this.last.set(name, Math.min(counter, most));
    if (this.unsaved.size === 0)
      this.cancelSave = this.options.clock.after(LIMITS.counterSaveMs, () => this.save());
    this.unsaved.add(name);
    return null;
  }

  close(): void {
    this.cancelSave();
    this.save();
  }

  private nameOf(systemTitle: Uint8Array): string {
    return `counter/${this.options.id}/${Buffer.from(systemTitle).toString('hex')}/${this.fingerprint}`;
  }

  private stored(name: string): number | null {
    const text = this.options.settings?.get(name) ?? null;
    return text !== null && /^\d{1,10}$/.test(text) ? Number(text) : null;
  }

  private save(): void {
    for (const name of this.unsaved) this.options.settings?.set(name, String(this.last.get(name)));
    this.unsaved.clear();
  }
}
