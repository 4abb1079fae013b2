/** The whole of a house's plan from what the gateway sends: forecasts, plan, the battery hedged, and what it comes to. */
import { houseForecasts } from '../forecast/house.ts';
import { alternatives } from './alternative.ts';
import { courseOf } from './course.ts';
import { withForecasts } from './house.ts';
import { houseSpread } from './house-spread.ts';
import { evaluate } from './model.ts';
import { hedged } from './outlook.ts';
import { type MadePlan, makePlan, type PlanTask, type SolveProgram } from './planner.ts';

/** `solve` null: without a solver. */
export async function planHouse(task: PlanTask, solve: SolveProgram | null): Promise<MadePlan> {
  const { scenario, last, known, horizon } = task;
  const forecasts = houseForecasts(known, horizon);
  const stores = new Map(known.heat?.stores.map(({ id, store }) => [id, store]));
  const expected = withForecasts(scenario, forecasts, stores, known.peak_W);
  const plan = await makePlan(expected, { solve, ...(last && { last }) });
  // What the battery does now must suit more than the expected course.
  const schedule = hedged(expected, plan.schedule, houseSpread(expected, forecasts.lastDay));
  const { import_kw, export_kw } = evaluate(expected, schedule);
  return {
    schedule,
    import_kw: Array.from(import_kw),
    export_kw: Array.from(export_kw),
    certificate: plan.certificate,
    faults: plan.faults,
    quality: forecasts.quality,
    solar_kw: forecasts.solar.mean.map((x) => Math.max(0, x) / 1000),
    course: courseOf(expected, schedule),
    alternatives: alternatives(expected, plan.schedule),
  };
}
