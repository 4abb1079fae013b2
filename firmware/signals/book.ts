/** The signals that are known: kept by id, only replaced by newer ones, over a restart. */
import { type Fault, fault } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Signal, SignalChange } from '../domain/signal.ts';

const isOver = (signal: Signal, wallMs: number): boolean =>
  signal.intervals.every((i) => i.untilMs <= wallMs);

export interface Applied {
  readonly kept: readonly Signal[];
  readonly cancelled: readonly string[];
  readonly refused: readonly { readonly id: string; readonly reason: Fault }[];
}

export class SignalBook {
  private readonly signals = new Map<string, Signal>();
  private list: readonly Signal[] = [];

  constructor(stored: readonly Signal[]) {
    for (const signal of stored) this.signals.set(signal.id, signal);
    this.list = [...this.signals.values()];
  }

  current(): readonly Signal[] {
    return this.list;
  }

  /** Takes what is newer than what is known; `wallTrusted` false takes everything, because nothing can be dated. */
  apply(change: SignalChange, wallMs: number, wallTrusted: boolean): Applied {
    const kept: Signal[] = [];
    const refused: { id: string; reason: Fault }[] = [];
    for (const signal of change.keep) {
      const reason = this.refusal(signal, wallMs, wallTrusted);
      if (reason) refused.push({ id: signal.id, reason });
      else {
        this.signals.set(signal.id, signal);
        kept.push(signal);
      }
    }
    // A signal of several payload types has an id for each, below that of its event.
    const cancelled = [...this.signals.keys()].filter((id) =>
      change.cancel.some((c) => id === c || id.startsWith(`${c}/`)),
    );
    for (const id of cancelled) this.signals.delete(id);
    this.list = [...this.signals.values()];
    return { kept, cancelled, refused };
  }

  /** Forgets what has been over for a day: the clock may have jumped, and a limit must not be lost by that. */
  prune(wallMs: number): readonly string[] {
    const over = [...this.signals.values()].filter((s) => isOver(s, wallMs - 86_400_000)).map((s) => s.id);
    for (const id of over) this.signals.delete(id);
    if (over.length > 0) this.list = [...this.signals.values()];
    return over;
  }

  private refusal(signal: Signal, wallMs: number, wallTrusted: boolean): Fault | null {
    const known = this.signals.get(signal.id);
    if (known && signal.modifiedMs < known.modifiedMs)
      return fault('SIGNAL_STALE', 'a newer version of this signal is known');
    if (wallTrusted && isOver(signal, wallMs)) return fault('SIGNAL_STALE', 'the signal is over');
    if (!known && this.signals.size >= LIMITS.signalsKept)
      return fault('TOO_MANY', `${LIMITS.signalsKept} signals are known already`);
    return null;
  }
}
