/** The plan for a scenario: from the solver where it can, never dearer than without it, checked, with a certificate. */
import { type Fault, fault, type Result } from '../../domain/errors.ts';
import type { HousePlan } from '../../domain/house-plan.ts';
import type { WallMs } from '../../domain/time.ts';
import type { ForecastInput } from '../forecast/house.ts';
import type { Horizon } from '../forecast/series.ts';
import type { Alternative } from './alternative.ts';
import type { ProgramData, Term } from './milp/linear-program.ts';
import { buildProgram } from './milp/program.ts';
import { evaluate, isBetter } from './model.ts';
import type { Scenario, Schedule } from './scenario.ts';
import { type Planned, standIn } from './stand-in.ts';

/** What a solver has to do: the values of the program's variables, and a bound that no plan can beat. */
export type SolveProgram = (
  program: ProgramData,
  start?: readonly Term[],
) => Promise<Result<{ readonly values: readonly number[]; readonly bound: number | null }>>;

export type PlanSource = 'solver' | 'stand-in' | 'last plan';

export interface Certificate {
  readonly cost: number;
  /** No plan costs less than this; null when nothing is proven. */
  readonly bound: number | null;
  /** (cost − bound) / max(|cost|, 1). */
  readonly gap: number | null;
  readonly source: PlanSource;
  /** How many slots ago the plan was made: 0, unless an earlier one is still the best. */
  readonly ageSlots: number;
}

export interface Plan extends Planned {
  readonly certificate: Certificate;
  /** PLAN_INFEASIBLE: which constraint gave way; SOLVER_FAILED: why the stand-in plan is used. */
  readonly faults: readonly Fault[];
}

/** A plan from before, shifted to now, and its age. */
export interface LastPlan {
  readonly schedule: Schedule;
  readonly ageSlots: number;
}

/** What a house has planned. */
export interface PlanTask {
  /** Base load and sun are 0: they are forecast where the plan is made. */
  readonly scenario: Scenario;
  readonly last: LastPlan | null;
  readonly known: ForecastInput;
  /** The quarter hours that forecasts are made for. */
  readonly horizon: Horizon;
  /** When the first slot of the scenario begins. */
  readonly fromMs: WallMs;
}

/** A plan as it comes from the process that made it. */
export interface MadePlan extends Pick<Plan, 'schedule' | 'certificate' | 'faults'> {
  readonly import_kw: readonly number[];
  readonly export_kw: readonly number[];
  readonly bill: HousePlan['bill'];
  readonly quality: HousePlan['quality'];
  /** By store, at the start and at the end of each slot: kWh in a battery, °C of what holds heat. */
  readonly course?: Readonly<Record<string, readonly number[]>>;
  /** What the roofs are expected to give. */
  readonly solar_kw?: readonly number[];
  /** By device, of now. */
  readonly alternatives?: Readonly<Record<string, Alternative>>;
}

/** Makes a plan elsewhere; one at a time. PLANNER_FAILED. */
export interface PlanMaker {
  (task: PlanTask): Promise<Result<MadePlan>>;
  /** Gives up what is being planned. */
  end?(): void;
}

export interface PlanOptions {
  /** Null: plan without solver. */
  readonly solve: SolveProgram | null;
  /** Used where nothing better is found. */
  readonly last?: LastPlan;
  /** Make the stand-in plan only where neither the last plan nor the solver has one within its limits. */
  readonly solverOnly?: boolean;
}

interface Candidate extends Planned {
  readonly source: PlanSource;
  readonly ageSlots: number;
}

/**
 * The best of the last plan, the stand-in plan and the solver's, each priced by the model before it counts; the
 * solver starts from the better of the other two.
 */
export async function makePlan(s: Scenario, options: PlanOptions): Promise<Plan> {
  const { solve, last } = options;
  const faults: Fault[] = [];
  let bound: number | null = null;
  let best = last ? candidate(s, last.schedule, 'last plan', last.ageSlots) : null;
  const standInNow = (effort: 'quick' | 'thorough'): void => {
    best = better(best, { ...standIn(s, undefined, effort), source: 'stand-in', ageSlots: 0 });
  };
  const alone = options.solverOnly ? 'quick' : 'thorough';
  if (!solve) standInNow(alone);
  else if (!options.solverOnly) standInNow('quick');
  if (solve) {
    const program = buildProgram(s);
    const solution = await solve(
      program.data,
      best?.evaluation.feasible ? program.start(best.schedule, best.evaluation) : [],
    );
    if (!solution.ok) {
      faults.push(solution.error);
      standInNow(alone);
    } else {
      bound = solution.value.bound;
      const solved = candidate(s, program.schedule(solution.value.values), 'solver', 0);
      // On a tie the plan with the proof.
      if (!best || !isBetter(best.evaluation, solved.evaluation)) best = solved;
    }
  }
  const isLoose = !options.solverOnly && (gapOf(best, bound) ?? 0) > LOOSE;
  if (solve && (isLoose || !best?.evaluation.feasible)) standInNow('thorough');
  const chosen = best ?? candidate(s, {}, 'stand-in', 0);
  const { evaluation, schedule, source, ageSlots } = chosen;
  if (!evaluation.feasible) faults.push(infeasible(evaluation.violations));
  const cost = evaluation.cost;
  if (!evaluation.feasible) bound = null;
  const gap = gapOf(chosen, bound);
  return { schedule, evaluation, certificate: { cost, bound, gap, source, ageSlots }, faults };
}

/** So far from what is proven the solver had too little time: the stand-in takes its own, and the better one stands. */
const LOOSE = 0.02;

function gapOf(plan: Planned | null, bound: number | null): number | null {
  if (plan === null || bound === null) return null;
  const { cost } = plan.evaluation;
  return Math.max(0, cost - bound) / Math.max(1, Math.abs(cost));
}

const candidate = (s: Scenario, schedule: Schedule, source: PlanSource, ageSlots: number): Candidate => ({
  schedule,
  evaluation: evaluate(s, schedule),
  source,
  ageSlots,
});

const better = (a: Candidate | null, b: Candidate): Candidate =>
  a && !isBetter(b.evaluation, a.evaluation) ? a : b;

function infeasible(violations: Planned['evaluation']['violations']): Fault {
  const gaveWay = [...new Set(violations.map((v) => `${v.rule} (${v.where})`))].slice(0, 5);
  return fault('PLAN_INFEASIBLE', `no plan satisfies every constraint; gave way: ${gaveWay.join(', ')}`);
}
