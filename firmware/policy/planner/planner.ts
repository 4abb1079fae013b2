/** The plan for a scenario: from the solver where it can, never dearer than without it, checked, with a certificate. */
import { type Fault, fault, type Result } from '../../domain/errors.ts';
import { buildProgram } from './milp.ts';
import { evaluate, isBetter } from './model.ts';
import type { Scenario, Schedule } from './scenario.ts';
import { type Planned, standIn } from './stand-in.ts';

/** What a solver has to do: the values of the program's variables, and a bound that no plan can beat. */
export type SolveProgram = (
  text: string,
  columns: number,
) => Promise<Result<{ readonly values: readonly number[]; readonly bound: number | null }>>;

export interface Certificate {
  readonly cost: number;
  /** No plan costs less than this; null when nothing is proven. */
  readonly bound: number | null;
  /** (cost − bound) / max(|cost|, 1). */
  readonly gap: number | null;
  readonly source: 'solver' | 'stand-in' | 'last plan';
}

export interface Plan extends Planned {
  readonly certificate: Certificate;
  /** PLAN_INFEASIBLE: which constraint gave way; SOLVER_FAILED: why the stand-in plan is used. */
  readonly faults: readonly Fault[];
}

export interface PlanOptions {
  /** Null: plan without solver. */
  readonly solve: SolveProgram | null;
  /** A plan from before: it is used where nothing better is found. */
  readonly last?: Schedule;
  /** Skip the stand-in plan where the solver has one within its limits. */
  readonly solverOnly?: boolean;
}

export async function makePlan(s: Scenario, options: PlanOptions): Promise<Plan> {
  const faults: Fault[] = [];
  let bound: number | null = null;
  let best: { planned: Planned; source: Certificate['source'] } | null = null;
  const offer = (planned: Planned, source: Certificate['source']): void => {
    if (!best || isBetter(planned.evaluation, best.planned.evaluation)) best = { planned, source };
  };
  const offered = (): typeof best => best;
  if (options.solve) {
    const program = buildProgram(s);
    const solution = await options.solve(program.text, program.columns);
    if (!solution.ok) faults.push(solution.error);
    else {
      const schedule = program.schedule(solution.value.values);
      bound = solution.value.bound;
      offer({ schedule, evaluation: evaluate(s, schedule) }, 'solver');
    }
  }
  if (!options.solverOnly || offered()?.planned.evaluation.feasible !== true) offer(standIn(s), 'stand-in');
  if (options.last) offer({ schedule: options.last, evaluation: evaluate(s, options.last) }, 'last plan');
  const chosen = offered() ?? { planned: standIn(s), source: 'stand-in' as const };
  const { evaluation, schedule } = chosen.planned;
  if (!evaluation.feasible) faults.push(infeasible(evaluation.violations));
  const cost = evaluation.cost;
  if (!evaluation.feasible) bound = null;
  const gap = bound === null ? null : Math.max(0, cost - bound) / Math.max(1, Math.abs(cost));
  return { schedule, evaluation, certificate: { cost, bound, gap, source: chosen.source }, faults };
}

function infeasible(violations: Planned['evaluation']['violations']): Fault {
  const gaveWay = [...new Set(violations.map((v) => `${v.rule} (${v.where})`))].slice(0, 5);
  return fault('PLAN_INFEASIBLE', `no plan satisfies every constraint; gave way: ${gaveWay.join(', ')}`);
}
