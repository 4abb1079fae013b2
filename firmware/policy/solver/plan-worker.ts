/**
 * The planner's own process: a request a line on stdin, its plan a line on stdout, until stdin ends. All of a plan is
 * made here (forecasts, greedy plan, program, solver, check), so that the gateway's cycle never waits for any of it.
 */
import { createInterface } from 'node:readline';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { houseForecasts } from '../forecast/house.ts';
import { withForecasts } from '../planner/house.ts';
import { type MadePlan, makePlan, type SolveProgram } from '../planner/planner.ts';
import type { PlanRequest } from './plan-process.ts';

for await (const line of createInterface({ input: process.stdin })) {
  const { scenario, last, solver, known, horizon } = JSON.parse(line) as PlanRequest;
  const forecasts = houseForecasts(known, horizon);
  const plan = await makePlan(withForecasts(scenario, forecasts), {
    solve: solver && solveHere(solver),
    ...(last && { last }),
  });
  const { schedule, certificate, faults, evaluation } = plan;
  const [import_kw, export_kw] = [Array.from(evaluation.import_kw), Array.from(evaluation.export_kw)];
  const { quality } = forecasts;
  const made: MadePlan = { schedule, import_kw, export_kw, certificate, faults, quality };
  process.stdout.write(`${JSON.stringify(made)}\n`);
}

/** The solver in this very process. What it throws leaves the stand-in plan; what kills it, another process. */
function solveHere(options: NonNullable<PlanRequest['solver']>): SolveProgram {
  return async (
    program,
    start = [],
  ): Promise<Result<{ values: readonly number[]; bound: number | null }>> => {
    try {
      const { solve } = await import('./highs.mjs');
      const { values, bound } = solve({ program, start, ...options });
      return values ? ok({ values, bound }) : refuse('SOLVER_FAILED', 'the solver found no plan');
    } catch (error) {
      return refuse('SOLVER_FAILED', error instanceof Error ? error.message : String(error));
    }
  };
}
