/**
 * The signals that are known: kept by id, only replaced by newer ones, over a restart. What was withdrawn is
 * remembered until its end, so that a message that comes again cannot bring it back.
 */
import { type Fault, fault } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import {
  type Baseline,
  type Cancellation,
  eventOf,
  type Signal,
  type SignalChange,
} from '../domain/signal.ts';
import type { WallMs } from '../domain/time.ts';
import { intervalsOf, redated } from './redate.ts';
import { leastNeeded } from './room.ts';
import type { Jump, WallNow } from './wall-watch.ts';

/** A withdrawn limit is shown to the policy for so long: loads come back slowly after it. */
const AFTERMATH_MS = 3_600_000;
/** What is over is kept for the longest day: the day's cost needs it, and a message that comes again is recognised. */
export const KEEP_OVER_MS = 26 * 3_600_000;

const isOver = (signal: Signal, wallMs: WallMs): boolean =>
  intervalsOf(signal).every((i) => i.untilMs <= wallMs);

export interface Applied {
  /** To be written down: new, changed or withdrawn. */
  readonly kept: readonly Signal[];
  /** Said once more, as it is known. */
  readonly repeated: readonly Signal[];
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

  /** What the event was measured against when it was first heard of; null for one that is new, or was never relative. */
  measured(event: string): Baseline | null {
    const of = [...this.signals.values()].filter((s) => eventOf(s.id) === event);
    return of.find((s) => s.baseline !== undefined)?.baseline ?? null;
  }

  /** Takes what is newer than what is known. What nothing can date is taken. */
  apply(change: SignalChange, now: WallNow): Applied {
    const { wallMs } = now;
    const kept: Signal[] = [];
    const repeated: Signal[] = [];
    const removed: string[] = [];
    const refused: { id: string; reason: Fault }[] = [];
    for (const said of change.keep) {
      const known = this.signals.get(said.id);
      if (known && known.digest === said.digest && said.digest !== undefined) {
        if (known.cancelledMs === undefined) repeated.push(known);
        continue;
      }
      // Under a clock that has just left a time that stood, a limit counts by that time, too.
      const signal = withSeen(redated(said, wallMs, now.leapMs), known, known?.digest);
      const reason = this.refusal(signal, now);
      if (reason === null) {
        removed.push(...this.makeRoom(signal, now));
        this.signals.set(signal.id, signal);
        kept.push(signal);
      } else refused.push({ id: signal.id, reason });
    }
    const cancelled = [...this.dropped(change, kept), ...this.withdrawn(change.cancel, refused)].map(
      (signal) => ({ ...signal, cancelledMs: wallMs }),
    );
    for (const gone of cancelled) this.signals.set(gone.id, gone);
    if (kept.length + cancelled.length > 0) this.publish(wallMs);
    return { kept, repeated, cancelled, removed, refused };
  }

  /** The wall clock jumped: what was in force goes on. Returns what is to be written down anew. */
  redate({ wallMs, deltaMs }: Jump): readonly Signal[] {
    const changed: Signal[] = [];
    for (const signal of this.signals.values()) {
      const next = redated(signal, wallMs, deltaMs);
      if (next !== signal) changed.push(next);
    }
    for (const signal of changed) this.signals.set(signal.id, signal);
    this.publish(wallMs);
    return changed;
  }

  /** Forgets what has been over for a day. Only for a clock that has stood for that long. */
  prune(wallMs: WallMs): readonly string[] {
    const over = [...this.signals.values()].filter((s) => isOver(s, wallMs - KEEP_OVER_MS)).map((s) => s.id);
    for (const id of over) this.signals.delete(id);
    this.publish(wallMs);
    return over;
  }

  private refusal(signal: Signal, { wallMs, isSet, stands, leapMs }: WallNow): Fault | null {
    const known = this.signals.get(signal.id);
    if (known && signal.modifiedMs < known.modifiedMs)
      return fault('SIGNAL_STALE', 'a newer version of this signal is known');
    if (known?.cancelledMs !== undefined && signal.modifiedMs <= known.modifiedMs)
      return fault('SIGNAL_STALE', 'this signal was withdrawn');
    if (signal.digest !== undefined && known?.seen?.includes(signal.digest))
      return fault('SIGNAL_STALE', 'this version of the signal was replaced');
    if (stands && signal.modifiedMs > wallMs + LIMITS.signalAheadMs)
      return fault('SIGNAL_OUT_OF_RANGE', 'modificationDateTime: in the future');
    if (isSet && leapMs === 0 && isOver(signal, wallMs)) return fault('SIGNAL_STALE', 'the signal is over');
    if (!known && this.isFull() && this.leastNeeded(signal, { wallMs, isSet }) === null)
      return fault('TOO_MANY', `${LIMITS.signalsKept} signals are known already`);
    return null;
  }

  private isFull(): boolean {
    return this.signals.size >= LIMITS.signalsKept;
  }

  private leastNeeded(incoming: Signal, { wallMs, isSet }: Pick<WallNow, 'wallMs' | 'isSet'>): Signal | null {
    return leastNeeded([...this.signals.values()], incoming, isSet ? wallMs : -Infinity);
  }

  private makeRoom(incoming: Signal, now: WallNow): string[] {
    if (this.signals.has(incoming.id) || !this.isFull()) return [];
    const least = this.leastNeeded(incoming, now);
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

  /** A withdrawal that was heard before, and was followed by a newer version, is a replay. */
  private withdrawn(cancel: readonly Cancellation[], refused: { id: string; reason: Fault }[]): Signal[] {
    const gone: Signal[] = [];
    for (const { event, modifiedMs, digest } of cancel) {
      for (const signal of this.signals.values()) {
        if (signal.cancelledMs !== undefined || event !== eventOf(signal.id)) continue;
        if ((modifiedMs ?? Infinity) < signal.modifiedMs) continue;
        if (digest !== undefined && signal.seen?.includes(digest))
          refused.push({ id: signal.id, reason: fault('SIGNAL_STALE', 'this withdrawal was heard before') });
        else gone.push(withSeen(signal, signal, digest));
      }
    }
    return gone;
  }

  private publish(wallMs: WallMs): void {
    this.list = [...this.signals.values()].flatMap((signal) => visible(signal, wallMs) ?? []);
  }
}

/** The signal, remembering what was known of it before and `digest` besides. */
function withSeen(signal: Signal, before: Signal | undefined, digest: string | undefined): Signal {
  const seen = [...(before?.seen ?? []), ...(digest === undefined ? [] : [digest])];
  return seen.length > 0 ? { ...signal, seen: seen.slice(-LIMITS.signalVersions) } : signal;
}

/** As the policy sees it. A withdrawn limit ends where it was withdrawn; anything else that was withdrawn is gone. */
function visible(signal: Signal, wallMs: WallMs): Signal | null {
  const { cancelledMs } = signal;
  if (cancelledMs === undefined) return signal.held ? { ...signal, intervals: intervalsOf(signal) } : signal;
  if (signal.binding !== 'commandable' || wallMs - cancelledMs > AFTERMATH_MS) return null;
  const intervals = intervalsOf(signal)
    .filter((i) => i.fromMs < cancelledMs)
    .map((i) => ({ ...i, untilMs: Math.min(i.untilMs, cancelledMs) }));
  return intervals.length > 0 ? { ...signal, intervals } : null;
}
