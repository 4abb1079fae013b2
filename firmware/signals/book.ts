/**
 * The signals that are known: kept by id, only replaced by newer ones, over a restart. What was withdrawn is
 * remembered until its end, so that a message that comes again cannot bring it back.
 */
import { type Fault, fault } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { eventOf, type Signal, type SignalChange } from '../domain/signal.ts';
import type { WallMs } from '../domain/time.ts';

/** A withdrawn limit is shown to the policy for so long: loads come back slowly after it. */
export const AFTERMATH_MS = 3_600_000;
/** The clock may have jumped, and a limit must not be lost by that: what is over is kept for a day. */
const KEEP_OVER_MS = 86_400_000;

const isOver = (signal: Signal, wallMs: WallMs): boolean =>
  signal.intervals.every((i) => i.untilMs <= wallMs);

export interface Applied {
  /** To be written down: new, changed or withdrawn. */
  readonly kept: readonly Signal[];
  readonly cancelled: readonly Signal[];
  /** Made room. */
  readonly removed: readonly string[];
  readonly refused: readonly { readonly id: string; readonly reason: Fault }[];
}

export class SignalBook {
  private readonly signals = new Map<string, Signal>();
  private list: readonly Signal[] = [];

  constructor(stored: readonly Signal[], wallMs: WallMs) {
    for (const signal of stored) this.signals.set(signal.id, signal);
    this.publish(wallMs);
  }

  /** The same list until something changes. */
  current(): readonly Signal[] {
    return this.list;
  }

  /** Takes what is newer than what is known; `wallTrusted` false takes everything, because nothing can be dated. */
  apply(change: SignalChange, wallMs: WallMs, wallTrusted: boolean): Applied {
    const kept: Signal[] = [];
    const removed: string[] = [];
    const refused: { id: string; reason: Fault }[] = [];
    for (const signal of change.keep) {
      if (this.signals.get(signal.id)?.digest === signal.digest && signal.digest !== undefined) continue;
      const reason = this.refusal(signal, wallMs, wallTrusted);
      if (reason === null) {
        removed.push(...this.makeRoom(signal));
        this.signals.set(signal.id, signal);
        kept.push(signal);
      } else refused.push({ id: signal.id, reason });
    }
    const cancelled = [...this.dropped(change, kept), ...this.withdrawn(change)].map((signal) => {
      const gone = { ...signal, cancelledMs: wallMs };
      this.signals.set(signal.id, gone);
      return gone;
    });
    if (kept.length + cancelled.length > 0) this.publish(wallMs);
    return { kept, cancelled, removed, refused };
  }

  /** Forgets what has been over for a day. */
  prune(wallMs: WallMs): readonly string[] {
    const over = [...this.signals.values()].filter((s) => isOver(s, wallMs - KEEP_OVER_MS)).map((s) => s.id);
    for (const id of over) this.signals.delete(id);
    this.publish(wallMs);
    return over;
  }

  private refusal(signal: Signal, wallMs: WallMs, wallTrusted: boolean): Fault | null {
    const known = this.signals.get(signal.id);
    if (known && signal.modifiedMs < known.modifiedMs)
      return fault('SIGNAL_STALE', 'a newer version of this signal is known');
    if (known?.cancelledMs !== undefined && signal.modifiedMs <= known.modifiedMs)
      return fault('SIGNAL_STALE', 'this signal was withdrawn');
    if (wallTrusted && isOver(signal, wallMs)) return fault('SIGNAL_STALE', 'the signal is over');
    if (!known && this.signals.size >= LIMITS.signalsKept && this.leastNeeded(signal) === null)
      return fault('TOO_MANY', `${LIMITS.signalsKept} signals are known already`);
    return null;
  }

  /** In a full book a withdrawn signal gives way, and to a limit whatever only informs. */
  private leastNeeded(incoming: Signal): Signal | null {
    const known = [...this.signals.values()];
    const oldest = (list: readonly Signal[]): Signal | null =>
      list.reduce<Signal | null>((a, b) => (a === null || b.receivedMs < a.receivedMs ? b : a), null);
    const withdrawn = oldest(known.filter((s) => s.cancelledMs !== undefined));
    if (withdrawn || incoming.binding !== 'commandable') return withdrawn;
    return oldest(known.filter((s) => s.binding === 'informational'));
  }

  private makeRoom(incoming: Signal): string[] {
    if (this.signals.has(incoming.id) || this.signals.size < LIMITS.signalsKept) return [];
    const least = this.leastNeeded(incoming);
    if (least) this.signals.delete(least.id);
    return least ? [least.id] : [];
  }

  /** What an event said before and says no longer. */
  private dropped(change: SignalChange, kept: readonly Signal[]): Signal[] {
    const events = new Set(kept.map((s) => eventOf(s.id)));
    const said = new Set(change.keep.map((s) => s.id));
    return [...this.signals.values()].filter(
      (s) => s.cancelledMs === undefined && events.has(eventOf(s.id)) && !said.has(s.id),
    );
  }

  private withdrawn(change: SignalChange): Signal[] {
    return [...this.signals.values()].filter(
      (s) =>
        s.cancelledMs === undefined &&
        change.cancel.some((c) => c.event === eventOf(s.id) && (c.modifiedMs ?? Infinity) >= s.modifiedMs),
    );
  }

  private publish(wallMs: WallMs): void {
    this.list = [...this.signals.values()].flatMap((signal) => visible(signal, wallMs) ?? []);
  }
}

/** A withdrawn limit ends where it was withdrawn; anything else that was withdrawn is gone. */
function visible(signal: Signal, wallMs: WallMs): Signal | null {
  const { cancelledMs } = signal;
  if (cancelledMs === undefined) return signal;
  if (signal.binding !== 'commandable' || wallMs - cancelledMs > AFTERMATH_MS) return null;
  const intervals = signal.intervals
    .filter((i) => i.fromMs < cancelledMs)
    .map((i) => ({ ...i, untilMs: Math.min(i.untilMs, cancelledMs) }));
  return intervals.length > 0 ? { ...signal, intervals } : null;
}
