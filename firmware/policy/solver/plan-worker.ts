/**
 * The planner's own process: a request a line on stdin, its plan a line on stdout, until stdin ends. All of a plan is
 * made here (forecasts, greedy plan, program, solver, check), so that the gateway's cycle never waits for any of it.
 */
import { createInterface } from 'node:readline';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { planHouse } from '../planner/plan-house.ts';
import type { SolveProgram } from '../planner/planner.ts';
import type { PlanRequest } from './plan-process.ts';

for await (const line of createInterface({ input: process.stdin })) {
  const { solver, ...task } = JSON.parse(line) as PlanRequest;
  const made = await planHouse(task, solver && solveHere(solver));
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
