/** What gives way in a full book. */
import { isCommand, type Signal } from '../domain/signal.ts';
import type { WallMs } from '../domain/time.ts';
import { intervalsOf } from './redate.ts';

const endOf = (signal: Signal): number => Math.max(...intervalsOf(signal).map((i) => i.untilMs));
const beginOf = (signal: Signal): number => Math.min(...intervalsOf(signal).map((i) => i.fromMs));

/**
 * First what is over, the one that ended first; then what was withdrawn, the oldest; then, for a command alone, what
 * only informs, the farthest. Null: all that is known is needed more than `incoming`.
 * @param wallMs −Infinity while nobody can say what is over
 */
export function leastNeeded(known: readonly Signal[], incoming: Signal, wallMs: WallMs): Signal | null {
  const over = known.filter((s) => endOf(s) <= wallMs);
  const withdrawn = known.filter((s) => s.cancelledMs !== undefined);
  const informing = isCommand(incoming) ? known.filter((s) => !isCommand(s)) : [];
  return first(over, endOf) ?? first(withdrawn, (s) => s.receivedMs) ?? first(informing, (s) => -beginOf(s));
}

const first = (signals: readonly Signal[], rank: (signal: Signal) => number): Signal | null =>
  signals.reduce<Signal | null>((a, b) => (a === null || rank(b) < rank(a) ? b : a), null);
