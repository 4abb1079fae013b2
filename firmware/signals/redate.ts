/** A limit that is in force when the wall clock jumps goes on for the time that it had left. */
import { isCommand, type Signal, type SignalInterval } from '../domain/signal.ts';
import { isWallPlausible, type WallMs } from '../domain/time.ts';

/** All that a signal says, with what a jump of the clock would have cut short. */
export const intervalsOf = ({ intervals, held }: Signal): readonly SignalInterval[] =>
  held ? [...intervals, held] : intervals;

/**
 * The signal after the wall clock moved by `deltaMs` to `wallMs`. An interval that was in force before is held, moved
 * with the clock, unless the signal limits at the new time by itself: a clock that was set, or that is wrong, ends no
 * limit. Where it moves back, what was held is let go.
 */
export function redated(signal: Signal, wallMs: WallMs, deltaMs: number): Signal {
  if (!isCommand(signal) || signal.cancelledMs !== undefined) return signal;
  const { held, ...own } = signal;
  if (own.intervals.some((i) => isLimit(i) && isNow(i, wallMs))) return held ? own : signal;
  const running = intervalsOf(signal).filter((i) => isLimit(i) && wasNow(i, wallMs - deltaMs));
  const tightest = running.reduce<SignalInterval | null>(
    (a, b) => (a === null || (b.value ?? 0) < (a.value ?? 0) ? b : a),
    null,
  );
  if (tightest) return { ...own, held: moved(tightest, deltaMs) };
  return held ? own : signal;
}

const isLimit = ({ value }: SignalInterval): boolean => value !== null;
const isNow = ({ fromMs, untilMs }: SignalInterval, atMs: WallMs): boolean =>
  fromMs <= atMs && atMs < untilMs;

/** A clock that is not set starts anew with each boot: what was dated by it counts as begun. */
const wasNow = (interval: SignalInterval, atMs: WallMs): boolean =>
  isNow(interval, atMs) ||
  (!isWallPlausible(interval.fromMs) && !isWallPlausible(atMs) && atMs < interval.untilMs);

const moved = ({ fromMs, untilMs, value }: SignalInterval, deltaMs: number): SignalInterval => ({
  fromMs: fromMs + deltaMs,
  untilMs: untilMs + deltaMs,
  value,
});
