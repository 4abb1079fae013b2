/** What quarter hours and days are made of: pure sums, added to by a late value as by one in time. */
import { startOfDay } from '../domain/calendar.ts';
import type { WallMs } from '../domain/time.ts';

export const QUARTER_MS = 900_000;
/** A day has 23 to 25 hours: 26 hours on is always in the next one. */
const PAST_DAY_MS = 26 * 3_600_000;

export type SlotKind = 'quarter' | 'day';

/** One slot of one point. Quarters nest in days: every zone's offset is a multiple of a quarter hour. */
export interface Slot {
  readonly at: WallMs;
  /** Mean of a momentary quantity, last value of a cumulative one. */
  readonly value: number;
  readonly min: number;
  readonly max: number;
  /** How many values; 0 when unknown (rolled up by an older version). */
  readonly n: number;
  /** When the last one was, for a cumulative quantity; null: at the slot's end, as far as is known. */
  readonly last: WallMs | null;
}

export const quarterOf = (at: WallMs): WallMs => Math.floor(at / QUARTER_MS) * QUARTER_MS;

export function slotOf(at: WallMs, kind: SlotKind, timeZone: string): WallMs {
  return kind === 'quarter' ? quarterOf(at) : dayOf(at, timeZone).fromMs;
}

export function slotEnd(slotMs: WallMs, kind: SlotKind, timeZone: string): WallMs {
  return kind === 'quarter' ? slotMs + QUARTER_MS : dayOf(slotMs, timeZone).untilMs;
}

interface Day {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
}

/** The day asked for last, of each zone: asking the calendar costs as much as storing a hundred values. */
const days = new Map<string, Day>();

function dayOf(at: WallMs, timeZone: string): Day {
  const known = days.get(timeZone);
  if (known && at >= known.fromMs && at < known.untilMs) return known;
  const fromMs = startOfDay(at, timeZone);
  const day = { fromMs, untilMs: startOfDay(fromMs + PAST_DAY_MS, timeZone) };
  days.set(timeZone, day);
  return day;
}

/** Two halves of one slot as one. */
export function merge(a: Slot, b: Slot, cumulative: boolean): Slot {
  const [min, max] = [Math.min(a.min, b.min), Math.max(a.max, b.max)];
  const later = (b.last ?? Infinity) >= (a.last ?? Infinity) ? b : a;
  if (cumulative) return { at: a.at, value: later.value, min, max, n: a.n + b.n, last: later.last };
  // How many made the one half is unknown: its mean stands, the extremes are known all the same.
  if (a.n === 0 || b.n === 0) return { ...(a.n === 0 ? a : b), at: a.at, min, max };
  const n = a.n + b.n;
  return { at: a.at, value: a.value + ((b.value - a.value) * b.n) / n, min, max, n, last: null };
}

/** Adds values in order of time to slots, by the start of the slot each belongs to. */
export function fold(
  values: Iterable<{ readonly at: WallMs; readonly value: number | null }>,
  slotStart: (at: WallMs) => WallMs,
  cumulative: boolean,
): Map<WallMs, Slot> {
  const slots = new Map<WallMs, Slot>();
  for (const { at, value } of values) {
    if (value === null) continue;
    const start = slotStart(at);
    const one = { at: start, value, min: value, max: value, n: 1, last: cumulative ? at : null };
    const before = slots.get(start);
    slots.set(start, before ? merge(before, one, cumulative) : one);
  }
  return slots;
}
