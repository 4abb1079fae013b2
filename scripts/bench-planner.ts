/**
 * Cost ÷ optimum of both planners over the development scenarios, time per plan, and memory of the solver's process:
 * `node scripts/bench-planner.ts [--no-solver] [--ten] [id …]`; `--ten`: ten deferrable devices more in those of 48 h.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { LIMITS } from '../firmware/domain/limits.ts';
import { systemClock } from '../firmware/hal/clock.ts';
import { makePlan } from '../firmware/policy/planner/planner.ts';
import { parseScenario } from '../firmware/policy/planner/scenario.ts';
import { type Solve, solverProcess } from '../firmware/policy/solver/process.ts';

const folder = path.resolve(import.meta.dirname, '../../shared/scenarios');
const wanted = process.argv.slice(2).filter((a) => !a.startsWith('--'));
const files = existsSync(folder) ? readdirSync(folder).filter((f) => /^dev-\d+\.json$/.test(f)) : [];
const ten = process.argv.includes('--ten');
const noSolver = process.argv.includes('--no-solver');
const solve = noSolver
  ? null
  : solverProcess(systemClock(), { timeLimit_s: 3, gap: 5e-4, memory_MiB: LIMITS.solverMemory_MiB });
const ratios: number[] = [];
const times: number[] = [];
let peak_MiB = 0;
/** The same solver, and the most memory that its process ever had. */
const watched: Solve | null =
  solve &&
  Object.assign(
    async (...program: Parameters<Solve>) => {
      const solution = await solve(...program);
      if (solution.ok) peak_MiB = Math.max(peak_MiB, solution.value.memory_MiB ?? 0);
      return solution;
    },
    { end: solve.end },
  );
for (const file of files) {
  if (wanted.length && !wanted.includes(file.replace('.json', ''))) continue;
  const json: unknown = JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
  const s = parseScenario(ten ? withTen(json as { n: number; devices: unknown[] }) : json);
  if (ten && (json as { n: number }).n < 192) continue;
  if (!s.ok) throw new Error(s.error.message);
  const { optimum } = (json as { reference: { optimum: number } }).reference;
  const from = process.hrtime.bigint();
  const plan = await makePlan(s.value, { solve: watched });
  const ms = Number(process.hrtime.bigint() - from) / 1e6;
  const ratio = 1 + (plan.evaluation.cost - optimum) / Math.max(1, Math.abs(optimum));
  ratios.push(ratio);
  times.push(ms);
  console.log(
    file,
    plan.evaluation.feasible,
    plan.evaluation.cost.toFixed(3),
    optimum.toFixed(3),
    ratio.toFixed(4),
    `${ms.toFixed(0)} ms`,
    plan.certificate.source,
    plan.certificate.bound?.toFixed(3),
    JSON.stringify(plan.faults).slice(0, 150),
  );
}
/** Washing machines, pumps and the like: cycles of one to three hours, windows of a day. */
function withTen(json: { n: number; devices: unknown[] }): unknown {
  const more = Array.from({ length: 10 }, (_, i) => ({
    id: `deferrable-${i}`,
    type: 'appliance',
    profile_kw: Array.from({ length: 4 + (i % 9) }, (_, k) => (k % 4 === 0 ? 2 : 0.3 + 0.1 * i)),
    earliest_slot: (i * 17) % 96,
    latest_end_slot: Math.min(json.n, ((i * 17) % 96) + 96),
    skip_penalty: null,
  }));
  return { ...json, devices: [...json.devices, ...more] };
}

ratios.sort((a, b) => a - b);
console.log(
  'mean',
  ratios.reduce((a, b) => a + b, 0) / ratios.length,
  'median',
  ratios[ratios.length >> 1],
  'worst',
  ratios.at(-1),
);
times.sort((a, b) => a - b);
const percentile = (p: number): string => (times[Math.ceil(times.length * p) - 1] ?? 0).toFixed(0);
console.log('ms per plan: p50', percentile(0.5), 'p95', percentile(0.95));
console.log('peak memory of the solver’s process', peak_MiB.toFixed(0), 'MiB');
