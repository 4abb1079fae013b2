/** When the intervals of an OpenADR 3.1 event hold (User Guide, "interval periods"). */
import { ok, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import { durationMs, FOR_EVER_MS, startMs } from './duration.ts';
import type { Event, Payload } from './openadr3-schema.ts';

export interface TimedPayloads {
  readonly fromMs: number;
  readonly untilMs: number;
  readonly payloads: readonly Payload[];
}

export interface TimeContext {
  /** What a start of "now" means. */
  readonly nowMs: number;
  /** The random shift of a start, in [−1, 1); the same for the same name, over restarts. */
  readonly draw: (name: string) => number;
}

/** PT0S on the event or its only period says that it is off. */
export const isCancelled = (event: Event): boolean =>
  durationMs(event.duration ?? 'PT1S') === 0 || durationMs(event.intervalPeriod?.duration ?? 'PT1S') === 0;

/** An interval without its own start follows the one before. */
export function timeline(event: Event, context: TimeContext): Result<readonly TimedPayloads[]> {
  const begin = startOf('intervalPeriod', event.intervalPeriod, event.id, null, context);
  if (!begin.ok) return begin;
  const out: TimedPayloads[] = [];
  let nextMs: number | null = begin.value;
  for (const [index, { id, intervalPeriod, payloads }] of (event.intervals ?? []).entries()) {
    const path = `intervals.${index}.intervalPeriod`;
    // By its id, which stays when a newer version of the event has more of them.
    const name = `${event.id}/${typeof id === 'number' ? id : index}`;
    const own: Result<number | null> = startOf(path, intervalPeriod, name, nextMs, context);
    if (!own.ok) return own;
    const fromMs = own.value;
    const length = durationMs(intervalPeriod?.duration ?? event.intervalPeriod?.duration ?? 'P9999Y');
    if (fromMs === null) return badTime(`${path}.start`);
    if (length === null) return badTime(`${path}.duration`);
    nextMs = fromMs + length;
    if (length > 0) out.push({ fromMs, untilMs: nextMs, payloads });
  }
  if (out.length === 0) return badTime('intervals: the event has none');
  return overall(event, out);
}

const badTime = (path: string): { ok: false; error: { code: 'SIGNAL_INVALID'; message: string } } => ({
  ok: false,
  error: { code: 'SIGNAL_INVALID', message: `${path}: expected a time or duration of RFC 3339 / ISO 8601` },
});

/**
 * When a period starts, its own start or what is `elseMs`, moved by its random share; null when it has neither. What
 * follows is moved with it, until something has a start of its own (User Guide, randomizeStart).
 */
function startOf(
  path: string,
  period: Event['intervalPeriod'],
  name: string,
  elseMs: number | null,
  { nowMs, draw }: TimeContext,
): Result<number | null> {
  const at = period?.start === undefined ? elseMs : startMs(period.start, nowMs);
  const most = durationMs(period?.randomizeStart ?? 'PT0S');
  if (at === null && period?.start !== undefined) return badTime(`${path}.start`);
  if (most === null) return badTime(`${path}.randomizeStart`);
  return ok(at === null || most === 0 ? at : at + Math.round(most * draw(name)));
}

/** `event.duration` longer than the intervals repeats them, shorter cuts them. */
function overall(event: Event, slots: readonly TimedPayloads[]): Result<readonly TimedPayloads[]> {
  if (event.duration == null) return ok(slots);
  const length = durationMs(event.duration);
  if (length === null) return badTime('duration');
  const merged = joined(slots);
  const first = Math.min(...merged.map((s) => s.fromMs));
  const span = Math.max(...merged.map((s) => s.untilMs)) - first;
  const end = first + length;
  // One thing all the time, for however long.
  if (merged.length === 1 && isPlain(merged[0])) return ok(merged.map((s) => ({ ...s, untilMs: end })));
  if (Math.ceil(length / span) * merged.length > LIMITS.signalIntervals && length > span)
    return refuse('TOO_MANY', `duration: repeats to more than ${LIMITS.signalIntervals} intervals`);
  const out: TimedPayloads[] = [];
  for (let offset = 0; first + offset < end; offset += span) {
    for (const s of merged) {
      const [fromMs, untilMs] = [s.fromMs + offset, Math.min(s.untilMs + offset, end)];
      if (fromMs < untilMs) out.push({ ...s, fromMs, untilMs });
    }
    if (span >= FOR_EVER_MS) break;
  }
  return ok(out);
}

/** Several values divide an interval among them: it cannot be made longer. */
const isPlain = (slot: TimedPayloads | undefined): boolean =>
  slot?.payloads.every(({ values }) => values.length === 1) ?? false;

/** Neighbours that say the same are one. */
function joined(slots: readonly TimedPayloads[]): readonly TimedPayloads[] {
  const out: TimedPayloads[] = [];
  for (const slot of slots) {
    const last = out.at(-1);
    const same = last?.untilMs === slot.fromMs && isPlain(slot) && isDeepEqual(last.payloads, slot.payloads);
    if (last && same) out[out.length - 1] = { ...last, untilMs: slot.untilMs };
    else out.push(slot);
  }
  return out;
}

const isDeepEqual = (a: readonly Payload[], b: readonly Payload[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b);
