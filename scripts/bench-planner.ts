/**
 * Cost ÷ optimum of both planners over the development scenarios, time per plan, and memory of the solver's process:
 * `SECONDS=3 node scripts/bench-planner.ts [--no-solver] [--ten] [--fine] [id …]`; `--ten`: ten deferrable devices more in those of
 * 48 h; `--fine`: their first hour in slots of a third, as a house is planned (compared with the same optimum).
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
const fine = process.argv.includes('--fine');
const noSolver = process.argv.includes('--no-solver');
const solve = noSolver
  ? null
  : solverProcess(systemClock(), {
      timeLimit_s: Number(process.env.SECONDS ?? 3),
      gap: 5e-4,
      memory_MiB: LIMITS.solverMemory_MiB,
    });
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
  const whole = ten ? withTen(json as { n: number; devices: unknown[] }) : json;
  const s = parseScenario(fine ? finer(whole as Plain) : whole);
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

type Plain = { [key: string]: unknown; n: number; dt_h: number; events?: Plain[]; devices: Plain[] };

/** The first hour in slots of a third; what counts slots counts thirds. */
function finer(json: Plain): unknown {
  const { n } = json;
  const short = Math.round(1 / json.dt_h);
  const slot = (t: number): number => (t > 0 && t < short ? 3 * t : t <= 0 ? t : t + 2 * short);
  const threefold = (values: unknown[]): unknown[] => values.flatMap((x) => [x, x, x]);
  const series = (x: unknown, from = 0): unknown =>
    Array.isArray(x) && typeof x[0] === 'number'
      ? x.flatMap((v, t) => (from + t < short ? [v, v, v] : [v]))
      : x !== null && typeof x === 'object' && !Array.isArray(x)
        ? Object.fromEntries(Object.entries(x).map(([key, v]) => [key, series(v)]))
        : x;
  const counted = (d: Plain): unknown =>
    Object.fromEntries(
      Object.entries(d).map(([key, x]) => {
        if (key === 'profile_kw' && Array.isArray(x)) return [key, threefold(x)];
        if (typeof x === 'number' && /^(arrive|depart|earliest|latest_end)_slot$/.test(key))
          return [key, slot(x)];
        if (typeof x === 'number' && /_slots$/.test(key)) return [key, 3 * x];
        return [key, series(x)];
      }),
    );
  const moved = ({ start, end, ...e }: Plain): unknown => ({
    ...e,
    ...{ start: slot(Number(start)), end: slot(Number(end)) },
    ...(e.baseline_kw !== undefined && { baseline_kw: series(e.baseline_kw, Number(start)) }),
  });
  const { devices, events, prices, ...rest } = json;
  const peak = (rest.grid as Plain).peak as object | null | undefined;
  return {
    ...Object.fromEntries(Object.entries(rest).map(([key, x]) => [key, series(x)])),
    prices: { ...(series(prices) as object), publish: null },
    grid: { ...(rest.grid as object), peak: peak && { ...peak, period: { ticks: 3 } } },
    n: n + 2 * short,
    dt_h: json.dt_h / 3,
    spans: Array.from({ length: n + 2 * short }, (_, t) => (t < 3 * short ? 1 : 3)),
    devices: devices.map(counted),
    events: (events ?? []).map(moved),
  };
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
