/** Runs of programs in the plan of the house: begun where they cost least, done in time, and never in two parts. */
import { test } from 'tap';
import type { DeviceImage, ProgramRun } from '../../firmware/domain/image.ts';
import type { ModeSlot } from '../../firmware/domain/mode.ts';
import { horizonOf } from '../../firmware/policy/planner/house-grid.ts';
import { programOf } from '../../firmware/policy/planner/house-program.ts';
import type { PlanningDeps } from '../../firmware/policy/planning.ts';
import { boiler, HOUR, image, known, MINUTE, NOON, prices, signal } from './home.ts';
import { planned, standIn } from './planned.ts';

/** Heats, washes without drawing anything, heats again: an hour and a half. */
const PROGRAM = {
  steps: [
    { forMs: 20 * MINUTE, power_W: 2000 },
    { forMs: 40 * MINUTE, power_W: 0 },
    { forMs: 30 * MINUTE, power_W: 1000 },
  ],
};

const dishwasher = (run: ProgramRun | null, patch: Partial<DeviceImage> = {}): DeviceImage =>
  boiler({
    id: 'dishwasher',
    mode: 'cheap',
    override: run?.byMs ? { kind: 'runBy', byMs: run.byMs } : { kind: 'automatic' },
    ...(run && { run }),
    ...patch,
    flexibility: {
      controlType: 'POWER_PROFILE_BASED_CONTROL',
      kind: 'appliance',
      name: 'Dishwasher',
      program: PROGRAM,
    },
  });

const BY_SIX: ProgramRun = { byMs: NOON + 6 * HOUR, doneMs: null };
/** Dear until four, cheap for two hours, dear again. */
const CURVE = prices(0.4, 0.4, 0.4, 0.4, 0.1, 0.1, 0.4, 0.4);

const runsOf = (slots: readonly ModeSlot[] = []): ModeSlot[] => slots.filter((x) => x.mode.kind === 'run');
/** When the plan has it on: minutes from noon. */
const onFrom = async (device: DeviceImage, signals = [CURVE], wallMs = NOON): Promise<number[] | null> => {
  const house = image({ wallMs, grid_W: known(300), devices: [device], signals });
  const { plan } = await planned(house);
  const runs = runsOf(plan?.modes[device.id]);
  if (!plan) return null;
  if (runs.some((x, i) => i > 0 && x.fromMs !== runs[i - 1]?.untilMs)) throw new Error('in two parts');
  return runs.length === 0
    ? []
    : [runs[0]?.fromMs ?? 0, runs.at(-1)?.untilMs ?? 0].map((x) => (x - NOON) / MINUTE);
};

test('a run is planned where it costs least and is done in time', async (t) => {
  t.same(await onFrom(dishwasher(BY_SIX)), [240, 330], 'as early as it is cheap');
  t.same(
    await onFrom(dishwasher({ byMs: NOON + 5 * HOUR, doneMs: null })),
    [180, 270],
    'its last part is cheap',
  );
  t.same(await onFrom(dishwasher({ byMs: NOON + 100 * MINUTE, doneMs: null })), [0, 90], 'only just');
  t.same(await onFrom(dishwasher({ byMs: NOON + 30 * MINUTE, doneMs: null })), [0, 90], 'too late: at once');
  t.same(await onFrom(dishwasher({ byMs: NOON - HOUR, doneMs: null })), [0, 90], 'long past: at once');
  t.same(await onFrom(dishwasher({ byMs: null, doneMs: null })), [0, 90], 'as soon as it may');
  t.same(await onFrom(dishwasher({ ...BY_SIX, doneMs: 0 })), [0, 90], 'begun');
  t.same(await onFrom(dishwasher({ ...BY_SIX, doneMs: 62 * MINUTE })), [0, 30], 'half an hour is left of it');
  t.same(await onFrom(dishwasher({ ...BY_SIX, doneMs: 60 * MINUTE })), [0, 30], 'to the minute');
  t.same(
    await onFrom(dishwasher({ byMs: null, doneMs: null }, { override: { kind: 'now', untilMs: null } })),
    [0, 90],
    'its owner said now',
  );
  t.same(await onFrom(dishwasher({ ...BY_SIX, doneMs: 200 * MINUTE })), [0, 5], 'longer than it says');
  t.same(
    await onFrom(dishwasher(BY_SIX), [CURVE], NOON + 7 * MINUTE),
    [240, 330],
    'asked between the quarters',
  );
  t.equal(await onFrom(dishwasher(null)), null, 'nobody asked');
  t.equal(await onFrom(dishwasher(BY_SIX, { mode: 'solar' })), null, 'it waits for the sun');
  t.same(
    await onFrom(dishwasher({ ...BY_SIX, doneMs: 0 }, { mode: 'solar' })),
    [0, 90],
    'begun, whatever began it',
  );
  t.equal(await onFrom(dishwasher(BY_SIX, { health: 'silent' })), null);
});

test('a time after the known prices is waited for, unless it is cheap now', async (t) => {
  const tomorrow: ProgramRun = { byMs: NOON + 20 * HOUR, doneMs: null };
  t.same(await onFrom(dishwasher(tomorrow), [prices(0.4, 0.3, 0.35, 0.4)]), [60, 150], 'less than the mean');
  t.same(await onFrom(dishwasher(tomorrow), [prices(0.1, 0.5, 0.5, 0.5)]), [0, 90]);
  t.same(await onFrom(dishwasher(tomorrow), [prices(0.3, 0.3, 0.3, 0.1)]), [120, 210], 'its end is cheap');
  const soon: ProgramRun = { byMs: NOON + 5 * HOUR, doneMs: null };
  t.same(await onFrom(dishwasher(soon), [prices(0.3, 0.3, 0.3, 0.3)]), [0, 90], 'no time is left after them');
  // Known for half an hour only: what has begun goes on, what may wait does.
  t.same(await onFrom(dishwasher({ ...tomorrow, doneMs: 0 }), [prices(0.3)]), [0, 60]);
  t.same(await onFrom(dishwasher(tomorrow), [prices(0.3)]), []);
});

test('a run gives way to a limit that is known to come, and the rest of the house to the run', async (t) => {
  const limit = {
    ...signal('importLimit', [{ fromMs: NOON + 4 * HOUR, untilMs: NOON + 5 * HOUR, value: 1500 }]),
    binding: 'commandable' as const,
  };
  const from = await onFrom(dishwasher(BY_SIX), [CURVE, limit]);
  t.ok(
    from && (from[0] ?? 0) < 240 && (from[1] ?? 999) <= 360,
    `${from?.join(' to ')}: its 2 kW before the limit`,
  );
  const car = boiler({
    id: 'car',
    mode: 'cheap',
    flexibility: {
      ranges: [0, 6000].map((p) => ({ min_W: p, max_W: p })),
      need: { energy_Wh: 6000, byMs: NOON + 2 * HOUR },
    },
  });
  const tight = {
    ...signal('importLimit', [{ fromMs: NOON, untilMs: NOON + 3 * HOUR, value: 7000 }]),
    binding: 'commandable' as const,
  };
  const running = dishwasher({ ...BY_SIX, doneMs: 0 });
  const { plan } = await planned(
    image({ grid_W: known(300), devices: [running, car], signals: [prices(0.2, 0.3, 0.4), tight] }),
  );
  const charges = (plan?.modes.car ?? []).filter((x) => x.mode.kind === 'charge');
  t.equal(charges[0]?.fromMs, NOON + 20 * MINUTE, 'beside the 2 kW there is no room for it');
  t.equal(
    charges.reduce((sum, x) => sum + x.untilMs - x.fromMs, 0),
    HOUR,
  );
});

test('a run that limits keep off is left out, and the rest of the house is planned as without it', async (t) => {
  const dark = {
    ...signal('importLimit', [{ fromMs: NOON - HOUR, untilMs: NOON + 24 * HOUR, value: 1500 }]),
    binding: 'commandable' as const,
  };
  const car = boiler({
    id: 'car',
    mode: 'cheap',
    flexibility: {
      ranges: [0, 1000].map((p) => ({ min_W: p, max_W: p })),
      need: { energy_Wh: 2000, byMs: NOON + 7 * HOUR },
    },
  });
  const charged = async (...runs: ProgramRun[]): Promise<readonly unknown[]> => {
    const devices = [...runs.map((run, i) => dishwasher(run, { id: `d${i}` })), car];
    const { plan, journal } = await planned(image({ grid_W: known(300), devices, signals: [CURVE, dark] }));
    const on = (plan?.modes.car ?? []).filter((x) => x.mode.kind === 'charge');
    return [journal[0]?.code, on.map((x) => (x.fromMs - NOON) / MINUTE), runsOf(plan?.modes.d0).length];
  };
  const alone = await charged();
  t.same(alone[1], [240, 255, 270, 285, 300, 315, 330, 345]);
  for (const run of [BY_SIX, { ...BY_SIX, doneMs: 0 }, { byMs: null, doneMs: null }])
    t.same(await charged(run), alone, JSON.stringify(run));
  t.same(await charged(BY_SIX, { byMs: null, doneMs: 0 }), alone, 'two of them');
});

test('what waits for its hour is not begun for the sun that nobody foresaw: it cannot be left again', async (t) => {
  const feed = signal('exportPrice', [{ fromMs: NOON, untilMs: NOON + 8 * HOUR, value: 0.02e-3 }]);
  const house = image({ grid_W: known(300), devices: [dishwasher(BY_SIX)], signals: [CURVE, feed] });
  const { plan } = await planned(house);
  t.equal(plan?.modes.dishwasher?.[0]?.mode.kind, 'off');
});

test('what the other choice costs is told of a run as well', async (t) => {
  const told = async (run: ProgramRun, curve = CURVE, wallMs = NOON): Promise<ModeSlot | undefined> => {
    const house = image({ wallMs, grid_W: known(300), devices: [dishwasher(run)], signals: [curve] });
    return (await planned(house)).plan?.modes.dishwasher?.[0];
  };
  const cents = (x: number | null | undefined): number => Math.round((x ?? Number.NaN) * 1000) / 10;
  // 1.167 kWh at 0.40 and not at 0.10.
  t.equal(cents((await told(BY_SIX))?.startingNowCosts), 35);
  // Two cheap hours are enough for it a quarter hour later, too.
  const waiting = await told(BY_SIX, prices(0.1, 0.1, 0.4, 0.4, 0.4, 0.4));
  t.equal(waiting?.mode.kind, 'run');
  t.equal(cents(waiting?.waitingCosts), 0);
  const brief = await told(BY_SIX, prices(0.1, 0.4, 0.4, 0.4, 0.4, 0.4), NOON + 35 * MINUTE);
  t.equal(brief?.mode.kind, 'run');
  // Begun in ten minutes, five of its first twenty at 2 kW are at 0.40 and not at 0.10; its end is dear anyway.
  t.equal(cents(brief?.waitingCosts), 5);
  t.equal((await told({ ...BY_SIX, doneMs: 0 }))?.waitingCosts, null, 'it may not wait');
});

test('a program is cut into five minutes, each with its mean', async (t) => {
  const slots = horizonOf(image({ signals: [CURVE] }));
  const odd = {
    steps: [
      { forMs: 7 * MINUTE, power_W: 1000 },
      { forMs: 90_000, power_W: 2000 },
    ],
  };
  const of = (run: ProgramRun): number[] =>
    programOf('x', odd, run, slots, 0.4).profile_kw.map((x) => Math.round(x * 1e6) / 1e6);
  t.same(of(BY_SIX), [1, (2 + 1.5 * 2) / 5]);
  t.same(of({ ...BY_SIX, doneMs: 3 * MINUTE }), [(4 + 2) / 5, (0.5 * 2) / 5]);
  t.same(of({ ...BY_SIX, doneMs: 8.5 * MINUTE }), [0]);
  const energy = PROGRAM.steps.reduce((sum, x) => sum + (x.forMs / HOUR) * (x.power_W / 1000), 0);
  const cut = programOf('x', PROGRAM, BY_SIX, slots, 0.4).profile_kw;
  t.ok(Math.abs(cut.reduce((sum, x) => sum + x / 12, 0) - energy) < 1e-9);
});

test('another wish, and a run that begins, are planned at once', async (t) => {
  let house = image({ grid_W: known(300), devices: [dishwasher(null)], signals: [CURVE] });
  let plans = 0;
  const make: PlanningDeps['make'] = (task) => {
    plans += 1;
    return standIn(task);
  };
  const { planner } = await planned(house, { make, image: () => house });
  const after = async (run: ProgramRun | null): Promise<number> => {
    house = { ...house, devices: [dishwasher(run)] };
    await planner.look();
    return plans;
  };
  t.equal(plans, 0, 'nothing is asked for');
  t.equal(await after(BY_SIX), 1);
  t.equal(await after({ ...BY_SIX, knownForMs: 5000 }), 1, 'the same wish');
  t.equal(await after({ byMs: NOON + 5 * HOUR, doneMs: null }), 2, 'an hour earlier');
  t.equal(await after({ byMs: NOON + 5 * HOUR, doneMs: 0 }), 3, 'it has begun');
  t.equal(await after({ byMs: NOON + 5 * HOUR, doneMs: 60_000 }), 3);
  t.equal(await after(null), 3, 'it is over, and so is the plan');
  t.equal(planner.current(), null);
});
