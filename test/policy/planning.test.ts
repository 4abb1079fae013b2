/** The house's plan, what the rules make of it, and what happens when a part is missing. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { type HousePlan, PLAN_VALID_MS } from '../../firmware/domain/house-plan.ts';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { ModeSlot } from '../../firmware/domain/mode.ts';
import type { JournalEntry } from '../../firmware/domain/storage.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { clearSky_W } from '../../firmware/policy/forecast/clear-sky.ts';
import { QUARTER_MS } from '../../firmware/policy/forecast/series.ts';
import { modesNow } from '../../firmware/policy/planner/house-modes.ts';
import { Planning, type PlanningDeps } from '../../firmware/policy/planning.ts';
import { ownDays } from '../../firmware/policy/simulation/own-days.ts';
import { planProcess } from '../../firmware/policy/solver/plan-process.ts';
import { openStore } from '../../firmware/store/index.ts';
import {
  battery,
  boiler,
  HOUR,
  heatPump,
  image,
  inverter,
  known,
  limitNow,
  NOON,
  prices,
  tank,
  wallbox,
} from './home.ts';

const DAY = 24 * HOUR;
const BERLIN = { latitude: 52.5, longitude: 13.4 };
const SOUTH = { peak_W: 8000, tilt: 35, azimuth: 180 };

const CAR = (energy_Wh: number, patch: Partial<DeviceImage> = {}): DeviceImage =>
  wallbox({ mode: 'cheap', ...patch, flexibility: { need: { energy_Wh, byMs: NOON + 10 * HOUR } } });
/** Dear now, cheap from the fifth hour on, dear again. */
const CURVE = prices(0.4, 0.4, 0.4, 0.4, 0.4, 0.1, 0.1, 0.3, 0.4, 0.4, 0.4, 0.4);
const BOUNDS = { solver: { timeLimit_s: 5, gap: 1e-4 }, limitMs: 30_000, memory_MiB: 300 };
const make = planProcess(systemClock(), BOUNDS);
const NOTHING: PlanningDeps['series'] = { read: () => [] };

function planning(now: Image, patch: Partial<PlanningDeps> = {}) {
  const journal: JournalEntry[] = [];
  const clock = new SimulatedClock(now.wallMs);
  const planner = new Planning({
    clock,
    series: NOTHING,
    journal: { record: (entry) => void journal.push(entry), read: () => [] },
    gridMeter: 'grid',
    place: null,
    roof: null,
    make,
    image: () => now,
    changed: () => {},
    ...patch,
  });
  return { planner, journal, clock };
}

const charging = (plan: HousePlan | null, id: string): ModeSlot[] =>
  (plan?.modes[id] ?? []).filter((s) => s.mode.kind === 'charge');
const runs = (plan: HousePlan | null, id: string): number[] =>
  charging(plan, id).map((s) => (s.fromMs - NOON) / HOUR);
const withModes = (planner: Planning, now: Image): Image => ({ ...now, modes: planner.modes(now.devices) });

test('a car is planned into the cheap hours; rules and guard stand above the plan', async (t) => {
  const house = image({ devices: [CAR(5000), boiler()], signals: [CURVE] });
  const { planner, journal } = planning(house);
  t.equal(planner.current(), null, 'none before the first');
  await planner.look();
  const plan = planner.current();
  t.ok(
    runs(plan, 'wallbox').every((h) => h >= 5 && h < 7),
    runs(plan, 'wallbox').join(' '),
  );
  t.equal(plan?.certificate.source, 'solver');
  t.ok(
    (plan?.certificate.gap ?? 1) < 1e-3 && (plan?.certificate.bound ?? 1e9) <= (plan?.certificate.cost ?? 0),
  );
  t.match(plan?.quality.load, { source: 'latest' }, 'without a history the load of now goes on');
  t.match(journal, [{ subject: 'planner', code: 'PLANNED' }]);
  const early = decide(withModes(planner, house));
  t.match(early.devices[0], {
    setPoint_W: 0,
    reasons: [{ code: 'PLANNED', values: { mode: 'surplus', needs_W: Number } }],
  });
  t.ok(
    early.devices[0]?.planned.every((s) => s.fromMs >= NOON + 5 * HOUR && s.power_W > 0),
    'shown on the page',
  );
  const atFive = { ...house, wallMs: NOON + 5 * HOUR };
  await planning(atFive).planner.look();
  const later = planning(atFive);
  await later.planner.look();
  const running = decide(withModes(later.planner, atFive));
  t.match(running.devices[0], { reasons: [{ code: 'PLANNED' }] });
  const power = running.devices[0]?.setPoint_W ?? 0;
  t.ok(power >= 1380, `charges with ${power} W`);
  const limited = decide({
    ...withModes(later.planner, atFive),
    grid_W: known(1500),
    signals: [
      CURVE,
      limitNow(2000, { intervals: [{ fromMs: NOON, untilMs: NOON + 9 * HOUR, value: 2000 }] }),
    ],
  });
  t.equal(limited.devices[0]?.setPoint_W, 0, 'a limit is stronger than a plan');
});

test('stores come back from the process with their course, forecasts and the other choice', async (t) => {
  const house = image({ grid_W: known(800), devices: [battery(), tank(), heatPump()], signals: [CURVE] });
  const { planner, journal } = planning(house);
  await planner.look();
  const plan = planner.current();
  t.match(journal, [{ code: 'PLANNED', detail: { source: 'solver' } }]);
  t.match(plan?.quality, { temperature: { source: 'latest' }, hotWater: { source: 'none' } });
  for (const id of ['battery', 'tank', 'heat-pump']) {
    t.equal(plan?.course?.[id]?.length, (plan?.modes[id]?.length ?? 0) + 1, id);
    const first = plan?.modes[id]?.[0];
    t.ok(Number.isFinite(first?.startingNowCosts) || Number.isFinite(first?.waitingCosts), id);
  }
  const shown = decide(withModes(planner, house)).devices.find((d) => d.resource === 'heat-pump')?.planned;
  t.ok(shown?.length && shown.every((x) => x.power_W >= 500 && x.power_W <= 3000), 'shown on the page');
  t.same(Object.keys(planner.modes([tank()])), ['tank'], 'what has vanished is not led');
});

test('a plan that lies, is old, or leaves too little time is not followed', (t) => {
  const house = image({ devices: [CAR(5000)], signals: [CURVE] });
  const plan = (power_W: number, madeMs = NOON): HousePlan => ({
    madeMs,
    untilMs: NOON + 12 * HOUR,
    modes: {
      wallbox: [{ fromMs: NOON, untilMs: NOON + 12 * HOUR, mode: { kind: 'charge', upTo_W: power_W } }],
    },
    bill: 0,
    certificate: { cost: 0, bound: null, gap: null, source: 'stand-in' },
    quality: {
      load: { source: 'none', meanError_W: null, bias_W: null },
      solar: { source: 'none', meanError_W: null, bias_W: null },
    },
  });
  const point = (p: HousePlan, at = NOON, devices = house.devices): number | undefined => {
    const now = { ...house, devices, wallMs: at };
    return decide({ ...now, modes: modesNow(p, now) }).devices[0]?.setPoint_W;
  };
  t.equal(point(plan(2000)), 1840, 'up to what is planned, in its steps');
  for (const power_W of [1e12, Number.NaN, Infinity, -5000])
    t.ok([0, 3680].includes(point(plan(power_W)) ?? -1), `planned ${power_W}: ${point(plan(power_W))}`);
  t.equal(point(plan(3680, NOON - PLAN_VALID_MS - 1)), 0, 'an old plan: the cheapest hours decide again');
  t.equal(
    point(plan(0), NOON + 9 * HOUR),
    3680,
    'the time that is left just suffices: no plan makes it wait',
  );
  t.equal(point(plan(3680), NOON, [CAR(0)]), 0, 'it has what it wanted');
  t.equal(point(plan(3680), NOON, [CAR(5000, { override: { kind: 'off' } })]), 0, 'its owner said off');
  t.end();
});

test('no clock, no price, nobody who waits: each said once, the house goes on', async (t) => {
  const house = image({ devices: [CAR(5000)], signals: [CURVE] });
  for (const [code, now] of [
    ['NO_CLOCK', { ...house, wallTrusted: false }],
    ['NO_PRICE', { ...house, signals: [] }],
    ['NO_NEED', { ...house, devices: [boiler()] }],
  ] as const) {
    const { planner, journal } = planning(now);
    await planner.look();
    await planner.look();
    t.equal(planner.current(), null);
    t.match(journal, [{ code }]);
    t.equal(journal.length, 1);
  }
  t.match(decide({ ...house, signals: [] }).devices[0], {
    setPoint_W: 3680,
    reasons: [{ code: 'NO_PRICE' }],
  });
  const thrown = planning(house, {
    series: {
      read: () => {
        throw new Error('disk');
      },
    },
  });
  await thrown.planner.look();
  t.match(thrown.journal, [{ code: 'INTERNAL', detail: { message: 'disk' } }]);
});

/** A planner that does this when it is to use its solver, and plans without one; or does it always. */
function broken(dir: string, name: keyof typeof FAILURES, without: 'works' | 'fails'): string {
  const file = path.join(dir, `${name}-${without}.mjs`);
  const works = path.resolve(import.meta.dirname, '../../firmware/policy/planner/planner.ts');
  writeFileSync(
    file,
    `import { createInterface } from 'node:readline';
    import { makePlan } from ${JSON.stringify(works)};
    for await (const line of createInterface({ input: process.stdin })) {
      const { scenario, solver } = JSON.parse(line);
      if (solver || ${without === 'fails'}) { ${FAILURES[name]} }
      else {
        const { evaluation, ...plan } = await makePlan(scenario, { solve: null });
        const [import_kw, export_kw] = [[...evaluation.import_kw], [...evaluation.export_kw]];
        const load = { source: 'none', meanError_W: null, bias_W: null };
        process.stdout.write(JSON.stringify({ ...plan, import_kw, export_kw, bill: 0, quality: { load, solar: load } }) + '\\n');
      }
    }`,
  );
  return file;
}
const FAILURES = {
  crash: 'process.exit(3)',
  abort: 'process.abort()',
  hang: 'for (;;);',
  junk: 'process.stdout.write("x".repeat(9e6))',
  lie: 'process.stdout.write(JSON.stringify({ schedule: { wallbox: { power_kw: [1e99] } } }) + "\\n")',
  short:
    'process.stdout.write(\'{"schedule":{},"import_kw":[],"export_kw":[],"bill":0,"faults":[],"certificate":{"cost":0,"bound":null,"gap":null,"source":"solver","ageSlots":0},"quality":{"load":{"source":"none","meanError_W":null,"bias_W":null},"solar":{"source":"none","meanError_W":null,"bias_W":null}}}\\n\')',
  big: 'globalThis.a = []; for (let i = 0; i < 40; i++) a.push(Buffer.alloc(1e7, 1)); setInterval(() => {}, 1000)',
};

test('a planner that crashes, hangs, lies or is too big: without its solver; without any the last good plan, then the rules', async (t) => {
  const dir = t.testdir({});
  const house = image({ devices: [CAR(5000)], signals: [CURVE] });
  const failing = (name: keyof typeof FAILURES, without: 'works' | 'fails') =>
    planProcess(systemClock(), {
      ...BOUNDS,
      limitMs: name === 'hang' ? 12_000 : BOUNDS.limitMs,
      worker: broken(dir, name, without),
    });
  for (const name of ['crash', 'abort', 'hang', 'junk', 'lie', 'short', 'big'] as const) {
    const { planner, journal } = planning(house, { make: failing(name, 'works') });
    await planner.look();
    t.equal(planner.current()?.certificate.source, 'stand-in', name);
    t.ok(
      runs(planner.current(), 'wallbox').every((h) => h >= 5 && h < 7),
      name,
    );
    t.match(journal, [{ code: 'SOLVER_FAILED', detail: { source: 'stand-in' } }], name);
  }
  let now = house;
  const both = failing('crash', 'fails');
  let maker = make;
  const { planner, journal, clock } = planning(house, {
    image: () => now,
    make: (task) => maker(task),
  });
  await planner.look();
  const good = planner.current();
  t.equal(good?.certificate.source, 'solver');
  maker = both;
  for (const quarter of [1, 2]) {
    await clock.advanceTo(quarter * QUARTER_MS);
    now = { ...house, wallMs: NOON + quarter * QUARTER_MS };
    await planner.look();
  }
  t.equal(planner.current(), good, 'the last good one, while it is fresh');
  t.match(
    journal.map((e) => e.code),
    ['PLANNED', 'PLANNER_FAILED'],
    'said once',
  );
  await clock.advanceTo(PLAN_VALID_MS + 1);
  t.equal(planner.current(), null);
  now = { ...house, wallMs: NOON + PLAN_VALID_MS + 1 };
  t.not(decide(withModes(planner, now)).devices[0]?.reasons[0]?.code, 'PLANNED', 'the rules alone');
});

test('a gateway that stops does not wait for a plan', async (t) => {
  const house = image({ devices: [CAR(5000)], signals: [CURVE] });
  const hanging = planProcess(systemClock(), { ...BOUNDS, worker: broken(t.testdir({}), 'hang', 'fails') });
  const { planner, journal } = planning(house, { make: hanging });
  const looked = planner.look();
  // Its process is at work by then.
  await new Promise((resolve) => setTimeout(resolve, 200));
  planner.stop();
  await looked;
  t.equal(planner.current(), null);
  t.same(journal, []);
});

test('from a store on disk: base load, sun and their errors; the last good plan stays while it is fresh', async (t) => {
  const now = Date.UTC(2026, 5, 11, 4);
  const clock = new SimulatedClock(now);
  const storage = openStore(path.join(t.testdir({}), 'hearth.db'), { clock, timeZone: 'Europe/Berlin' });
  t.teardown(() => storage.close());
  const put = (
    source: string,
    quantity: Measurement['point']['quantity'],
    atMs: number,
    value: number,
  ): Measurement => ({
    point: { source, quantity, phase: 0, tariff: 0, channel: 0 },
    value,
    quality: 'good',
    meterTimeMs: null,
    receivedMs: atMs,
    receivedElapsedMs: 0,
  });
  for (let atMs = now - 14 * DAY; atMs < now; atMs += QUARTER_MS) {
    const sun = clearSky_W(atMs, BERLIN, SOUTH);
    const car = atMs % DAY < 2 * HOUR ? 3680 : 0;
    const net = 400 + car - sun;
    storage.series.append([
      put('grid', 'activePowerImport', atMs, Math.max(0, net)),
      put('grid', 'activePowerExport', atMs, Math.max(0, -net)),
      put('wallbox', 'activePower', atMs, car),
      put('inverter', 'activePower', atMs, -sun),
    ]);
    if ((atMs / QUARTER_MS) % 200 === 0) storage.series.flush();
  }
  storage.series.flush();
  const ahead = { fromMs: now, untilMs: now + 30 * HOUR };
  const tariff = { ...CURVE, intervals: [{ ...ahead, value: 0.3e-3 }] };
  const feed = {
    ...CURVE,
    id: 'feed',
    kind: 'exportPrice' as const,
    intervals: [{ ...ahead, value: 0.08e-3 }],
  };
  const car = wallbox({ mode: 'cheap', flexibility: { need: { energy_Wh: 8000, byMs: now + 14 * HOUR } } });
  let house = image({ wallMs: now, devices: [car, inverter()], signals: [tariff, feed] });
  const { planner } = planning(house, { series: storage.series, clock, place: BERLIN, image: () => house });
  await planner.look();
  const plan = planner.current();
  t.match(plan?.quality, { load: { source: 'history' }, solar: { source: 'clear-sky' } });
  t.ok((plan?.quality.load.meanError_W ?? 1e9) < 40, 'the car’s own draw is no base load');
  t.ok((plan?.quality.solar.meanError_W ?? 1e9) < 250, `sun: ${plan?.quality.solar.meanError_W}`);
  const slots = (plan?.modes.wallbox ?? []).filter((s) => s.mode.kind !== 'off');
  t.ok(slots.length > 0 && slots.every((s) => s.mode.kind === 'surplus'), 'it waits for the sun');
  await clock.advanceTo(QUARTER_MS);
  house = { ...house, wallMs: now + QUARTER_MS, signals: [] };
  t.equal(planner.current(), plan, 'until the next one');
  await clock.advanceTo(QUARTER_MS + PLAN_VALID_MS);
  t.equal(planner.current(), null, 'no longer fresh');
  const rest = { site: house.site, signals: [], gridMeter: 'grid', isPricedElsewhere: true };
  const devices = [
    { id: 'wallbox', name: 'Wallbox', deadline: { time: '07:00', energy_Wh: 8000 }, battery: null },
    { id: 'inverter', name: 'Roof', deadline: null, battery: null },
  ];
  const own = ownDays({ ...rest, series: storage.series, devices }, now);
  t.ok(own.ok);
  if (!own.ok) return;
  const { days, notes } = own.value;
  t.match(days, { dt_h: 0.25, car: { max_kw: 3.68, leaves: '07:00' } });
  t.notMatch(notes.join(), /No readings/);
  t.equal(days.base_load_kw.length % 96, 0);
  t.ok(
    days.base_load_kw.every((x) => Math.abs(x - 0.4) < 1e-6),
    'base load without car and sun',
  );
  t.ok(Math.max(...(days.pv_kw ?? [])) > 4, 'the roof is told apart');
  const empty = ownDays({ ...rest, series: NOTHING, devices: [] }, now);
  t.match(empty, { ok: false, error: { code: 'SCENARIO_INVALID' } });
});
