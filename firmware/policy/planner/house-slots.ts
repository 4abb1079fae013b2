/** The time that a house plans ahead, in slots: five minutes long for the first hour, quarter hours after it. */
import type { WallMs } from '../../domain/time.ts';
import { QUARTER_MS } from '../forecast/series.ts';
import type { Period } from './scenario.ts';
import { type Slots, tickOf } from './slots.ts';

/** The shortest slot; all others are whole multiples of it. */
export const TICK_MS = 300_000;
const TICKS_A_QUARTER = QUARTER_MS / TICK_MS;
/** So long at least the slots are short: until the next quarter hour after it. */
const FINE_MS = 3_600_000;

export interface HouseSlots extends Slots {
  readonly fromMs: WallMs;
  readonly spans: number[];
}

/** From the tick that is running on, as long as `reaches` says so of a slot. */
export function slotsAhead(
  wallMs: WallMs,
  mostMs: number,
  reaches: (fromMs: WallMs, untilMs: WallMs) => boolean,
): HouseSlots {
  const fromMs = Math.floor(wallMs / TICK_MS) * TICK_MS;
  const fineUntilMs = quarterOf(fromMs + FINE_MS - 1) + QUARTER_MS;
  const spans: number[] = [];
  for (let atMs = fromMs; atMs < fromMs + mostMs; ) {
    const span = atMs < fineUntilMs ? 1 : TICKS_A_QUARTER;
    const untilMs = atMs + span * TICK_MS;
    if (!reaches(atMs, untilMs)) break;
    spans.push(span);
    atMs = untilMs;
  }
  return { fromMs, n: spans.length, dt_h: TICK_MS / 3_600_000, spans };
}

export const quarterOf = (atMs: WallMs): WallMs => Math.floor(atMs / QUARTER_MS) * QUARTER_MS;

/** The quarter hours among the slots, of which the first has begun. */
export const quarterPeriod = ({ fromMs }: HouseSlots): Period => ({
  ticks: TICKS_A_QUARTER,
  past_ticks: (fromMs - quarterOf(fromMs)) / TICK_MS,
});

export const beginMs = (slots: HouseSlots, t: number): WallMs => slots.fromMs + tickOf(slots, t) * TICK_MS;
export const endMs = (slots: HouseSlots): WallMs => beginMs(slots, slots.n);

/** When slots begin and, last of all, when they end. */
export const timesOf = (slots: HouseSlots): WallMs[] =>
  Array.from({ length: slots.n + 1 }, (_, t) => beginMs(slots, t));

/** How many slots are over at this time: whole ones, 0 to `n`. */
export function slotsUntil(slots: HouseSlots, atMs: WallMs): number {
  let t = 0;
  while (t < slots.n && beginMs(slots, t + 1) <= atMs) t++;
  return t;
}

/** The first slot that begins at this time or later. */
export function slotFrom(slots: HouseSlots, atMs: WallMs): number {
  const t = slotsUntil(slots, atMs);
  return beginMs(slots, t) < atMs ? t + 1 : t;
}

/** The slots of the quarter hour that is running: a plan is made again after it. */
export const slotsNow = (slots: HouseSlots): number =>
  Math.max(1, slotsUntil(slots, quarterOf(slots.fromMs) + QUARTER_MS));

/** By slot, the quarter hour that it lies in, counted from the one that is running. */
export const quartersOf = (slots: HouseSlots): number[] =>
  Array.from(
    { length: slots.n },
    (_, t) => (quarterOf(beginMs(slots, t)) - quarterOf(slots.fromMs)) / QUARTER_MS,
  );
