/** The planner: known optima by brute force, limits that cannot be kept, hostile input, a solver that fails. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Readable, Writable } from 'node:stream';
import { test } from 'tap';
import { plan } from '../../firmware/commands/plan.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { buildProgram } from '../../firmware/policy/planner/milp/program.ts';
import { evaluate } from '../../firmware/policy/planner/model.ts';
import { makePlan } from '../../firmware/policy/planner/planner.ts';
import { RollingPlanner } from '../../firmware/policy/planner/rolling.ts';
import { parseScenario, type Schedule } from '../../firmware/policy/planner/scenario.ts';
import { standIn } from '../../firmware/policy/planner/stand-in.ts';
import { replay } from '../../firmware/policy/simulation/rolling-home.ts';
import { solverProcess } from '../../firmware/policy/solver/process.ts';
import { bruteForce, ev, flat, scenario, washer } from './tiny.ts';

const options = { timeLimit_s: 5, gap: 1e-5, memory_MiB: 500 };
const solve = solverProcess(systemClock(), options);

test('the solver finds what trying everything finds; the stand-in plan is close to it', async (t) => {
  const events: Record<string, unknown>[] = [
    { id: 'a', kind: 'import_limit', start: 1, end: 2, limit_kw: 2, hard: true },
    { id: 'b', kind: 'steerable_limit', start: 3, end: 4, limit_kw: 2, hard: true },
    {
      id: 'c',
      kind: 'reduce',
      start: 1,
      end: 4,
      percent: 50,
      measure: 'window',
      baseline_kw: flat(3, 6),
      hard: true,
    },
    { id: 'd', kind: 'incentive', start: 1, end: 3, reward_per_kwh: 0.5, baseline_kw: flat(2, 4) },
    { id: 'e', kind: 'import_limit', start: 0, end: 6, limit_kw: 2.5, hard: false, penalty_per_kwh: 0.1 },
  ];
  for (const list of [[], ...events.map((e) => [e]), events.slice(0, 3)]) {
    const s = scenario({ events: list });
    const optimum = bruteForce(s);
    const found = await makePlan(s, { solve });
    t.ok(found.evaluation.feasible);
    t.match(found.evaluation.cost.toFixed(4), optimum.toFixed(4), `events ${list.map((e) => e.id).join()}`);
    t.ok((found.certificate.bound ?? 1e9) <= optimum + 1e-4, 'the bound is one');
    const alone = standIn(s);
    t.ok(alone.evaluation.feasible);
    t.ok(alone.evaluation.cost <= optimum * 1.2 + 1e-9, `stand-in ${alone.evaluation.cost} of ${optimum}`);
  }
});

const house = {
  id: 'house',
  type: 'thermal',
  c_kwh_per_k: 4,
  ua_kw_per_k: 0.2,
  ambient: 'fixed',
  ambient_c: 0,
  t0_c: 20,
  lo_c: flat(10, 19.5),
  hi_c: flat(10, 22),
  hard_max_c: 23,
  cop: flat(10, 3),
  gain_kw: flat(10, 0.2),
  draw_kw: flat(10, 0),
  min_kw: 2,
  max_kw: 2,
  min_on_slots: 2,
  min_off_slots: 3,
  init_on: true,
  init_slots: 1,
  discomfort_per_kh: 0.5,
  terminal_value_per_k: 0.1,
};

test('what shares a conductor stays within it together, in both planners', async (t) => {
  const plain = buildProgram(scenario()).data;
  const group = (limit_kw: number[], shares: Record<string, number>) => ({ id: 'L2', limit_kw, shares });
  const wide = [group(flat(6, 6), { ev: 1, washer: 1 })];
  t.same(buildProgram(scenario({ groups: wide })).data, plain, 'no row where it cannot bind');
  t.same(buildProgram(scenario({ groups: null })).data, plain);
  const free = bruteForce(scenario());
  for (const groups of [
    [group(flat(6, 2), { ev: 1, washer: 1 })],
    [group([5, 2, 5, 1, 5, 5], { ev: 0.5, washer: 1 })],
    [group(flat(6, 2), { ev: 1 }), group([6, 6, 0, 0, 6, 6], { washer: 1 })],
  ]) {
    const s = scenario({ groups });
    const optimum = bruteForce(s);
    t.ok(Number.isFinite(optimum) && optimum > free, 'it binds');
    const found = await makePlan(s, { solve });
    t.ok(found.evaluation.feasible);
    t.match(found.evaluation.cost.toFixed(4), optimum.toFixed(4));
    const alone = standIn(s);
    t.ok(
      alone.evaluation.feasible && alone.evaluation.cost <= optimum * 1.2 + 1e-9,
      `${alone.evaluation.cost} of ${optimum}`,
    );
  }
  const tight = scenario({ groups: [group(flat(6, 1), { ev: 1, washer: 1 })] });
  const { violations } = evaluate(tight, { ev: { power_kw: flat(6, 2) }, washer: { start: 1 } });
  t.match(violations.filter((v) => v.rule === 'group_limit')[1], { where: 'L2', slot: 1, amount: 3 });
});

test('a heat pump with minimum times: both planners against every course it can take', async (t) => {
  const prices = { import: [0.3, 0.1, 0.35, 0.12, 0.4, 0.2, 0.1, 0.5, 0.15, 0.3], export: flat(10, 0.05) };
  for (const changes of [{}, { init_on: false }, { init_on: false, init_slots: 9 }, { t0_c: 18 }]) {
    const s = scenario({ n: 10, prices, base_load_kw: flat(10, 0.5), devices: [{ ...house, ...changes }] });
    let best = Number.POSITIVE_INFINITY;
    for (let code = 0; code < 1024; code++) {
      const power_kw = flat(10, 0).map((_, i) => ((code >> i) & 1) * 2);
      const result = evaluate(s, { house: { power_kw } });
      if (result.feasible) best = Math.min(best, result.cost);
    }
    const alone = standIn(s).evaluation;
    t.ok(alone.feasible, JSON.stringify(alone.violations));
    t.ok(alone.cost <= best + 0.005, `stand-in ${alone.cost} of ${best}`);
    const found = await makePlan(s, { solve });
    t.ok(Math.abs(found.evaluation.cost - best) < 1e-4, `solver ${found.evaluation.cost} of ${best}`);
  }
});

const battery = {
  id: 'battery',
  type: 'battery',
  soc0_kwh: 0,
  soc_min_kwh: 0,
  soc_max_kwh: 5,
  charge_max_kw: 5,
  discharge_max_kw: 2,
  eta_charge: 0.95,
  eta_discharge: 0.95,
};

test('without the solver: a battery that only the sun may fill, and one that makes way for a car', async (t) => {
  // Where import is paid for, all of the sun goes into the battery, not only what the load leaves of it.
  const green = scenario({
    grid: { import_max_kw: 10, export_max_kw: 3, peak: null },
    prices: { import: [-0.1, -0.1, 0.4, 0.4, 0.4, 0.4], export: flat(6, -0.05) },
    base_load_kw: [0.5, 0.5, 2, 2, 2, 2],
    devices: [
      { ...battery, grid_charge: false },
      { id: 'pv', type: 'pv', curtailable: true, available_kw: [1.3, 1.7, 0, 0, 0, 0] },
    ],
  });
  // At any price of the peak it pays to charge the car only while the battery carries half of it.
  const tight = scenario({
    grid: { import_max_kw: 10, export_max_kw: 3, peak: { price_per_kw: 4, free_kw: 3 } },
    base_load_kw: flat(6, 0.5),
    devices: [
      { ...battery, soc0_kwh: 2.5, terminal_value_per_kwh: 0.25 },
      { ...ev, min_kw: 4, required_kwh: 4, unserved_per_kwh: 1 },
    ],
  });
  for (const [name, s] of Object.entries({ green, tight })) {
    const { cost } = (await makePlan(s, { solve })).evaluation;
    const alone = standIn(s).evaluation;
    t.ok(alone.feasible, name);
    t.ok(alone.cost <= cost + 0.02 * Math.max(1, cost), `${name}: stand-in ${alone.cost} of ${cost}`);
  }
});

test('a scenario with no solution: the least-violating plan, and what gave way', async (t) => {
  const s = scenario({
    events: [{ id: 'dso', kind: 'import_limit', start: 0, end: 2, limit_kw: 0.4, hard: true }],
  });
  for (const solver of [solve, null]) {
    const { evaluation, faults, certificate } = await makePlan(s, { solve: solver });
    t.equal(evaluation.feasible, false);
    t.equal(certificate.bound, null);
    t.match(faults.at(-1), { code: 'PLAN_INFEASIBLE', message: /import_limit \(dso\)/ });
    const beyond = evaluation.violations.map((v) => v.amount.toFixed(3));
    t.same(beyond, ['0.100', '1.100'], 'only what the base load takes is above the limit');
  }
});

test('absurd prices and directions', async (t) => {
  const battery = {
    id: 'bat',
    type: 'battery',
    soc0_kwh: 1,
    soc_min_kwh: 0,
    soc_max_kwh: 2,
    charge_max_kw: 2,
    discharge_max_kw: 2,
    eta_charge: 0.9,
    eta_discharge: 0.9,
    terminal_value_per_kwh: 0.1,
  };
  const pv = { id: 'pv', type: 'pv', available_kw: flat(6, 2), curtailable: true };
  const lists = [
    flat(6, -5),
    [-900_000, 900_000, 0, -3, 3, 0],
    flat(6, 0),
    [0.01, 0.02, 0.01, 0.02, 0.01, 0.02],
  ];
  for (const prices of lists) {
    const s = scenario({
      prices: { import: prices, export: flat(6, 0.3) },
      devices: [battery, pv, ev, washer],
    });
    const { evaluation } = await makePlan(s, { solve });
    t.ok(evaluation.feasible, JSON.stringify(evaluation.violations.slice(0, 2)));
    t.ok(
      evaluation.cost <= standIn(s, undefined, 'quick').evaluation.cost + 1e-6,
      'never dearer than the plan it starts from',
    );
  }
});

test('hostile scenarios are refused with a code', async (t) => {
  const good: Record<string, unknown> = { ...scenario() };
  const bad: unknown[] = [
    null,
    'x',
    [],
    {},
    { ...good, n: 1e9 },
    { ...good, n: 5 },
    { ...good, dt_h: 0 },
    { ...good, base_load_kw: [Number.NaN] },
    { ...good, devices: [ev, ev] },
    { ...good, devices: [{ ...ev, type: 'reactor' }] },
    { ...good, devices: [{ ...ev, min_kw: 9 }] },
    { ...good, events: [{ kind: 'import_limit', start: 0, end: 7, limit_kw: 1 }] },
    { ...good, events: [{ kind: 'reduce', start: 0, end: 2 }] },
  ];
  for (const input of bad) {
    const read = parseScenario(input);
    t.match(read, { ok: false, error: { code: 'SCENARIO_INVALID' } });
  }
  await t.rejects(plan(Readable.from(['{']), new Writable()), { code: 'SCENARIO_INVALID' });
});

test('slot by slot: limits hold on what is, not on what was forecast', async (t) => {
  const actual = scenario({
    base_load_kw: [0.5, 1.5, 1.9, 2.6, 0.5, 0.5],
    events: [
      { id: 'late', kind: 'import_limit', start: 2, end: 4, limit_kw: 3, hard: true, announced_slot: 2 },
    ],
  });
  for (const solver of [solve, null]) {
    const planner = new RollingPlanner(scenario(), { solve: solver });
    const { feasible, violations, cost } = await replay(actual, (step) => planner.step(step));
    t.ok(feasible, JSON.stringify(violations));
    t.ok(cost >= bruteForce(actual) - 1e-6);
  }
  const planner = new RollingPlanner(scenario(), { solve: null });
  const limit = { id: 'good', kind: 'import_limit', start: 1, end: 3, limit_kw: 1.6, hard: true };
  const odd = await planner.step({
    type: 'step',
    t: 1,
    now: { base_load_kw: -1e9, ev: { power: 'much' } },
    state: { ev: null },
    past_import_kw: [null],
    events: [{ id: 'new', kind: 'heat_limit', start: 0, end: 3 }, 7, limit],
    unheard_of: true,
  });
  t.match(odd, {
    ok: true,
    // 1.5 kW of load and the limit leave nothing for the car, whose least is 2 kW.
    value: { devices: { ev: { power_kw: 0 }, washer: { start: false } } },
  });
  t.equal(odd.ok && odd.value.faults?.length, 3, 'what could not be taken is said');
  for (const bad of [
    null,
    {},
    { type: 'step', t: 99, now: {}, state: {} },
    { type: 'step', t: -1, now: {}, state: {} },
  ])
    t.match(await planner.step(bad), { ok: false, error: { code: 'SCENARIO_INVALID' } });
});

const shared = path.resolve(import.meta.dirname, '../../../shared');

test('the command, judged by the independent checker where it is there', async (t) => {
  const folder = path.join(shared, 'scenarios');
  const ids = existsSync(folder)
    ? ['dev-01', 'dev-03', 'dev-07', 'dev-09', 'dev-16', 'dev-18', 'dev-19']
    : [];
  const { check } = existsSync(folder) ? await import(path.join(shared, 'tools/check.mjs')) : { check: null };
  for (const id of ids) {
    const text = readFileSync(path.join(folder, `${id}.json`), 'utf8');
    const parsed = JSON.parse(text);
    const { optimum } = parsed.reference;
    const verdict = check(parsed, await output(text, {}));
    t.ok(verdict.feasible, `${id} ${JSON.stringify(verdict.violations)}`);
    t.ok(
      (verdict.cost - optimum) / Math.max(1, Math.abs(optimum)) < 0.005,
      `${id}: ${verdict.cost} of ${optimum}`,
    );
    t.ok(check(parsed, await output(text, { solver: false })).feasible, `${id} without solver`);
  }
  const answer = await output(JSON.stringify(scenario()), {});
  t.match(answer, { scenario: 'tiny', certificate: { source: 'solver' } });
  const rolled = await output(
    `{"type":"step"}\n${JSON.stringify({ type: 'init', scenario: scenario() })}\n{"type":"end"}\n`,
    { rolling: true },
  );
  t.match(rolled, { devices: {}, faults: [{ code: 'SCENARIO_INVALID' }] });
});

async function output(
  text: string,
  how: { solver?: boolean; rolling?: boolean },
): Promise<{ devices: Schedule }> {
  let out = '';
  const sink = new Writable({
    write(chunk, _encoding, done) {
      out += chunk;
      done();
    },
  });
  await plan(Readable.from([text]), sink, how);
  return JSON.parse(out) as { devices: Schedule };
}
