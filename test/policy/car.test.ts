import { test } from 'tap';
import { systemClock } from '../../firmware/hal/clock.ts';
import { buildProgram } from '../../firmware/policy/planner/milp/program.ts';
import { makePlan } from '../../firmware/policy/planner/planner.ts';
import { choicesOf, planCar, planStep_kw } from '../../firmware/policy/planner/respond.ts';
import type { Scenario } from '../../firmware/policy/planner/scenario.ts';
import { standIn } from '../../firmware/policy/planner/stand-in.ts';
import { solverProcess } from '../../firmware/policy/solver/process.ts';
import { bruteForce, ev, scenario, washer } from './tiny.ts';

const options = { timeLimit_s: 5, gap: 1e-5, memory_MiB: 500 };
const solve = solverProcess(systemClock(), options);

test('a car that wants more than it can take gets what it can take', async (t) => {
  const s = scenario({ devices: [{ ...ev, required_kwh: 5, capacity_left_kwh: 4 }, washer] });
  const found = await makePlan(s, { solve });
  t.ok(found.evaluation.feasible, JSON.stringify(found.faults));
  t.equal(found.certificate.source, 'solver');
  t.match(found.evaluation.cost.toFixed(4), bruteForce(s).toFixed(4));
});

test('a car of very fine steps takes no more work than one of coarse ones, and keeps to its steps', async (t) => {
  const fine = (step_kw: number, more: Record<string, unknown> = {}): Scenario =>
    scenario({ devices: [{ ...ev, max_kw: 4.1, step_kw, ...more }, washer] });
  const coarse = await makePlan(fine(0.1), { solve });
  for (const step_kw of [0.01, 1e-5, 1e-320]) {
    const s = fine(step_kw);
    const [car] = s.devices;
    if (car?.type !== 'ev') throw new Error('no car');
    let asked = 0;
    planCar(s, car, (slot, power) => {
      asked += 1;
      return power * (s.prices.import[slot] ?? 0);
    });
    t.ok(asked <= 65 * s.n, `${step_kw} kW: ${asked} prices`);
    const { whole, high } = buildProgram(s).data;
    t.ok(whole.every((isWhole, i) => !isWhole || (high[i] ?? 0) <= 256));
    for (const plan of [await makePlan(s, { solve }), { ...standIn(s) }]) {
      t.same(plan.evaluation.violations, []);
      const powers = plan.schedule.ev?.power_kw ?? [];
      t.ok(
        powers.every((x) => x === 0 || (x >= 2 - 1e-9 && x <= 4.1 + 1e-9)),
        powers.join(),
      );
      const off = powers.map((x) => Math.abs(x / step_kw - Math.round(x / step_kw)));
      t.ok(step_kw < 1e-3 || off.every((x) => x < 1e-6), 'whole steps');
      const tolerance = 'certificate' in plan ? 0.002 : 0.2 * coarse.evaluation.cost;
      t.ok(plan.evaluation.cost <= coarse.evaluation.cost + tolerance, `${plan.evaluation.cost}`);
    }
  }
  for (const [min_kw, max_kw, step_kw] of [
    [2, 4, 0.001],
    [3.999, 4, 0.001],
    [4, 4, 0.001],
    [0, 6.7, 0.1],
    [1.38, 22.08, 0.23],
    [1, 1000, 1e-5],
  ] as const) {
    const [car] = fine(step_kw, { min_kw, max_kw }).devices;
    if (car?.type !== 'ev') throw new Error('no car');
    const step = planStep_kw(car);
    const [least, most] = [Math.ceil(min_kw / step - 1e-6), Math.floor(max_kw / step + 1e-6)];
    t.ok(most >= least && most <= 64 && Math.abs(step / step_kw - Math.round(step / step_kw)) < 1e-4);
    t.ok(most * step >= 0.97 * max_kw, `${most} times ${step} of ${max_kw} kW`);
  }
});

test('a stand-in plan that may not weigh much takes one round and is a plan all the same', async (t) => {
  const cars = [0, 1, 2].map((i) => ({ ...ev, id: `ev${i}`, required_kwh: 1.5, capacity_left_kwh: 2 }));
  const s = scenario({ devices: [...cars, washer] });
  const [car] = s.devices;
  if (car?.type !== 'ev') throw new Error('no car');
  t.equal(choicesOf(s, car), 6 * 4 * 5, 'slots, powers, units of energy');
  const [all, few] = [standIn(s), standIn(s, undefined, 'thorough', 1)];
  t.same(few.evaluation.violations, []);
  t.ok(few.evaluation.cost > all.evaluation.cost + 1e-6, `${few.evaluation.cost} and ${all.evaluation.cost}`);
});
