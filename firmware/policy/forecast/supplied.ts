/** What signals say about the time ahead, by quarter hour: of several the best priority, then the newest. */
import type { Signal, SignalKind } from '../../domain/signal.ts';
import type { WallMs } from '../../domain/time.ts';
import { QUARTER_MS } from './series.ts';

/** In the unit of the kind, what holds in the middle of each quarter hour; null where nothing is said. */
export function supplied(
  signals: readonly Signal[],
  kind: SignalKind,
  fromMs: WallMs,
  slots: number,
): (number | null)[] {
  const values = new Array<number | null>(slots).fill(null);
  const weakestFirst = signals
    .filter((s) => s.kind === kind && s.binding === 'informational')
    .sort((a, b) => b.priority - a.priority || a.modifiedMs - b.modifiedMs);
  for (const { intervals } of weakestFirst)
    for (const { fromMs: begin, untilMs, value } of intervals) {
      if (value === null || !Number.isFinite(value)) continue;
      const slotOf = (ms: WallMs): number => Math.ceil((ms - fromMs) / QUARTER_MS - 0.5);
      values.fill(value, Math.min(slots, Math.max(0, slotOf(begin))), Math.max(0, slotOf(untilMs)));
    }
  return values;
}
