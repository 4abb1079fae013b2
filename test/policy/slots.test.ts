/** Slots of different lengths: the same problem in other slots costs the same, and both planners find its best course. */
import { test } from 'tap';
import { systemClock } from '../../firmware/hal/clock.ts';
import { billOf, peakSteps } from '../../firmware/policy/planner/billing.ts';
import { evaluate } from '../../firmware/policy/planner/model.ts';
import { hedged } from '../../firmware/policy/planner/outlook.ts';
import { makePlan } from '../../firmware/policy/planner/planner.ts';
import {
  type DeviceSchedule,
  parseEvenScenario,
  parseScenario,
  type Scenario,
  type Schedule,
} from '../../firmware/policy/planner/scenario.ts';
import { horizon_h, lastSlotsFrom, steadyRanges } from '../../firmware/policy/planner/slots.ts';
import { standIn } from '../../firmware/policy/planner/stand-in.ts';
import { solverProcess } from '../../firmware/policy/solver/process.ts';

const solve = solverProcess(systemClock(), { timeLimit_s: 5, gap: 1e-5, memory_MiB: 500 });

const flat = (n: number, x: number): number[] => new Array<number>(n).fill(x);
const must = (input: unknown): Scenario => {
  const read = parseScenario(input);
  if (!read.ok) throw new Error(read.error.message);
  return read.value;
};

/** A quarter hour a slot, six of them; with a battery, a car, a washer, sun, a limit and a window. */
const HOME = {
  id: 'home',
  n: 6,
  dt_h: 0.25,
  grid: { import_max_kw: 7, export_max_kw: 3 },
  prices: { import: [0.3, 0.1, 0.25, 0.12, 0.4, 0.2], export: flat(6, 0.05) },
  base_load_kw: [0.5, 1.5, 0.4, 0.6, 0.5, 0.5],
  devices: [
    {
      id: 'battery',
      type: 'battery',
      soc0_kwh: 0.5,
      soc_min_kwh: 0.1,
      soc_max_kwh: 2,
      charge_max_kw: 2,
      discharge_max_kw: 2,
      eta_charge: 0.95,
      eta_discharge: 0.9,
      wear_per_kwh: 0.01,
      terminal_value_per_kwh: 0.15,
    },
    {
      id: 'car',
      type: 'ev',
      arrive_slot: 0,
      depart_slot: 5,
      required_kwh: 2,
      capacity_left_kwh: 2.5,
      min_kw: 2,
      max_kw: 4,
      step_kw: 1,
      unserved_per_kwh: 2,
      steerable: true,
    },
    { id: 'washer', type: 'appliance', profile_kw: [2, 1], earliest_slot: 1, latest_end_slot: 6 },
    { id: 'sun', type: 'pv', available_kw: [0, 0.5, 1, 2, 1, 0], curtailable: true },
    { id: 'fridge', type: 'curtailable', demand_kw: flat(6, 0.2), max_fraction: 0.5, penalty_per_kwh: 0.3 },
  ],
  events: [
    { id: 'limit', kind: 'import_limit', start: 2, end: 3, limit_kw: 3 },
    {
      id: 'window',
      kind: 'reduce',
      start: 3,
      end: 5,
      percent: 20,
      measure: 'window',
      baseline_kw: flat(2, 5),
    },
  ],
};

/** The same in ticks of a third, every slot three of them long. */
const inTicks = (home: typeof HOME): Scenario =>
  must({
    ...home,
    dt_h: home.dt_h / 3,
    spans: flat(home.n, 3),
    devices: home.devices.map((d) =>
      'profile_kw' in d ? { ...d, profile_kw: (d.profile_kw ?? []).flatMap((x) => [x, x, x]) } : d,
    ),
  });

/** A few hundred schedules that differ in everything, the same every time. */
function* schedules(n: number): Generator<Schedule> {
  let seed = 7;
  const draw = (): number => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const series = (of: () => number): number[] => Array.from({ length: n }, of);
  for (let i = 0; i < 200; i++)
    yield {
      battery: { charge_kw: series(() => (draw() < 0.5 ? 0 : draw() * 2)), discharge_kw: flat(n, 0) },
      car: { power_kw: series(() => [0, 2, 3, 4][Math.floor(draw() * 4)] ?? 0) },
      washer: { start: Math.floor(draw() * n) },
      sun: { used_kw: series(() => draw()) },
      fridge: { curtailed_kw: series(() => draw() * 0.1) },
    };
}

test('slots of three ticks are slots of three times the length', async (t) => {
  const [whole, ticks] = [must(HOME), inTicks(HOME)];
  for (const schedule of schedules(HOME.n)) {
    const [a, b] = [evaluate(whole, schedule), evaluate(ticks, schedule)];
    if (Math.abs(a.cost - b.cost) > 1e-9) t.fail(`${a.cost} and ${b.cost}`);
    if (a.violations.map((v) => v.rule).join() !== b.violations.map((v) => v.rule).join())
      t.fail(`${JSON.stringify(a.violations)} and ${JSON.stringify(b.violations)}`);
  }
  t.ok(Math.abs(standIn(whole).evaluation.cost - standIn(ticks).evaluation.cost) < 1e-9);
  const [a, b] = [await makePlan(whole, { solve }), await makePlan(ticks, { solve })];
  t.ok(a.evaluation.feasible && Math.abs(a.evaluation.cost - b.evaluation.cost) < 1e-4);
  t.equal(b.certificate.source, 'solver');
});

/** Slots of 1, 1, 1, 2, 3 and 1 ticks; told tick by tick, the same schedule costs the same. */
const SPANS = [1, 1, 1, 2, 3, 1];
const spread = (values: readonly number[]): number[] => values.flatMap((x, t) => flat(SPANS[t] ?? 0, x));

test('a schedule of long and short slots costs what it costs tick by tick', async (t) => {
  const mixed = must({ ...HOME, spans: SPANS, events: [HOME.events[0]] });
  const begins = SPANS.map((_, i) => SPANS.slice(0, i).reduce((sum, x) => sum + x, 0));
  const fine = must({
    ...HOME,
    n: 9,
    prices: { import: spread(HOME.prices.import), export: flat(9, 0.05) },
    base_load_kw: spread(HOME.base_load_kw),
    devices: HOME.devices.map((d) => ({
      ...d,
      ...('available_kw' in d && { available_kw: spread(d.available_kw ?? []) }),
      ...('demand_kw' in d && { demand_kw: spread(d.demand_kw ?? []) }),
      ...('depart_slot' in d && { depart_slot: begins[d.depart_slot ?? 0] }),
      ...('latest_end_slot' in d && { latest_end_slot: 9 }),
    })),
    events: [{ id: 'limit', kind: 'import_limit', start: 2, end: 3, limit_kw: 3 }],
  });
  const told = (p: DeviceSchedule): DeviceSchedule => ({
    ...Object.fromEntries(Object.entries(p).map(([key, x]) => [key, Array.isArray(x) ? spread(x) : x])),
    ...(typeof p.start === 'number' && { start: begins[p.start] ?? 0 }),
  });
  for (const schedule of schedules(6)) {
    // In a slot of several ticks a cycle of two powers is known by its mean only.
    const washer = { start: (schedule.washer?.start ?? 0) % 2 };
    const all = { ...schedule, washer };
    const [a, b] = [
      evaluate(mixed, all),
      evaluate(fine, Object.fromEntries(Object.entries(all).map(([id, p]) => [id, told(p)]))),
    ];
    if (Math.abs(a.cost - b.cost) > 1e-9) t.fail(`${a.cost} and ${b.cost}`);
  }
  // 2 kW and 1 kW for a tick each, in a slot of two: 1.5 kW.
  const { import_kw } = evaluate(mixed, { washer: { start: 3 }, sun: { used_kw: flat(6, 0) } });
  t.ok(Math.abs((import_kw[3] ?? 0) - (0.6 + 0.2 + 1.5)) < 1e-9, `${import_kw[3]}`);
  const late = evaluate(mixed, { washer: { start: 5 } }).violations;
  t.match(
    late.find((v) => v.rule === 'appliance_late'),
    { amount: 1 },
    'its second tick is after the last',
  );
  t.notOk(evaluate(mixed, { washer: { start: 4 } }).violations.some((v) => v.rule === 'appliance_late'));
});

test('both planners find the best of all courses in slots of different lengths', async (t) => {
  const s = must({ ...HOME, spans: SPANS, devices: HOME.devices.slice(1, 3), events: [HOME.events[0]] });
  let best = Number.POSITIVE_INFINITY;
  for (let code = 0; code < 4 ** 6; code++) {
    const power_kw = Array.from({ length: 6 }, (_, i) => [0, 2, 3, 4][Math.floor(code / 4 ** i) % 4] ?? 0);
    for (let start = 1; start <= 4; start++) {
      const { feasible, cost } = evaluate(s, { car: { power_kw }, washer: { start } });
      if (feasible) best = Math.min(best, cost);
    }
  }
  const found = await makePlan(s, { solve });
  t.ok(Math.abs(found.evaluation.cost - best) < 1e-4, `${found.evaluation.cost} of ${best}`);
  t.ok((found.certificate.bound ?? 1e9) <= best + 1e-6);
  const alone = standIn(s).evaluation;
  t.ok(alone.feasible && alone.cost <= best * 1.05, `stand-in ${alone.cost} of ${best}`);
});

test('minimum times are time, whatever the slots', async (t) => {
  const spans = [1, 1, 2, 1, 3, 1, 1, 3, 2, 1];
  const pump = {
    id: 'pump',
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
    min_on_slots: 3,
    min_off_slots: 4,
    init_on: true,
    init_slots: 1,
    discomfort_per_kh: 0.5,
    terminal_value_per_k: 0.1,
  };
  const mixed = [0.3, 0.1, 0.35, 0.12, 0.4, 0.2, 0.1, 0.5, 0.15, 0.3];
  // The long slots alone are cheap: one of them is a run.
  const long = [0.5, 0.5, 0.5, 0.5, 0.1, 0.5, 0.5, 0.1, 0.5, 0.5];
  const states = [{}, { init_on: false }, { init_on: false, init_slots: 9 }, { t0_c: 18 }];
  for (const [changes, buy] of states.flatMap((x) => [[x, mixed] as const, [x, long] as const])) {
    const s = must({
      ...{ id: 'heat', n: 10, dt_h: 0.25, spans, grid: { import_max_kw: 9, export_max_kw: 3 } },
      prices: { import: buy, export: flat(10, 0.05) },
      base_load_kw: flat(10, 0.5),
      devices: [{ ...pump, ...changes }],
    });
    let best = Number.POSITIVE_INFINITY;
    for (let code = 0; code < 1024; code++) {
      const power_kw = flat(10, 0).map((_, i) => ((code >> i) & 1) * 2);
      const { feasible, cost } = evaluate(s, { pump: { power_kw } });
      if (feasible) best = Math.min(best, cost);
    }
    const found = await makePlan(s, { solve, solverOnly: true });
    t.equal(found.certificate.source, 'solver');
    t.ok(Math.abs(found.evaluation.cost - best) < 1e-4, `solver ${found.evaluation.cost} of ${best}`);
    const alone = standIn(s).evaluation;
    t.ok(alone.feasible && alone.cost <= best + 0.005, `stand-in ${alone.cost} of ${best}`);
  }
  // On for 1 + 2 ticks is long enough, for 1 + 1 is not.
  const on = must({
    ...{ id: 'heat', n: 3, dt_h: 0.25, spans: [1, 2, 1], grid: { import_max_kw: 9, export_max_kw: 3 } },
    prices: { import: flat(3, 0.1), export: flat(3, 0) },
    base_load_kw: flat(3, 0),
    devices: [
      {
        ...pump,
        ...{ min_on_slots: 3, init_slots: 0, lo_c: flat(3, 19), hi_c: flat(3, 22) },
        ...{ cop: flat(3, 3), gain_kw: flat(3, 0), draw_kw: flat(3, 0) },
      },
    ],
  });
  const rules = (power_kw: number[]): string[] =>
    evaluate(on, { pump: { power_kw } }).violations.map((v) => v.rule);
  t.same(rules([2, 2, 0]), []);
  t.same(rules([2, 0, 0]), ['min_on_time']);
});

test('the last day of a horizon is a day, whatever its slots', async (t) => {
  const spans = [...flat(12, 1), ...flat(120, 3)];
  const slots = { n: 132, dt_h: 1 / 12, spans };
  t.equal(horizon_h(slots), 31);
  t.equal(lastSlotsFrom(slots, 24), 12 + 120 - 96);
  t.equal(lastSlotsFrom(slots, 30.5), 6, 'and into the short ones');
  t.equal(lastSlotsFrom(slots, 48), 0);
  t.equal(lastSlotsFrom({ n: 40, dt_h: 0.25, spans: null }, 5), 20);
});

test('a peak is billed by the mean of its period, with what was imported in it before', async (t) => {
  const home = {
    ...HOME,
    spans: [1, 1, 1, 1, 3, 3],
    dt_h: 1 / 12,
    base_load_kw: flat(6, 0),
    prices: { import: [0.1, 0.1, 0.1, 0.1, 0.3, 0.3], export: flat(6, 0) },
    devices: [
      {
        ...{ id: 'car', type: 'ev', arrive_slot: 0, depart_slot: 6, required_kwh: 0.9, capacity_left_kwh: 1 },
        ...{ min_kw: 0, max_kw: 6, unserved_per_kwh: 100 },
      },
    ],
    events: [],
  };
  const peak = { price_per_kw: 10, free_kw: 2 };
  const period = { ticks: 3, past_ticks: 2, past_kwh: 0.1 };
  const s = must({ ...home, grid: { ...HOME.grid, peak: { ...peak, period } } });
  const cost = (power_kw: number[]): number => evaluate(s, { car: { power_kw } }).cost;
  // Ten minutes with 0.1 kWh are over: 4.8 kW for the last five are a mean of (0.1 + 0.4) / 0.25 = 2 kW.
  t.ok(Math.abs(cost([4.8, 0, 0, 0, 0, 0]) - (0.04 + 50)) < 1e-9, 'nothing of the peak, half is missing');
  t.ok(Math.abs(cost([6, 0, 0, 0, 0, 0]) - (0.05 + 40 + 10 * 0.4)) < 1e-9, '(0.1 + 0.5) / 0.25 = 2.4 kW');
  // The second period: 6 kW for a tick are a mean of 2 kW.
  t.ok(Math.abs(cost([0, 6, 0, 0, 0, 0]) - (0.05 + 40)) < 1e-9);
  const bill = (power_kw: number[], export_kw = flat(6, 0)): number => billOf(s, power_kw, export_kw);
  t.ok(Math.abs(bill([6, 0, 0, 0, 0, 0]) - (0.05 + 10 * 0.4)) < 1e-9, 'what is missing is not on the bill');
  t.ok(Math.abs(bill([0, 6, 0, 0, 0, 0]) - 0.05) < 1e-9);
  const sold = billOf({ ...s, prices: { ...s.prices, export: flat(6, 0.08) } }, flat(6, 0), flat(6, 4));
  t.ok(Math.abs(sold + 0.08 * 4 * (10 / 12)) < 1e-9, 'ten ticks of 4 kW');
  const found = await makePlan(s, { solve, solverOnly: true });
  t.equal(found.certificate.source, 'solver');
  t.ok(Math.abs(found.evaluation.cost - 0.09) < 1e-3, `${found.evaluation.cost}: 0.4 and 0.5 kWh, no peak`);
  const full = must({
    ...home,
    grid: { ...HOME.grid, peak: { ...peak, period: { ...period, past_kwh: 0.5 } } },
  });
  const { schedule } = await makePlan(full, { solve, solverOnly: true });
  t.ok((schedule.car?.power_kw?.[0] ?? 9) < 1e-6, 'what was imported before leaves nothing for the rest');
  t.ok((standIn(full).schedule.car?.power_kw?.[0] ?? 9) < 1e-6);
  const [first, second] = peakSteps(s, 2);
  t.ok(Math.abs((first?.above_kw ?? 0) - 4.8) < 1e-9 && second?.above_kw === 2);
  t.ok(
    [first, second].every((x) => Math.abs((x?.price ?? 0) - 40) < 1e-9),
    '10 per kW of a quarter hour',
  );
  const alone = standIn(s).evaluation;
  t.ok(alone.cost < 0.09 + 0.06, `stand-in ${alone.cost}`);
});

test('a car that keeps its power for a period is planned by the period', async (t) => {
  // Periods of three ticks, of which one is over: slots 0 and 1, then 2 and 3 (one tick and two), then each by itself.
  const steady = { ticks: 3, past_ticks: 1 };
  const home = {
    ...HOME,
    spans: SPANS,
    prices: { import: [0.1, 0.4, 0.1, 0.3, 0.2, 0.1], export: flat(6, 0) },
    devices: [{ ...HOME.devices[1], depart_slot: 9, steady }],
    events: [] as object[],
  };
  const s = must(home);
  const ranges = (x: Scenario): string =>
    x.devices
      .flatMap((d) => (d.type === 'ev' ? steadyRanges(x, d) : []))
      .map(({ from, until }) => `${from}-${until}`)
      .join(' ');
  t.equal(ranges(s), '0-2 2-4 4-5 5-6');
  t.equal(ranges(must({ ...home, devices: [HOME.devices[1]] })), '0-1 1-2 2-3 3-4 4-5');
  const there = { ...home.devices[0], arrive_slot: 1, depart_slot: 3 };
  t.equal(ranges(must({ ...home, devices: [there] })), '1-2 2-3', 'while it is there');
  const limit = { id: 'limit', kind: 'import_limit', limit_kw: 1, start: 1, end: 3 };
  const limited = must({ ...home, events: [limit] });
  t.equal(ranges(limited), '0-1 1-2 2-3 3-4 4-5 5-6', 'and where a limit begins or ends');

  const courses: number[][] = [];
  for (let code = 0; code < 4 ** 4; code++) {
    const [a = 0, b = 0, c = 0, d = 0] = flat(4, 0).map((_, i) => [0, 2, 3, 4][(code >> (2 * i)) & 3] ?? 0);
    courses.push([a, a, b, b, c, d]);
  }
  const best = Math.min(...courses.map((power_kw) => evaluate(s, { car: { power_kw } }).cost));
  const found = await makePlan(s, { solve, solverOnly: true });
  t.equal(found.certificate.source, 'solver');
  t.ok(found.evaluation.feasible && Math.abs(found.evaluation.cost - best) < 1e-4, `${best}`);
  const alone = standIn(s);
  t.ok(alone.evaluation.feasible && Math.abs(alone.evaluation.cost - best) < 1e-6);
  const free = await makePlan(must({ ...home, devices: [{ ...HOME.devices[1], depart_slot: 9 }] }), {
    solve,
  });
  t.ok(free.evaluation.cost < best - 1e-3, 'it would like to change its power more often');
  t.match(evaluate(s, free.schedule).violations, [{ rule: 'ev_unsteady' }]);
  t.match(parseEvenScenario({ ...home, spans: null }), { error: { code: 'SCENARIO_INVALID' } });
});

test('what a file says of slots is checked, and the line protocol counts in slots of one length', async (t) => {
  const bad = [
    [...SPANS, 1],
    SPANS.slice(1),
    [0, 1, 1, 1, 1, 1],
    [1.5, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 1, 1000],
    'abcdef',
  ];
  for (const spans of bad)
    t.match(parseScenario({ ...HOME, spans }), { error: { code: 'SCENARIO_INVALID' } });
  t.match(parseEvenScenario({ ...HOME, spans: SPANS }), { error: { code: 'SCENARIO_INVALID' } });
  t.ok(parseEvenScenario(HOME).ok);
  const limit = (limits_kw: unknown) => ({
    ...HOME,
    events: [{ kind: 'import_limit', start: 1, end: 3, limits_kw }],
  });
  t.ok(parseScenario(limit([1, 2])).ok);
  for (const wrong of [[1], [1, 2, 3], [1, -2], [1, 'two'], 7])
    t.match(parseScenario(limit(wrong)), { error: { code: 'SCENARIO_INVALID' } });
  const group = (limit_kw: unknown, shares: unknown = { car: 1 }) => ({
    ...HOME,
    groups: [{ id: 'L1', limit_kw, shares }],
  });
  t.ok(parseScenario(group(flat(6, 3))).ok);
  for (const wrong of [group(flat(5, 3)), group('x'), group(flat(6, -1)), group(flat(6, 3), { car: 2 })])
    t.match(parseScenario(wrong), { error: { code: 'SCENARIO_INVALID' } });
  t.match(parseEvenScenario(group(flat(6, 3))), { error: { code: 'SCENARIO_INVALID' } });
  t.match(parseEvenScenario(limit([1, 2])), { error: { code: 'SCENARIO_INVALID' } });
});

test('the first slots of a battery are decided together, against what may come after them', async (t) => {
  // Cheap for two short slots: what is bought must last beyond them.
  const s = must({
    ...HOME,
    spans: [1, 1, 1, 3, 3, 3],
    dt_h: 1 / 12,
    prices: { import: [0.1, 0.11, 0.4, 0.4, 0.4, 0.4], export: flat(6, 0) },
    devices: [HOME.devices[0]],
    events: [],
  });
  const plan: Schedule = { battery: { charge_kw: flat(6, 0), discharge_kw: flat(6, 0) } };
  const wild = { load_kw: 0.4, solar: flat(6, 0), newDay: flat(6, 0).map(() => false), margin_per_kwh: 0 };
  for (const now of [1, 2, 3]) {
    const { charge_kw = [] } = hedged(s, plan, wild, now).battery ?? {};
    t.same(
      charge_kw.map((x) => x > 1),
      [true, now > 1, false, false, false, false],
      `${now} slots: ${charge_kw.join(' ')}`,
    );
  }
  const full = must({ ...s, devices: [{ ...HOME.devices[0], soc0_kwh: 1.9 }] });
  const { charge_kw = [] } = hedged(full, plan, wild, 2).battery ?? {};
  const room = charge_kw.reduce((sum, x) => sum + (x * 0.95) / 12, 0);
  t.ok(Math.abs(room - 0.1) < 1e-3, `${room} kWh: what the first fills the second cannot`);
});
