/** Limits that end without anybody's word: the failsafe limit when it is given up, and what was commanded for ever. */
import { isCommand, LOWEST_PRIORITY, type Signal } from '../domain/signal.ts';
import type { WallMs } from '../domain/time.ts';
import { FOR_EVER_MS } from './duration.ts';

/** A command for now. What is contracted holds whenever nothing else does, and needs nobody to be there. */
export const isForNow = (signal: Signal): boolean => isCommand(signal) && signal.priority <= LOWEST_PRIORITY;

/** Over at `atMs`, so that the policy gives it up slowly. */
export const endedAt = (signal: Signal, atMs: WallMs): Signal => ({
  ...signal,
  intervals: signal.intervals
    .filter(({ fromMs }) => fromMs < atMs)
    .map((i) => ({ ...i, untilMs: Math.min(i.untilMs, atMs) })),
  cancelledMs: atMs,
});

/** Without what a command says for ever, or with that over at `endMs`. */
export function withoutEndless(signals: readonly Signal[], endMs: WallMs | null): readonly Signal[] {
  return signals.flatMap((signal) => {
    const intervals = signal.intervals.filter((i) => i.untilMs - i.fromMs < FOR_EVER_MS);
    if (!isForNow(signal) || intervals.length === signal.intervals.length) return signal;
    if (intervals.length > 0) return { ...signal, intervals };
    return endMs === null ? [] : endedAt(signal, endMs);
  });
}
