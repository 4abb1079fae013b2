/**
 * One table over the development scenarios: perfect foresight, the stand-in plan, slot by slot on the forecasts, and the
 * baselines published with the set; cost ÷ optimum, time per plan, memory of the solver's process. Judged by the
 * independent checker where it is there. `SECONDS=1.5 node scripts/bench-rolling.ts [--no-solver] [--plain] [id …]`;
 * SECONDS: what the solver may take for one plan.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LIMITS } from '../firmware/domain/limits.ts';
import { systemClock } from '../firmware/hal/clock.ts';
import { makePlan } from '../firmware/policy/planner/planner.ts';
import { RollingPlanner } from '../firmware/policy/planner/rolling.ts';
import { parseScenario, type Scenario, type Schedule } from '../firmware/policy/planner/scenario.ts';
import { forecastOf, replay } from '../firmware/policy/simulation/rolling-home.ts';
import { type Solve, solverProcess } from '../firmware/policy/solver/process.ts';

interface Reference {
  readonly optimum: number;
  readonly baselines: Readonly<Record<string, number>>;
  readonly mpc_rolling?: number;
}
interface Verdict {
  readonly feasible: boolean;
  readonly cost: number;
  readonly limit_violation_kwh?: number;
}

const folder = path.resolve(import.meta.dirname, '../../shared/scenarios');
const judge = path.resolve(folder, '../tools/check.mjs');
const { check } = existsSync(judge) ? await import(judge) : { check: null };
const has = (flag: string): boolean => process.argv.includes(flag);
const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const files = existsSync(folder) ? readdirSync(folder).filter((f) => /^dev-\d+\.json$/.test(f)) : [];
const timeLimit_s = Number(process.env.SECONDS ?? 1.5);
let peak_MiB = 0;
const solver = (gap: number, keepMs?: number): Solve | null => {
  if (has('--no-solver')) return null;
  const memory_MiB = LIMITS.solverMemory_MiB;
  const solve = solverProcess(systemClock(), { timeLimit_s, gap, memory_MiB, ...(keepMs && { keepMs }) });
  const watched = async (...program: Parameters<Solve>): ReturnType<Solve> => {
    const solution = await solve(...program);
    if (solution.ok) peak_MiB = Math.max(peak_MiB, solution.value.memory_MiB ?? 0);
    return solution;
  };
  return Object.assign(watched, { end: solve.end });
};
const [once, again] = [solver(5e-4), solver(1e-3, 1_000)];

/** What each way of planning came to, and the seconds of each of its plans. */
const costs = new Map<string, number[]>();
const seconds = new Map<string, number[]>();
const violations = new Map<string, number>();
const optima: number[] = [];
const add = <T>(to: Map<string, T[]>, way: string, value: T): void =>
  void to.set(way, [...(to.get(way) ?? []), value]);

async function timed<T>(way: string, work: () => Promise<T>): Promise<T> {
  const from = process.hrtime.bigint();
  const result = await work();
  add(seconds, way, Number(process.hrtime.bigint() - from) / 1e9);
  return result;
}

function judged(way: string, json: unknown, schedule: Schedule, own: Verdict): Verdict {
  const verdict: Verdict = check?.(json, { devices: schedule }) ?? own;
  const cost = verdict.cost + 10 * (verdict.limit_violation_kwh ?? 0);
  add(costs, way, cost);
  if (!verdict.feasible) violations.set(way, (violations.get(way) ?? 0) + 1);
  return { ...verdict, cost };
}

async function run(json: unknown, s: Scenario): Promise<readonly Verdict[]> {
  const plan = await timed('perfect foresight', () => makePlan(s, { solve: once }));
  const alone = await timed('stand-in plan', () => makePlan(s, { solve: null }));
  const planner = new RollingPlanner(forecastOf(s), { solve: again, correct: !has('--plain') });
  const rolled = await replay(s, (step) => timed('slot by slot', () => planner.step(step)));
  return [
    judged('perfect foresight', json, plan.schedule, plan.evaluation),
    judged('stand-in plan', json, alone.schedule, alone.evaluation),
    judged('slot by slot', json, rolled.schedule, rolled),
  ];
}

const ratio = (cost: number, optimum: number): number =>
  1 + (cost - optimum) / Math.max(1, Math.abs(optimum));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;

console.log(
  'scenario  optimum | cost ÷ optimum: foresight, stand-in, slot by slot | slot by slot ÷ no control',
);
for (const file of files) {
  const id = file.replace('.json', '');
  if (wanted.length && !wanted.includes(id)) continue;
  const json: { reference: Reference } = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const s = parseScenario(json);
  if (!s.ok) throw new Error(s.error.message);
  const { optimum, baselines, mpc_rolling } = json.reference;
  const verdicts = await run(json, s.value);
  optima.push(optimum);
  for (const [name, cost] of Object.entries(baselines)) add(costs, name, cost);
  if (mpc_rolling !== undefined) add(costs, 'plain rolling program', mpc_rolling);
  const ratios = verdicts.map((v) => `${ratio(v.cost, optimum).toFixed(4)}${v.feasible ? '' : '!'}`);
  const rolled = verdicts.at(-1)?.cost ?? Number.NaN;
  console.log(id, optimum.toFixed(3), ...ratios, ratio(rolled, baselines.dumb ?? Number.NaN).toFixed(4));
}

console.log(
  '\nway: mean, median, worst cost ÷ optimum; total ÷ total; broken limits; s per plan p50, p95, most',
);
for (const [way, values] of costs) {
  const ratios = values.map((cost, i) => ratio(cost, optima[i] ?? Number.NaN));
  const took = seconds.get(way) ?? [];
  const time = took.length ? [0.5, 0.95, 1].map((p) => at(took, p).toFixed(2)).join(' ') : '';
  const [mean, worst] = [sum(ratios) / ratios.length, Math.max(...ratios)];
  const median = (at(ratios, 0.5) + at(ratios, 0.5 + 1 / ratios.length)) / 2;
  const figures = [mean, median, worst, sum(values) / sum(optima)].map((x) => x.toFixed(4)).join(' ');
  console.log(`${way}: ${figures}; ${violations.get(way) ?? (took.length ? 0 : '–')}; ${time}`);
}
console.log(`solver: ${timeLimit_s} s a plan; most memory of its process ${peak_MiB.toFixed(0)} MiB`);
once?.end();
again?.end();
