/** The whole of a house's plan from what the gateway sends: forecasts, plan, the battery hedged, and what it comes to. */
import { houseForecasts } from '../forecast/house.ts';
import { alternatives, carriedOn } from './alternative.ts';
import { billOf } from './billing.ts';
import { courseOf } from './course.ts';
import { withForecasts } from './house.ts';
import { quartersOf, slotsNow } from './house-slots.ts';
import { houseSpread } from './house-spread.ts';
import { evaluate } from './model.ts';
import { hedged } from './outlook.ts';
import { type MadePlan, makePlan, type PlanTask, type SolveProgram } from './planner.ts';

/** `solve` null: without a solver. */
export async function planHouse(task: PlanTask, solve: SolveProgram | null): Promise<MadePlan> {
  const { scenario, last, known, horizon, fromMs } = task;
  const slots = { fromMs, n: scenario.n, dt_h: scenario.dt_h, spans: scenario.spans ?? [] };
  const now = slotsNow(slots);
  const forecasts = houseForecasts(known, horizon);
  const stores = new Map(known.heat?.stores.map(({ id, store }) => [id, store]));
  const expected = withForecasts(scenario, slots, { forecasts, stores, known });
  const plan = await makePlan(expected, { solve, ...(last && { last }) });
  // What the battery does now must suit more than the expected course.
  const spread = houseSpread(expected, quartersOf(slots), forecasts.lastDay);
  const schedule = carriedOn(expected, plan.schedule, hedged(expected, plan.schedule, spread, now), now);
  const { import_kw, export_kw } = evaluate(expected, schedule);
  return {
    schedule,
    import_kw: Array.from(import_kw),
    export_kw: Array.from(export_kw),
    bill: billOf(expected, import_kw, export_kw),
    certificate: plan.certificate,
    faults: plan.faults,
    quality: forecasts.quality,
    solar_kw: quartersOf(slots).map((q) => Math.max(0, forecasts.solar.mean[q] ?? 0) / 1000),
    course: courseOf(expected, schedule),
    alternatives: alternatives(expected, schedule, now),
  };
}
