/** The rolling variant on the development scenarios: score ÷ optimum. `node scripts/bench-rolling.ts [--no-solver] [--plain] [id …]`. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { systemClock } from '../firmware/hal/clock.ts';
import { RollingPlanner } from '../firmware/policy/planner/rolling.ts';
import { parseScenario, type Scenario } from '../firmware/policy/planner/scenario.ts';
import { forecastOf, replay } from '../firmware/policy/simulation/rolling-home.ts';
import { solverProcess } from '../firmware/policy/solver/process.ts';

interface Reference {
  readonly reference: {
    readonly optimum: number;
    readonly baselines: Record<string, number>;
    readonly mpc_rolling?: number;
  };
}

const folder = path.resolve(import.meta.dirname, '../../shared/scenarios');
const has = (flag: string): boolean => process.argv.includes(flag);
const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const seconds = Number(process.env.SECONDS ?? 1.5);
const solve = has('--no-solver')
  ? null
  : solverProcess(systemClock(), { timeLimit_s: seconds, gap: 1e-3, memory_MiB: 300, keepMs: 1_000 });
const files = existsSync(folder) ? readdirSync(folder).filter((f) => /^dev-\d+\.json$/.test(f)) : [];
/** The independent judge, where it is there. */
const judge = path.resolve(folder, '../tools/check.mjs');
const { check } = existsSync(judge) ? await import(judge) : { check: null };
let [score, best, dumb] = [0, 0, 0];
for (const file of files) {
  const id = file.replace('.json', '');
  if (wanted.length && !wanted.includes(id)) continue;
  const json = JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as unknown;
  const actual = parseScenario(json);
  if (!actual.ok) throw new Error(actual.error.message);
  const planner = new RollingPlanner(forecastOf(actual.value), { solve, correct: !has('--plain') });
  const from = process.hrtime.bigint();
  const result = await replay(actual.value satisfies Scenario, (step) => planner.step(step));
  const ms = Number(process.hrtime.bigint() - from) / 1e6 / actual.value.n;
  const { optimum, baselines, mpc_rolling } = (json as Reference).reference;
  const verdict = check?.(json, { devices: result.schedule }) ?? result;
  score += verdict.cost + 10 * (verdict.limit_violation_kwh ?? 0);
  best += optimum;
  dumb += baselines.dumb ?? 0;
  const parts = [
    id,
    verdict.feasible,
    verdict.cost.toFixed(3),
    'optimum',
    optimum,
    'dumb',
    baselines.dumb,
    'mpc',
    mpc_rolling,
  ];
  console.log(...parts, `${ms.toFixed(0)} ms/slot`, JSON.stringify(result.violations.slice(0, 3)));
}
console.log(
  'total',
  score.toFixed(3),
  'optimum',
  best.toFixed(3),
  'ratio',
  (score / best).toFixed(4),
  'dumb',
  dumb.toFixed(3),
);
