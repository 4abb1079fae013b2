/** Appliances with a program: what the card is told, what may be asked, what is planned, and what waiting saved. */
import { test } from 'tap';
import type { DeviceImage, Image, Snapshot } from '../../firmware/domain/image.ts';
import type { Reason } from '../../firmware/domain/instruction.ts';
import { LIMITS } from '../../firmware/domain/limits.ts';
import type { ModeSlot } from '../../firmware/domain/mode.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { pricesOf } from '../../firmware/web/prices.ts';
import { durationWords, programView } from '../../firmware/web/program-view.ts';
import { pricesSchema, viewSchema } from '../../firmware/web/schema.ts';
import { viewOf } from '../../firmware/web/view.ts';
import {
  dishwasher,
  image as houseOf,
  NOON as NOON_OF_RULES,
  prices as pricesPerHour,
  SITE,
  signal,
} from '../policy/home.ts';
import { HandClock, NOON } from './clock.ts';
import { depsOf, Home } from './home.ts';
import { PROGRAM, type Washing, washer, withProgram } from './programs.ts';
import { start } from './server.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const home = new Home(new HandClock());
const bare = home.snapshot();
const slot = (from: number, until: number, power_W: number) => ({
  ...{ fromMs: NOON + from * MINUTE, untilMs: NOON + until * MINUTE, power_W },
});
const see = (washing: Washing, of = bare) =>
  viewSchema.parse(viewOf(withProgram(of, washing), depsOf(home).info)).devices[0];

test('what it does, and how far it is', async (t) => {
  const idle = see({});
  t.match(idle, { state: 'off', stateWords: 'Off', program: { lengthMs: 110 * MINUTE, run: null } });
  t.equal(Math.round(idle?.program?.energy_Wh ?? 0), 827);
  t.equal(idle?.program?.sentence, 'A run takes 1 h 50 min and 0.8 kWh.');
  t.equal(see({}, bare)?.program?.steps.length, 4);

  const byMs = NOON + 3 * HOUR;
  const asked = { override: { kind: 'runBy', byMs }, run: { byMs, doneMs: null } } as const;
  const planned = [slot(20, 25, 2000), slot(25, 40, 2000), slot(40, 100, 80), slot(120, 130, 480)];
  const waits = see({ ...asked, planned });
  t.match(waits, {
    ...{ stateWords: 'Waiting', overrideSentence: 'You asked for one run, done by 20:20.' },
    program: { run: { byMs, doneMs: null, leftMs: 110 * MINUTE } },
  });
  t.same(
    [waits?.program?.run?.startsMs, waits?.program?.run?.endsMs],
    [NOON + 20 * MINUTE, NOON + 130 * MINUTE],
  );
  t.equal(waits?.program?.run?.sentence, 'Starts 17:40, done by 19:30.');

  const runs = see({ ...asked, run: { byMs, doneMs: 85 * MINUTE }, planned });
  t.match(runs, { state: 'on', stateWords: 'Running', power_W: 0 }, 'a pause is a part of it');
  t.match(runs?.program?.run, { doneMs: 85 * MINUTE, leftMs: 25 * MINUTE, startsMs: null });
  t.equal(runs?.program?.run?.sentence, 'Runs, 25 min left: done by 17:45.');
  t.match(see({ ...asked, run: { byMs, doneMs: 9 * HOUR } })?.program?.run, { leftMs: 0 }, 'never negative');
});

test('each case in a sentence', async (t) => {
  const by = (minutes: number | null, washing: Washing = {}, of = bare) => {
    const byMs = minutes === null ? null : NOON + minutes * MINUTE;
    return see({ run: { byMs, doneMs: null }, ...washing }, of)?.program?.run?.sentence;
  };
  t.equal(by(null), 'Starts as soon as it may.');
  t.equal(by(180), 'Waits for its start, to be done by 20:20.');
  t.equal(by(109), 'It cannot be done by 19:09; it runs as soon as it may.');
  t.equal(by(110), 'Waits for its start, to be done by 19:10.');
  t.equal(by(180, { planned: [slot(-3, 2, 2000)] }), 'Starts now, done by 19:10.');
  t.equal(
    by(60, { planned: [slot(30, 35, 2000)] }),
    'Starts 17:50, done by 19:40, later than the 18:20 you asked for.',
  );
  t.equal(by(180, { planned: [slot(-30, -15, 2000)] }), 'Waits for its start, to be done by 20:20.');
  t.equal(
    see({ run: { byMs: NOON + 600_000, doneMs: 0 }, power_W: 1900 })?.program?.run?.sentence,
    'Runs, 1 h 50 min left: done by 19:10, later than the 17:30 you asked for.',
  );
  const unclear = { ...bare, image: { ...bare.image, wallTrusted: false } };
  t.equal(by(10, { planned: [slot(30, 35, 2000)] }, unclear), 'Waits for its start, to be done by 17:30.');
  t.match(see({ run: { byMs: null, doneMs: HOUR } }, unclear)?.program?.run, {
    ...{ startsMs: null, endsMs: null, sentence: 'Runs, 50 min left.' },
  });
  const modes = (kind: 'off' | 'run') => ({
    ...slot(45, 50, 0),
    mode: kind === 'run' ? ({ kind, upTo_W: 2000 } as const) : ({ kind } as const),
  });
  const { plan = null } = bare;
  const meant = { ...bare, plan: plan && { ...plan, modes: { washer: [modes('off'), modes('run')] } } };
  t.equal(by(180, {}, meant), 'Waits for its start, to be done by 20:20.', 'as it was decided');
  const early = { ...meant, decision: null };
  t.equal(by(180, {}, early), 'Starts 18:05, done by 19:55.', 'before the first decision as the plan has it');
  t.same([1, 60_001, 3_600_000, 7_260_000].map(durationWords), ['1 min', '2 min', '1 h', '2 h 1 min']);
});

test('a start is told where one is known, and none where nobody intends it: as it was decided', async (t) => {
  const at = (hours: number) => NOON_OF_RULES + hours * HOUR;
  const say = (device: DeviceImage, patch: Partial<Image> = {}) => {
    const image = houseOf({
      signals: [pricesPerHour(0.4, 0.4, 0.1, 0.1, 0.4, 0.4, 0.4, 0.4)],
      ...patch,
      devices: [device],
    });
    const decision = decide(image);
    const snapshot: Snapshot = { ...bare, image, decision, plan: null };
    const place = { timeZone: 'Europe/Berlin', nowMs: image.wallMs, currency: 'EUR' };
    const { startsMs, sentence } = programView(device, snapshot, place)?.run ?? {};
    const [decided] = decision.devices;
    return [decided?.setPoint_W, decided?.reasons[0]?.code, startsMs, sentence, decided?.planned.length];
  };
  const limited = (hours: number, ...perKWh: number[]) => ({
    signals: [
      pricesPerHour(...perKWh),
      signal('importLimit', [{ fromMs: at(-1), untilMs: at(hours), value: 1000 }]),
    ],
  });
  const unknown = (by: string) => [null, `Waits for its start, to be done by ${by}.`, 0];
  const cheapLater = [0.4, 0.4, 0.1, 0.1, 0.4, 0.4, 0.4, 0.4] as const;
  const starts = [at(2), 'Starts 14:00, done by 15:30.', 3];
  t.same(say(dishwasher(8)), [0, 'PRICE_WAIT', ...starts]);
  t.same(say(dishwasher(8), limited(1, ...cheapLater)), [0, 'PRICE_WAIT', ...starts]);
  t.same(say(dishwasher(8, null, { mode: 'solar' })), [0, 'OWN_SOLAR', ...unknown('20:00')]);
  const always = dishwasher(8, null, { mode: 'always' });
  t.same(say(always), [2000, 'FREE', NOON_OF_RULES, 'Starts now, done by 13:30.', 3]);
  t.same(say(always, limited(2, ...cheapLater)), [0, 'GRID_LIMIT', ...unknown('20:00')]);
  t.same(say(dishwasher(4), limited(0.5, 0.1, 0.1, 0.4, 0.4)), [0, 'GRID_LIMIT', ...unknown('16:00')]);
  t.same(say(dishwasher(1.6), limited(2, ...cheapLater)), [0, 'GRID_LIMIT', ...unknown('13:36')]);
  const fused = { site: { ...SITE, fuse_A: 6 }, signals: [pricesPerHour(0.1, 0.1, 0.4, 0.4)] };
  t.same(say(dishwasher(4), fused), [0, 'HOUSE_FUSE', ...unknown('16:00')]);
  const late = 'It cannot be done by 13:00; it runs as soon as it may.';
  t.same(say(dishwasher(1), limited(2, ...cheapLater)), [0, 'GRID_LIMIT', null, late, 0]);
  const now = dishwasher(null, null, {
    override: { kind: 'now', untilMs: null },
    run: { byMs: null, doneMs: null },
  });
  t.same(say(now), [2000, 'OWNER_NOW', NOON_OF_RULES, 'Starts now, done by 13:30.', 3]);
  t.same(say(now, limited(2, ...cheapLater)), [0, 'GRID_LIMIT', null, 'Starts as soon as it may.', 0]);
  const interrupted = 'Interrupted with 1 h 20 min left; it goes on as soon as it may.';
  t.same(say(dishwasher(8, 10 * MINUTE), limited(2, ...cheapLater)), [0, 'GRID_LIMIT', null, interrupted, 0]);
  const slots = (kind: 'run' | 'off', from: number, until: number): ModeSlot => ({
    ...{ fromMs: at(from), untilMs: at(until) },
    mode: kind === 'run' ? { kind, upTo_W: 2000 } : { kind },
  });
  const modes = (...list: ModeSlot[]) => ({ modes: { dishwasher: list } });
  const by3 = [at(3), 'Starts 15:00, done by 16:30.', 3];
  t.same(say(dishwasher(8), modes(slots('off', -1, 3), slots('run', 3, 4))), [0, 'PLANNED', ...by3]);
  const runsNow = modes(slots('run', -1, 1), slots('run', 1, 2));
  t.same(say(dishwasher(8), { ...limited(2, ...cheapLater), ...runsNow }).slice(2), unknown('20:00'));
  t.same(say(dishwasher(8), modes(slots('off', -1, 3))).slice(2), unknown('20:00'), 'left for later');
});

test('what has begun may be held up, lost, or not begin at all', async (t) => {
  const run = { byMs: NOON + HOUR, doneMs: 62 * MINUTE };
  const say = (washing: Washing) => {
    const seen = see({ run, ...washing });
    const { sentence, endsMs } = seen?.program?.run ?? {};
    return [
      seen?.state,
      seen?.stateWords,
      sentence,
      endsMs === null ? null : ((endsMs ?? 0) - NOON) / MINUTE,
    ];
  };
  t.same(say({ power_W: 80 }), ['on', 'Running', 'Runs, 48 min left: done by 18:08.', 48]);
  t.same(say({ setPoint_W: 0 }), [
    ...['off', 'Interrupted', 'Interrupted with 48 min left; it goes on as soon as it may.', null],
  ]);
  t.same(say({ setPoint_W: 0, power_W: 80 }).slice(0, 2), ['on', 'On'], 'not yet');
  t.same(say({ power_W: null }), [
    ...['unknown', 'No answer', 'Had 48 min left when it was last heard.', null],
  ]);
  const none = { run: { ...run, doneMs: 0 } };
  const since = (inStateMs: number, setPoint_W = 2000) => say({ ...none, more: { inStateMs, setPoint_W } });
  t.same(since(MINUTE), ['off', 'Waiting', 'Has power and is about to begin.', null]);
  t.match(since(5 * MINUTE)[2], /^Has power but does not begin: is its program set/);
  t.match(since(9 * HOUR, 0)[2], /about to begin/, 'off until a moment ago');
  t.same(say({ ...none, power_W: 1900 }).slice(1, 2), ['Running'], 'it draws');
  const blind = { power_W: { value: null, ageMs: Infinity } };
  t.same(say({ ...none, more: blind }).slice(1), [
    'Running',
    'Runs, 1 h 50 min left: done by 19:10, later than the 18:20 you asked for.',
    110,
  ]);
  t.match(say({ run: { ...run, doneMs: 110 * MINUTE } })[2], /^Its time is over/);
  const soft = { ...PROGRAM, steps: [{ forMs: 10 * MINUTE, power_W: 0 }, ...PROGRAM.steps] };
  const flexibility = { ...washer({}).flexibility, program: soft };
  const waits = (from: number) =>
    see({ run: { byMs: null, doneMs: null }, more: { flexibility }, planned: [slot(from, 40, 2000)] });
  t.equal(waits(30)?.program?.run?.sentence, 'Starts 17:40, done by 19:40.', 'it begins before it draws');
  t.equal(waits(5)?.program?.run?.sentence, 'Starts now, done by 19:20.');
});

test('why, in words that fit a program', async (t) => {
  t.equal(see({})?.reason, 'You have not asked for a run.');
  t.equal(see({ reasons: [{ code: 'NO_NEED', values: {} }] })?.reason, 'You have not asked for a run.');
  const why = (
    code: Reason['code'],
    doneMs: number | null,
    more: Washing = {},
    values: Reason['values'] = {},
  ) => see({ run: { byMs: null, doneMs }, reasons: [{ code, values }], ...more })?.reason;
  t.equal(why('OWN_SOLAR', null), 'Waits until your own solar power carries it.');
  t.equal(why('DEADLINE_RUN', 0, {}, { byMs: NOON + HOUR }), 'Runs now so that it is ready by 18:20.');
  t.equal(why('PROGRAM_RUNS', 0), 'It was given power to begin.');
  const left = { leftMs: 50 * MINUTE };
  t.match(why('PROGRAM_RUNS', HOUR, {}, left), /^Its program has begun and runs for 50 more minutes/);
  t.equal(why('PROGRAM_RUNS', 110 * MINUTE, { power_W: 90 }), 'It keeps its power until then.');
  t.match(why('GRID_LIMIT', HOUR, { setPoint_W: 0 }), /limits the house/);
});

test('power for setting it: that, until when, and no run', async (t) => {
  const untilMs = NOON + 15 * MINUTE;
  const set = (washing: Washing, setPoint_W = 2000) =>
    see({
      override: { kind: 'now', untilMs },
      reasons: [{ code: 'OWNER_NOW', values: { untilMs } }],
      ...washing,
      more: { setPoint_W },
    });
  const words = 'You asked for power to set it until 17:35.';
  t.match(set({ power_W: 4 }), {
    ...{
      stateWords: 'Has power',
      reason: words,
      overrideSentence: words,
      planned: [],
      program: { run: null },
    },
  });
  t.match(set({ power_W: 900 }), { stateWords: 'On' }, 'started at its panel');
  t.match(set({ power_W: 0 }, 0), { stateWords: 'Off' }, 'held off by a limit');
  t.match(
    see({ override: { kind: 'now', untilMs: null } })?.overrideSentence,
    /^You asked for it to run now\.$/,
  );
});

test('a run is one appointment under the price, pauses and all', async (t) => {
  const lane = (washing: Washing) =>
    pricesSchema.parse(pricesOf(withProgram(bare, washing))).planned.find(({ id }) => id === 'washer')?.slots;
  const run = { byMs: NOON + 5 * HOUR, doneMs: null };
  const planned = [slot(20, 40, 2000), slot(40, 100, 80), slot(120, 130, 480)];
  t.match(lane({ run, planned }), [{ ...slot(20, 130, 0), power_W: null, action: 'run' }]);
  t.match(lane({ run: { ...run, doneMs: HOUR } }), [{ ...slot(0, 50, 0), power_W: null, action: 'run' }]);
  t.equal(lane({ planned }), undefined, 'nobody asks for it any more');
  t.same(see({ planned })?.planned, []);
  t.equal(lane({ run }), undefined, 'of no known time nothing is drawn');
  t.equal(
    lane({ run: { ...run, doneMs: HOUR }, setPoint_W: 0, planned }),
    undefined,
    'nor while it is held up',
  );
});

test('what may be asked of it', async (t) => {
  const { call, setUp, home: served } = await start(t);
  const owner = await setUp();
  const post = async (payload: object, id = 'washer') => {
    const { status, body } = await call('POST', `/devices/${id}/override`, { ...owner, payload });
    return [status, body.code ?? null, body.message ?? null];
  };
  let washing: Washing = {};
  served.dress = (snapshot) => withProgram(snapshot, washing);
  for (const byMs of [NOON, NOON - HOUR, NOON + LIMITS.overrideAheadMs + 1])
    t.same(await post({ kind: 'runBy', byMs }), [
      ...[400, 'FORM_INVALID', 'the time must lie ahead, by at most 7 days'],
    ]);
  for (const bad of [
    { kind: 'runBy' },
    { kind: 'runBy', byMs: null },
    { kind: 'runBy', byMs: NOON + HOUR, x: 1 },
  ])
    t.match(await post(bad), [400, 'FORM_INVALID']);
  t.match(await post({ kind: 'runBy', byMs: NOON + HOUR }, 'boiler'), [
    ...[422, 'INSTRUCTION_REJECTED', /no program/],
  ]);
  t.match(await post({ kind: 'runBy', byMs: NOON + HOUR }, 'toaster'), [404, 'NOT_FOUND']);
  t.match(await post({ kind: 'notBefore', atMs: NOON + HOUR }), [
    ...[422, 'INSTRUCTION_REJECTED', /say by when/],
  ]);
  t.match(await post({ kind: 'now', untilMs: NOON + HOUR + 1 }), [
    ...[422, 'INSTRUCTION_REJECTED', 'it has power for setting its program for an hour at most'],
  ]);
  t.equal(served.overrides.size, 0, 'nothing of it was taken');

  t.equal((await post({ kind: 'runBy', byMs: NOON + MINUTE }))[0], 204, 'too late to be met, and taken');
  t.strictSame(served.overrides.get('washer'), { kind: 'runBy', byMs: NOON + MINUTE });
  t.equal((await post({ kind: 'now', untilMs: null }))[0], 204);
  t.equal((await post({ kind: 'now', untilMs: NOON + HOUR }))[0], 204);
  t.strictSame(served.overrides.get('washer'), { kind: 'now', untilMs: NOON + HOUR });
  washing = { run: { byMs: null, doneMs: 5 * MINUTE } };
  for (const form of [
    { kind: 'now', untilMs: null },
    { kind: 'now', untilMs: NOON + 15 * MINUTE },
    { kind: 'runBy', byMs: NOON + HOUR },
  ])
    t.match(await post(form), [422, 'INSTRUCTION_REJECTED', 'its program has begun and runs to its end']);
  t.equal((await post({ kind: 'off' }))[0], 204, 'stopping it is up to its owner');
  t.strictSame(served.overrides.get('washer'), { kind: 'off' });
});

test('what became of it, in the journal', async (t) => {
  const { call, setUp, home: served } = await start(t);
  const owner = await setUp();
  served.dress = (snapshot) => withProgram(snapshot);
  const say = async (
    subject: string,
    detail: object,
    kind: 'override' | 'decision' = 'override',
    code = 'X',
  ) => {
    served.journal.record({ atMs: NOON, kind, subject, code, detail: { ...detail } });
    return (await call('GET', '/journal?limit=1', owner)).body.entries[0].sentence;
  };
  const runBy = { kind: 'runBy', byMs: NOON + HOUR };
  t.equal(await say('washer', runBy), 'Washing machine: you asked for one run, done by 18:20.');
  const over = { kind: 'automatic', isOver: true };
  t.equal(await say('washer', over), 'Washing machine: the run that you asked for is over.');
  t.equal(await say('washer', { kind: 'automatic' }), 'Washing machine: you set it back to automatic.');
  const set = { kind: 'now', untilMs: NOON + 15 * MINUTE };
  t.equal(await say('washer', set), 'Washing machine: you asked for power to set it until 17:35.');
  t.equal(await say('boiler', set), 'Hot water: you asked for it to run now until 17:35.');
  t.equal(
    await say('washer', { kind: 'now', untilMs: null }),
    'Washing machine: you asked for it to run now.',
  );
  t.equal(
    await say('washer', { ...over, setting: 'over' }),
    'Washing machine: the time with power for setting it is over.',
  );
  t.match(
    await say('washer', { ...over, setting: 'begun' }),
    /: it was started while it had power .* runs to its end\.$/,
  );
  const reasons = [{ code: 'OWNER_NOW', values: { untilMs: set.untilMs } }];
  t.match(
    await say('washer', { setPoint_W: 2000, reasons }, 'decision', 'OWNER_NOW'),
    /set to 2 kW: You asked for power to set it until 17:35\.$/,
  );
  t.equal(
    await say('washer', { setPoint_W: 0 }, 'decision', 'NO_NEED'),
    'Washing machine set to 0 W: You have not asked for a run.',
  );
  t.match(await say('boiler', over), /^Hot water: what you asked for is over/);
});
