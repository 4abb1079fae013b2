/** Slots of different lengths: the same problem in other slots costs the same, and a house is planned finer at first. */
import { test } from 'tap';
import { systemClock } from '../../firmware/hal/clock.ts';
import { horizonOf } from '../../firmware/policy/planner/house-grid.ts';
import { endMs, quartersOf, slotsNow, timesOf } from '../../firmware/policy/planner/house-slots.ts';
import { laterSchedule } from '../../firmware/policy/planner/last-plan.ts';
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
import { standIn } from '../../firmware/policy/planner/stand-in.ts';
import { solverProcess } from '../../firmware/policy/solver/process.ts';
import { battery, HOUR, image, known, MINUTE, NOON, prices, signal, tank, wallbox } from './home.ts';
import { NOTHING, standIn as planHere, planned } from './planned.ts';

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
  const found = await makePlan(s, { solve });
  t.ok(Math.abs(found.evaluation.cost - 0.09) < 1e-3, `${found.evaluation.cost}: 0.4 and 0.5 kWh, no peak`);
  const alone = standIn(s).evaluation;
  t.ok(alone.cost < 0.09 + 0.06, `stand-in ${alone.cost}`);
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
});

test('the first slots of a battery are decided together, against what may come after them', async (t) => {
  // Cheap for two short slots: what is bought must last beyond them.
  const s = must({
    ...HOME,
    spans: [1, 1, 1, 3, 3, 3],
    dt_h: 1 / 12,
    prices: { import: [0.1, 0.1, 0.4, 0.4, 0.4, 0.4], export: flat(6, 0) },
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
});

test('a house is planned in five minutes for an hour, then by the quarter, as far as prices are known', async (t) => {
  const rows: readonly [minutes: number, fine: number, now: number, from: number][] = [
    [0, 12, 3, 0],
    [4.9, 12, 3, 0],
    [5, 14, 2, 5],
    [12, 13, 1, 10],
    [15, 12, 3, 15],
  ];
  for (const [minutes, fine, now, from] of rows) {
    const slots = horizonOf(
      image({ wallMs: NOON + minutes * MINUTE, signals: [prices(0.1, 0.2, 0.3, 0.4)] }),
    );
    t.equal(slots.fromMs, NOON + from * MINUTE);
    t.same(slots.spans.slice(0, fine + 1), [...flat(fine, 1), 3], `${minutes} minutes past`);
    t.ok(
      slots.spans.slice(fine).every((x) => x === 3),
      'quarter hours after it',
    );
    t.equal(endMs(slots), NOON + 4 * HOUR);
    t.equal(slotsNow(slots), now);
    t.ok(timesOf(slots).every((atMs, i) => i < fine || atMs % (15 * MINUTE) === 0));
    t.equal(new Set(quartersOf(slots)).size, 16 - Math.floor(minutes / 15));
  }
  t.equal(horizonOf(image({ signals: [] })).n, 0);
  const gap = [
    { fromMs: NOON, untilMs: NOON + 70 * MINUTE, value: 1e-4 },
    { fromMs: NOON + 75 * MINUTE, untilMs: NOON + 3 * HOUR, value: 1e-4 },
  ];
  t.equal(endMs(horizonOf(image({ signals: [signal('importPrice', gap)] }))), NOON + 60 * MINUTE);
});

test('prices that change every five minutes are taken by the five minutes, later by their mean', async (t) => {
  // Dear, and cheap in one of three.
  const told = Array.from({ length: 48 }, (_, i) => ({
    fromMs: NOON + i * 5 * MINUTE,
    untilMs: NOON + (i + 1) * 5 * MINUTE,
    value: (i % 3 === 1 ? 0.1 : 0.4) / 1000,
  }));
  const house = image({
    grid_W: known(0),
    devices: [
      wallbox({
        mode: 'cheap',
        flexibility: {
          ranges: [0, 3600].map((p) => ({ min_W: p, max_W: p })),
          need: { energy_Wh: 1200, byMs: NOON + HOUR },
        },
      }),
    ],
    signals: [signal('importPrice', told)],
  });
  const { plan } = await planned(house);
  const runs = (plan?.modes.wallbox ?? []).filter((x) => x.mode.kind === 'charge');
  t.same(
    runs.map((x) => (x.fromMs - NOON) / MINUTE),
    [5, 20, 35, 50],
  );
  t.equal(plan?.certificate.cost.toFixed(3), '0.120');
});

test('heat is not switched for less than a quarter hour, however prices jump', async (t) => {
  const told = Array.from({ length: 72 }, (_, i) => ({
    fromMs: NOON + i * 5 * MINUTE,
    untilMs: NOON + (i + 1) * 5 * MINUTE,
    value: (i % 2 === 1 ? 0.05 : 0.5) / 1000,
  }));
  const house = image({
    grid_W: known(300),
    devices: [tank({ temperature_C: 47.5 })],
    signals: [signal('importPrice', told)],
  });
  const { plan } = await planned(house);
  const isOn = (plan?.modes.tank ?? []).map(({ mode }) => mode.kind === 'heat' && mode.level !== 'off');
  t.ok(isOn.includes(true) && isOn.includes(false), 'there is something to decide');
  const starts = isOn.flatMap((on, i) => (i > 0 && on !== isOn[i - 1] ? [i] : []));
  const times = starts.map((i) => plan?.modes.tank?.[i]?.fromMs ?? Number.NaN);
  t.ok(
    times.every((atMs, i) => i === 0 || atMs - (times[i - 1] ?? 0) >= 15 * MINUTE),
    times.map((atMs) => (atMs - NOON) / MINUTE).join(' '),
  );
});

test('a limit that ends, and a car that leaves, between the quarters', async (t) => {
  const limit = {
    ...signal('importLimit', [{ fromMs: NOON, untilMs: NOON + 20 * MINUTE, value: 0 }]),
    binding: 'commandable' as const,
  };
  const car = wallbox({
    mode: 'cheap',
    flexibility: {
      ranges: [0, 3600].map((p) => ({ min_W: p, max_W: p })),
      need: { energy_Wh: 1800, byMs: NOON + 52 * MINUTE },
    },
  });
  const house = image({ grid_W: known(0), devices: [car], signals: [prices(0.3, 0.3), limit] });
  const { plan } = await planned(house);
  const runs = (plan?.modes.wallbox ?? []).filter((x) => x.mode.kind === 'charge');
  t.equal(runs[0]?.fromMs, NOON + 20 * MINUTE, 'right after the limit');
  t.equal(runs.at(-1)?.untilMs, NOON + 50 * MINUTE, 'done before it leaves');
  t.equal(runs.length, 6, 'half an hour');
});

test('the plan before is read in the slots of the next one', async (t) => {
  const before = horizonOf(image({ signals: [prices(0.1, 0.2, 0.3)] }));
  const now = horizonOf(image({ wallMs: NOON + 35 * MINUTE, signals: [prices(0.1, 0.2, 0.3)] }));
  const power_kw = timesOf(before)
    .slice(0, -1)
    .map((atMs) => (atMs - NOON) / MINUTE);
  const start = timesOf(before).indexOf(NOON + 75 * MINUTE);
  const later = laterSchedule({ car: { power_kw }, washer: { start }, idle: { start: null } }, before, now);
  const times = timesOf(now).slice(0, -1);
  t.same(
    later.car?.power_kw,
    times.map((atMs) => {
      const minutes = (atMs - NOON) / MINUTE;
      return minutes < 60 ? minutes : Math.floor(minutes / 15) * 15;
    }),
  );
  t.equal(times[later.washer?.start ?? -1], NOON + 75 * MINUTE);
  t.equal(later.idle?.start, null);
  // Through the planning: the second plan is offered the first.
  let house = image({
    grid_W: known(500),
    devices: [battery({ fill: 0.5 })],
    signals: [prices(0.1, 0.4, 0.1, 0.4)],
  });
  const offered: unknown[] = [];
  const { planner } = await planned(house, {
    series: NOTHING,
    image: () => house,
    make: (task) => {
      offered.push(
        task.last && [task.last.ageSlots, task.last.schedule.battery?.charge_kw?.length, task.scenario.n],
      );
      return planHere(task);
    },
  });
  house = { ...house, wallMs: NOON + 15 * MINUTE };
  await planner.look();
  t.same(offered, [null, [3, 23, 23]]);
});
