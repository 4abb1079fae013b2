/** Which plan stands: the solver's, the stand-in or the one before, whatever the solver does. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { ok } from '../../firmware/domain/errors.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import type { Term } from '../../firmware/policy/planner/milp/linear-program.ts';
import { buildProgram } from '../../firmware/policy/planner/milp/program.ts';
import { evaluate } from '../../firmware/policy/planner/model.ts';
import { makePlan, type SolveProgram } from '../../firmware/policy/planner/planner.ts';
import type { Schedule } from '../../firmware/policy/planner/scenario.ts';
import { standIn } from '../../firmware/policy/planner/stand-in.ts';
import { solverProcess } from '../../firmware/policy/solver/process.ts';
import { flat, scenario } from './tiny.ts';

const options = { timeLimit_s: 5, gap: 1e-5, memory_MiB: 500 };
const solve = solverProcess(systemClock(), options);

test('a solver that is still far from what it can prove has the better stand-in beside it', async (t) => {
  // Three relays that had better not run together, in twenty hours of a billed peak.
  const relay = (id: string, max_kw: number, required_kwh: number) => ({
    ...{ id, type: 'ev', arrive_slot: 0, depart_slot: 80, required_kwh, capacity_left_kwh: required_kwh + 2 },
    ...{ min_kw: max_kw, max_kw, step_kw: max_kw, unserved_per_kwh: 10 },
  });
  const wave = (base: number, by: number): number[] =>
    Array.from({ length: 96 }, (_, i) => base + by * Math.sin(i / 12));
  const s = scenario({
    ...{ n: 96, base_load_kw: wave(0.6, 0.2), prices: { import: wave(0.25, 0.1), export: flat(96, 0) } },
    grid: { import_max_kw: 24, export_max_kw: 24, peak: { price_per_kw: 4, free_kw: 2 } },
    devices: [relay('a', 2, 5.3), relay('b', 2.7, 6.2), relay('c', 3.4, 7.1)],
  });
  const [quick = Number.NaN, thorough = Number.NaN] = (['quick', 'thorough'] as const).map(
    (x) => standIn(s, undefined, x).evaluation.cost,
  );
  t.ok(thorough < quick - 0.1, `${thorough} and ${quick}: there is something to gain`);
  const program = buildProgram(s);
  const start = standIn(s, undefined, 'quick');
  const values = new Array<number>(program.data.cost.length).fill(0);
  for (const [column, value] of program.start(start.schedule, start.evaluation)) values[column] = value;
  const found = (bound: number) => makePlan(s, { solve: () => Promise.resolve(ok({ values, bound })) });
  const loose = await found(quick / 2);
  t.match(loose.certificate, { source: 'stand-in', bound: quick / 2, cost: thorough });
  t.ok((loose.certificate.gap ?? 0) > 0.1, 'and is said to be that far from the proof');
  const proven = await found(quick * 0.999);
  t.equal(proven.evaluation.cost, quick, 'near the proof nobody looks further');
});

test('a solver that crashes, hangs, lies or is too big: the stand-in plan', async (t) => {
  const dir = t.testdir({});
  const programs = {
    crash: 'process.exit(3)',
    hang: 'setInterval(() => {}, 1000)',
    lie: 'process.stdout.write(\'{"values":[1,2]}\')',
    junk: 'process.stdout.write("x".repeat(9e6))',
    big: 'globalThis.a = []; for (let i = 0; i < 40; i++) a.push(Buffer.alloc(1e7, 1)); setInterval(() => {}, 1000)',
  };
  const s = scenario();
  for (const [name, text] of Object.entries(programs)) {
    const worker = path.join(dir, `${name}.mjs`);
    writeFileSync(worker, text);
    const broken = solverProcess(systemClock(), {
      timeLimit_s: name === 'hang' ? -3.5 : 5,
      gap: 0,
      memory_MiB: 300,
      worker,
    });
    const { evaluation, certificate, faults } = await makePlan(s, { solve: broken });
    t.match(faults[0], { code: 'SOLVER_FAILED' }, name);
    t.match(certificate, { source: 'stand-in', bound: null });
    t.ok(evaluation.feasible);
  }
});

test('a plan from before is kept when nothing better is found', async (t) => {
  const s = scenario();
  const best = await makePlan(s, { solve });
  const again = await makePlan(s, { solve: null, last: { schedule: best.schedule, ageSlots: 3 } });
  t.ok(again.evaluation.cost <= best.evaluation.cost + 1e-9);
  t.ok(again.certificate.source === 'stand-in' || again.certificate.ageSlots === 3);
});

test('never dearer than the last plan and the greedy one, whatever the solver says; the certificate says so', async (t) => {
  const s = scenario();
  const best = await makePlan(s, { solve });
  const { cost, bound, gap, ageSlots } = best.certificate;
  t.ok(
    bound !== null &&
      bound <= cost + 1e-9 &&
      gap !== null &&
      Math.abs(gap - (cost - bound) / Math.max(1, cost)) < 1e-9,
  );
  t.equal(ageSlots, 0);
  // A solver that finds something within the limits, but far from good, and one that finds nonsense.
  const program = buildProgram(s);
  const poor: Schedule = { ev: { power_kw: [4, 0, 0, 0, 4, 0] }, washer: { start: 4 } };
  const evaluated = evaluate(s, poor);
  for (const answer of [
    program.start(poor, evaluated),
    program.data.cost.map((_, v): Term => [v, 1e9]),
    program.data.cost.map((_, v): Term => [v, -1]),
  ]) {
    const values = new Array<number>(program.data.cost.length).fill(0);
    for (const [v, x] of answer) values[v] = x;
    const lazy: SolveProgram = () => Promise.resolve(ok({ values, bound: null }));
    const last = { schedule: best.schedule, ageSlots: 2 };
    const kept = await makePlan(s, { solve: lazy, last });
    t.ok(kept.evaluation.feasible);
    t.ok(kept.evaluation.cost <= Math.min(cost, standIn(s).evaluation.cost) + 1e-9);
    t.match(kept.certificate, kept.certificate.source === 'last plan' ? { ageSlots: 2 } : { ageSlots: 0 });
    const alone = await makePlan(s, { solve: lazy });
    t.ok(alone.evaluation.cost <= standIn(s, undefined, 'quick').evaluation.cost + 1e-9);
  }
});
