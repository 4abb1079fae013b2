/** Runs of programs as the planner sees them: a cycle that begins now, or waits so that it is done in time. */
import { lengthMsOf, type Program } from '../../domain/flexibility.ts';
import type { DeviceImage, ProgramRun } from '../../domain/image.ts';
import { beginMs, endMs, type HouseSlots, slotsUntil, TICK_MS } from './house-slots.ts';
import type { DeviceOf } from './scenario.ts';
import { tickOf } from './slots.ts';

/** A run that was asked for, unless it still waits for something else than the price. */
export const isProgramPlanned = ({ run, mode }: DeviceImage): boolean =>
  run !== undefined && (isAtOnce(run) || mode === 'cheap');

const isAtOnce = ({ doneMs, byMs }: ProgramRun): boolean => doneMs !== null || byMs === null;

/** In dearest kWh for one of the program: so much it is worth that it runs, before a limit keeps it off. */
const RUN_PRICE = 20;

/**
 * What it has still to do. Where its time ends long after the horizon it may be left for later: `skip_penalty` is 0 until
 * the forecasts say what that costs. Where it cannot be done in time, or no time is left after the known prices, it
 * begins at once. One that limits keep off is left out, dearly, and the rest of the house is planned.
 */
export function programOf(
  id: string,
  program: Program,
  run: ProgramRun,
  slots: HouseSlots,
  dearest: number,
): DeviceOf<'appliance'> {
  const profile_kw = ticksOf(program, run.doneMs ?? 0);
  const latest = run.byMs === null ? 0 : slotsUntil(slots, run.byMs);
  const isLater = run.byMs !== null && run.byMs >= endMs(slots) + lengthMsOf(program);
  const fits = profile_kw.length <= tickOf(slots, latest);
  const energy_kwh = profile_kw.reduce((sum, kw) => sum + kw * slots.dt_h, 0);
  const skip_penalty = RUN_PRICE * dearest * Math.max(0.1, energy_kwh);
  if (!isAtOnce(run) && (fits || isLater))
    return {
      id,
      type: 'appliance',
      profile_kw,
      earliest_slot: 0,
      latest_end_slot: latest,
      skip_penalty: isLater ? 0 : skip_penalty,
    };
  // What of it lies beyond the horizon is not planned.
  const within = profile_kw.slice(0, tickOf(slots, slots.n));
  const end = slotsUntil(slots, slots.fromMs + within.length * TICK_MS - 1) + 1;
  return { id, type: 'appliance', profile_kw: within, earliest_slot: 0, latest_end_slot: end, skip_penalty };
}

/** Mean powers by tick from `doneMs` on, kW; never empty. */
function ticksOf({ steps }: Program, doneMs: number): number[] {
  const ticks: number[] = [];
  let atMs = -doneMs;
  for (const { forMs, power_W } of steps) {
    const untilMs = atMs + forMs;
    for (let from = Math.max(0, atMs); from < untilMs; ) {
      const tick = Math.floor(from / TICK_MS);
      const until = Math.min(untilMs, (tick + 1) * TICK_MS);
      ticks[tick] = (ticks[tick] ?? 0) + ((power_W / 1000) * (until - from)) / TICK_MS;
      from = until;
    }
    atMs = untilMs;
  }
  return ticks.length > 0 ? ticks : [0];
}

/** The slots in which a run is on that begins with slot `start`: half-open. */
export function runsIn(
  slots: HouseSlots,
  { profile_kw }: DeviceOf<'appliance'>,
  start: number,
): [number, number] {
  const endsMs = beginMs(slots, start) + profile_kw.length * TICK_MS;
  return [start, Math.min(slots.n, slotsUntil(slots, endsMs - 1) + 1)];
}
