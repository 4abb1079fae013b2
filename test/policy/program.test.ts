/** The program of an appliance through all rules. */
import { test } from 'tap';
import { lengthMsOf } from '../../firmware/domain/flexibility.ts';
import type { DeviceImage, Image } from '../../firmware/domain/image.ts';
import type { Mode, Modes } from '../../firmware/domain/mode.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { requestsOf } from '../../firmware/policy/rules/admission.ts';
import {
  battery,
  boiler,
  dishwasher,
  HOUR,
  image,
  known,
  limitNow,
  MINUTE,
  NOON,
  PROGRAM,
  prices,
  signal,
  wallbox,
} from './home.ts';

const LENGTH = lengthMsOf(PROGRAM);
/** Under way, and drawing. */
const running = (doneMs: number, patch: Parameters<typeof dishwasher>[2] = {}) =>
  dishwasher(4, doneMs, { setPoint_W: 2000, power_W: known(2000), ...patch });
const plan = (mode: Mode, id = 'dishwasher'): Modes => ({
  [id]: [{ fromMs: NOON - HOUR, untilMs: NOON + HOUR, mode }],
});
const CHEAP_AT_2 = prices(0.4, 0.4, 0.1, 0.1, 0.3, 0.3);
const SETS = { kind: 'now', untilMs: NOON + 15 * MINUTE } as const;
const NO_CLOCK = { wallTrusted: false, wallMs: 1000 };

interface Case {
  readonly name: string;
  readonly image: Partial<Image>;
  readonly device: DeviceImage;
  /** Set-point in W and the first reason; then values of that reason. */
  readonly expect: readonly [number, string, Readonly<Record<string, unknown>>?];
}

const CASES: readonly Case[] = [
  { name: 'nobody asked', image: {}, device: dishwasher(null), expect: [0, 'NO_NEED'] },
  {
    name: 'nobody asked, whatever the plan or the sun says',
    image: { modes: plan({ kind: 'run', upTo_W: 2000 }), grid_W: known(-5000) },
    device: dishwasher(null, null, { mode: 'solar' }),
    expect: [0, 'NO_NEED'],
  },
  {
    name: 'nobody asked: what an operator asks to be drawn does not start it',
    image: { signals: [signal('setPoint', limitNow(6000).intervals, { binding: 'commandable' })] },
    device: dishwasher(null),
    expect: [0, 'NO_NEED'],
  },
  {
    name: 'the operator asks for a draw: one that waits is started',
    image: {
      signals: [CHEAP_AT_2, signal('setPoint', limitNow(6000).intervals, { binding: 'commandable' })],
    },
    device: dishwasher(6),
    expect: [2000, 'GRID_ASKS'],
  },
  {
    name: 'nobody asked for a run, but for power to set it, whatever the plan and the price say',
    image: { modes: plan({ kind: 'off' }), signals: [CHEAP_AT_2] },
    device: dishwasher(null, null, { override: SETS }),
    expect: [2000, 'OWNER_NOW', { untilMs: NOON + 15 * MINUTE }],
  },
  {
    name: 'power to set it, under a limit',
    image: { signals: [limitNow(0)] },
    device: dishwasher(null, null, { override: SETS }),
    expect: [0, 'GRID_LIMIT'],
  },
  {
    name: 'it waits for the cheap hours',
    image: { signals: [CHEAP_AT_2] },
    device: dishwasher(6),
    expect: [0, 'PRICE_WAIT', { fromMs: NOON + 2 * HOUR, byMs: NOON + 6 * HOUR, price: 0.4 / 1000 }],
  },
  {
    name: 'it runs in them',
    image: { signals: [prices(0.1, 0.1, 0.4, 0.4)] },
    device: dishwasher(4),
    expect: [2000, 'PRICE_RUN', { price: 0.1 / 1000 }],
  },
  {
    name: 'cheaper hours that come too late are none',
    image: { signals: [CHEAP_AT_2] },
    device: dishwasher(2),
    expect: [2000, 'PRICE_RUN'],
  },
  {
    name: 'at the last moment it runs',
    image: { signals: [CHEAP_AT_2] },
    device: dishwasher(1.5),
    expect: [2000, 'DEADLINE_RUN', { byMs: NOON + 1.5 * HOUR }],
  },
  {
    name: 'the hour has passed and it has not run: it still does',
    image: { signals: [CHEAP_AT_2] },
    device: dishwasher(-3),
    expect: [2000, 'DEADLINE_RUN'],
  },
  { name: 'no price', image: {}, device: dishwasher(6), expect: [2000, 'NO_PRICE'] },
  {
    name: 'no price for as long as it runs',
    image: { signals: [prices(0.1)] },
    device: dishwasher(6),
    expect: [2000, 'NO_PRICE'],
  },
  { name: 'no clock', image: NO_CLOCK, device: dishwasher(6), expect: [2000, 'NO_CLOCK'] },
  {
    name: 'no clock so soon after a start: it may come',
    image: NO_CLOCK,
    device: dishwasher(6, null, { run: { byMs: NOON + 6 * HOUR, doneMs: null, knownForMs: 10_000 } }),
    expect: [0, 'NO_CLOCK'],
  },
  {
    name: 'its owner wants it now, whatever it costs',
    image: { signals: [CHEAP_AT_2] },
    device: dishwasher(null, null, {
      override: { kind: 'now', untilMs: null },
      run: { byMs: null, doneMs: null },
    }),
    expect: [2000, 'OWNER_NOW'],
  },
  {
    name: 'always: it does not wait',
    image: { signals: [CHEAP_AT_2] },
    device: dishwasher(6, null, { mode: 'always' }),
    expect: [2000, 'FREE'],
  },
  {
    name: 'solar: it waits for the sun',
    image: { grid_W: known(-1900), signals: [prices(0.1, 0.4, 0.4, 0.4, 0.4)] },
    device: dishwasher(5, null, { mode: 'solar' }),
    expect: [0, 'OWN_SOLAR'],
  },
  {
    name: 'solar: the sun carries the most that it draws',
    image: { grid_W: known(-2100) },
    device: dishwasher(5, null, { mode: 'solar' }),
    expect: [2000, 'OWN_SOLAR', { surplus_W: 2000 }],
  },
  {
    name: 'solar: at last without the sun',
    image: { grid_W: known(300) },
    device: dishwasher(1.5, null, { mode: 'solar' }),
    expect: [2000, 'DEADLINE_RUN'],
  },
  {
    name: 'the plan starts it',
    image: { signals: [CHEAP_AT_2], modes: plan({ kind: 'run', upTo_W: 100 }) },
    device: dishwasher(6),
    expect: [2000, 'PLANNED', { mode: 'run' }],
  },
  {
    name: 'the plan has it wait, where the price would not',
    image: { signals: [prices(0.1, 0.1, 0.4, 0.4)], modes: plan({ kind: 'off' }) },
    device: dishwasher(4),
    expect: [0, 'PLANNED', { mode: 'off' }],
  },
  {
    name: 'the plan has it wait too long',
    image: { modes: plan({ kind: 'off' }) },
    device: dishwasher(1.5),
    expect: [2000, 'DEADLINE_RUN'],
  },
  {
    name: 'a planner that has not heard of it yet is given a moment',
    image: { signals: [prices(0.1, 0.1, 0.4, 0.4)], modes: {} },
    device: dishwasher(4, null, { run: { byMs: NOON + 4 * HOUR, doneMs: null, knownForMs: 5000 } }),
    expect: [0, 'PRICE_WAIT'],
  },
  {
    name: 'and no longer',
    image: { signals: [prices(0.1, 0.1, 0.4, 0.4)], modes: {} },
    device: dishwasher(4, null, { run: { byMs: NOON + 4 * HOUR, doneMs: null, knownForMs: 90_000 } }),
    expect: [2000, 'PRICE_RUN'],
  },
  {
    name: 'under way: no price stops it',
    image: { signals: [CHEAP_AT_2] },
    device: running(10 * MINUTE),
    expect: [2000, 'PROGRAM_RUNS', { leftMs: LENGTH - 10 * MINUTE }],
  },
  {
    name: 'under way: no plan stops it',
    image: { modes: plan({ kind: 'off' }) },
    device: running(40 * MINUTE, { power_W: known(100) }),
    expect: [2000, 'PROGRAM_RUNS'],
  },
  {
    name: 'under way: no cloud stops it',
    image: { grid_W: known(2500) },
    device: running(10 * MINUTE, { mode: 'solar' }),
    expect: [2000, 'PROGRAM_RUNS'],
  },
  {
    name: 'under way: a lost clock does not stop it',
    image: NO_CLOCK,
    device: running(10 * MINUTE, {
      run: { byMs: NOON + HOUR, doneMs: 10 * MINUTE, knownForMs: 0 },
    }),
    expect: [2000, 'PROGRAM_RUNS'],
  },
  {
    name: 'under way: another wish changes nothing',
    image: {},
    device: running(10 * MINUTE, { override: { kind: 'notBefore', atMs: NOON + HOUR } }),
    expect: [2000, 'PROGRAM_RUNS'],
  },
  {
    name: 'under way: its owner stops it',
    image: {},
    device: running(10 * MINUTE, { override: { kind: 'off' } }),
    expect: [0, 'OWNER_OFF'],
  },
  {
    name: 'under way: a limit stops it',
    image: { grid_W: known(2400), signals: [limitNow(0)] },
    device: running(10 * MINUTE),
    expect: [0, 'GRID_LIMIT'],
  },
  {
    name: 'under way: a limit that leaves it room does not',
    image: { grid_W: known(2400), signals: [limitNow(2600)] },
    device: running(10 * MINUTE),
    expect: [2000, 'PROGRAM_RUNS'],
  },
  {
    name: 'under way: the fuse stops it',
    image: { grid_W: known(9000), gridPhase_A: [known(40), known(1), known(1)] },
    device: running(10 * MINUTE),
    expect: [0, 'HOUSE_FUSE'],
  },
  {
    name: 'under way: without a fresh meter it goes on',
    image: { grid_W: known(null) },
    device: running(10 * MINUTE),
    expect: [2000, 'PROGRAM_RUNS'],
  },
  {
    name: 'waiting: without a fresh meter it does not begin',
    image: { grid_W: known(null) },
    device: dishwasher(1),
    expect: [0, 'STALE_METER'],
  },
  {
    name: 'held up by a limit that is over: it goes on at once, whatever the price',
    image: { signals: [CHEAP_AT_2] },
    device: dishwasher(6, 10 * MINUTE),
    expect: [2000, 'PROGRAM_RUNS'],
  },
  {
    name: 'no wish, not before: the owner says why',
    image: {},
    device: dishwasher(null, null, { override: { kind: 'notBefore', atMs: NOON + HOUR } }),
    expect: [0, 'OWNER_NOT_BEFORE'],
  },
];

for (const { name, image: patch, device, expect } of CASES) {
  test(name, async (t) => {
    const decision = decide(image({ ...patch, devices: [device] }));
    const [one] = decision.devices;
    const [setPoint_W, code, values = {}] = expect;
    t.same([one?.setPoint_W, one?.reasons[0]?.code], [setPoint_W, code]);
    t.match(one?.reasons[0]?.values, values);
    t.same(decision.corrections, [], 'nothing for the guard');
  });
}

test('who gives way: among equals a program under way comes last, one that waits is not begun', async (t) => {
  const on = { setPoint_W: 2000, power_W: known(2000) };
  const cold = boiler({
    ...on,
    mode: 'cheap',
    flexibility: { need: { energy_Wh: 1900, byMs: NOON + HOUR } },
  });
  const room = { signals: [limitNow(2600)] };
  const both = decide(image({ grid_W: known(4400), ...room, devices: [cold, running(10 * MINUTE)] }));
  t.same(
    both.devices.map((d) => d.setPoint_W),
    [0, 2000],
  );
  const waits = decide(image({ grid_W: known(2400), ...room, devices: [cold, dishwasher(9)] }));
  t.same(
    waits.devices.map((d) => d.setPoint_W),
    [2000, 0],
  );
  const more = boiler({ ...on, priority: 1 });
  const priority = decide(image({ grid_W: known(4400), ...room, devices: [more, running(10 * MINUTE)] }));
  t.same(
    priority.devices.map((d) => d.setPoint_W),
    [2000, 0],
    'but its owner ranks first',
  );
});

test('a load admission is asked for before it begins, and not when it goes on', async (t) => {
  const admissions = { source: 'DSO', least_W: 1000, byDevice: {} };
  const asked = image({ admissions, devices: [dishwasher(6, null, { mode: 'always' })] });
  const decision = decide(asked);
  t.equal(decision.devices[0]?.reasons[0]?.code, 'ADMISSION_ASKED');
  t.same(requestsOf(asked, decision), [
    {
      device: 'dishwasher',
      power_W: 2000,
      energy_Wh: 1575,
      priority: 5,
      latestStartMs: NOON + 6 * HOUR - LENGTH - 5 * MINUTE,
    },
  ]);
  const [goesOn] = decide(image({ admissions, devices: [dishwasher(6, MINUTE)] })).devices;
  t.same([goesOn?.setPoint_W, goesOn?.reasons[0]?.code], [2000, 'PROGRAM_RUNS']);
});

test('what a wallbox on solar gets is what the program leaves', async (t) => {
  const car = wallbox({ mode: 'solar', priority: 9 });
  const { devices } = decide(
    image({
      grid_W: known(-2000),
      devices: [running(10 * MINUTE), car],
      gridPhase_A: [known(1), known(1), known(1)],
    }),
  );
  t.same(
    devices.map((d) => d.setPoint_W),
    [2000, 1840],
  );
});

test('the sun is promised once: to one program after the other, and to none beside one that begins', async (t) => {
  const CURVE = prices(...new Array<number>(9).fill(0.3));
  const waiting = (id: string, patch: Parameters<typeof dishwasher>[2] = {}) =>
    dishwasher(8, null, { mode: 'solar', id, ...patch });
  const begun = (doneMs: number, patch: Parameters<typeof dishwasher>[2] = {}) =>
    dishwasher(8, doneMs, { mode: 'solar', id: 'z', setPoint_W: 2000, inStateMs: 10_000, ...patch });
  const points = (grid_W: number, devices: readonly DeviceImage[], patch: Partial<Image> = {}) =>
    decide(image({ devices, grid_W: known(grid_W), signals: [CURVE], ...patch })).devices.map(
      (d) => d.setPoint_W,
    );
  const [a, b] = [waiting('a'), waiting('b')];
  t.same(points(-2200, [a, b]), [2000, 0]);
  t.same(points(-4200, [a, b]), [2000, 2000]);
  t.same(points(-2200, [a, waiting('b', { priority: 1 })]), [0, 2000], 'by priority');
  t.same(points(-2200, [a, begun(0)]), [0, 2000], 'it has power and does not draw yet');
  t.same(points(-2200, [a, begun(0, { inStateMs: HOUR })]), [2000, 2000], 'it never began');
  t.same(points(-2200, [a, begun(0, { setPoint_W: 0, underWay_W: 2000 })]), [0, 2000]);
  t.same(points(-200, [a, begun(MINUTE, { power_W: known(2000) })]), [0, 2000], 'whatever its priority');
  t.same(points(-2100, [a, begun(40 * MINUTE, { power_W: known(100) })]), [0, 2000], 'it will draw again');
  t.same(points(-4100, [a, begun(40 * MINUTE, { power_W: known(100) })]), [2000, 2000]);
  t.same(points(-2100, [a, begun(2 * HOUR, { power_W: known(0) })]), [2000, 2000], 'its time is over');
  t.same(points(-2200, [a, dishwasher(1.5, null, { id: 'late' })]), [0, 2000], 'it has to begin now');
  t.same(points(-2200, [a, dishwasher(8, null, { id: 'at-once', mode: 'always' })]), [0, 2000]);
  t.same(points(-2200, [a, waiting('z', { priority: 1, override: { kind: 'off' } })]), [2000, 0]);
  const car = wallbox({ mode: 'solar', priority: 9 });
  t.same(points(-2200, [a, car]), [2000, 0], 'a car takes what is left');
  t.same(points(-4100, [begun(40 * MINUTE, { power_W: known(100) }), car])[1], 3680, 'also in its pause');
  const later = { kind: 'later', notBeforeMs: NOON + HOUR } as const;
  const granted = { kind: 'granted' } as const;
  const admissions = { source: 'DSO', least_W: 2000, byDevice: { a: later, wallbox: granted } };
  t.same(points(-2200, [a, car], { admissions }), [0, 2070], 'and what the operator keeps from others');
});

test('a battery gives what a program draws, not what it is counted with; and no plan is said to lead it', async (t) => {
  const cells = battery({}, { setPoint_W: 0 });
  const device = running(40 * MINUTE, { power_W: known(100) });
  const { devices } = decide(
    image({ grid_W: known(500), devices: [device, cells], modes: plan({ kind: 'run', upTo_W: 2000 }) }),
  );
  t.same(
    devices.map((d) => d.setPoint_W),
    [2000, -500],
  );
  t.same(
    devices[0]?.reasons.map((r) => r.code),
    ['PROGRAM_RUNS'],
  );
});
