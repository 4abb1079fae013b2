/** Slots of days and the local times they have: days of 23 and 25 hours too, where the days have a zone. */
import { instantOf, localMs, msOfTime } from '../../domain/calendar.ts';
import type { WallMs } from '../../domain/time.ts';
import { DAY_MS } from '../forecast/series.ts';
import type { Car, Days } from './days.ts';

/** Without one local time is taken as if it were UTC, and never changes. */
export const zoneOf = (d: Days): string => d.time_zone ?? 'UTC';

const slotMs = (d: Days): number => d.dt_h * 3_600_000;

/** Local, as milliseconds as if it were UTC, on a whole slot. */
const startOf = (d: Days): number =>
  Math.floor(Date.parse(`${d.start.slice(0, 16)}Z`) / slotMs(d)) * slotMs(d);

interface Known {
  readonly startMs: WallMs;
  /** Midnight of the day of a slot, and the slot of a local time, both local. */
  readonly midnights: Map<number, number>;
  readonly slots: Map<number, number>;
}

/** Asking the calendar takes longer than running a slot. */
const known = new WeakMap<Days, Known>();

function knownOf(d: Days): Known {
  let all = known.get(d);
  if (!all) {
    all = { startMs: instantOf(startOf(d), zoneOf(d)), midnights: new Map(), slots: new Map() };
    known.set(d, all);
  }
  return all;
}

/** When slot `t` begins. */
export const msOf = (d: Days, t: number): WallMs => knownOf(d).startMs + t * slotMs(d);

/** The slot that holds a local time; before the first it is negative. */
function slotAt(d: Days, local: number): number {
  const { startMs, slots } = knownOf(d);
  let slot = slots.get(local);
  if (slot === undefined) {
    slot = Math.floor((instantOf(local, zoneOf(d)) - startMs) / slotMs(d));
    slots.set(local, slot);
  }
  return slot;
}

function midnightOf(d: Days, t: number): number {
  const { midnights } = knownOf(d);
  let midnight = midnights.get(t);
  if (midnight === undefined) {
    midnight = Math.floor(localMs(msOf(d, t), zoneOf(d)) / DAY_MS) * DAY_MS;
    midnights.set(t, midnight);
  }
  return midnight;
}

/** Slots a day, as most days are. */
export const perDay = (d: Days): number => Math.round(24 / d.dt_h);

/** Slots since midnight. */
export const slotOfDay = (d: Days, t: number): number => t - slotAt(d, midnightOf(d, t));

/** The slot that holds `HH:MM` of the day of slot `t`, or of a day so many days later. */
export const slotOfTime = (d: Days, t: number, time: string, days = 0): number =>
  slotAt(d, midnightOf(d, t) + days * DAY_MS + msOfTime(time));

/** The slots with which each day since the first slot ends. */
export function dayEnds(d: Days): number[] {
  const ends: number[] = [];
  for (let day = 1; (ends.at(-1) ?? 0) < d.base_load_kw.length; day++)
    ends.push(slotAt(d, startOf(d) + day * DAY_MS));
  return ends;
}

/** Half-open, slots of the series. */
export interface Stay {
  readonly from: number;
  readonly until: number;
}

/** The car's stay that holds slot `t` or comes next. */
export function stayAt(d: Days, c: Car, t: number): Stay {
  const stay = (day: number): Stay => {
    const from = slotOfTime(d, t, c.arrives, day);
    const until = slotOfTime(d, t, c.leaves, c.leaves > c.arrives ? day : day + 1);
    return { from, until: Math.max(from + 1, until) };
  };
  return [stay(-1), stay(0)].find(({ until }) => t < until) ?? stay(1);
}

/** What the car wants in a stay, kWh: of one that the days begin or end in the middle of, the share of its time. */
export function neededIn(d: Days, c: Car, { from, until }: Stay): number {
  const within = Math.min(until, d.base_load_kw.length) - Math.max(0, from);
  return (c.need_kwh * Math.max(0, within)) / (until - from);
}
