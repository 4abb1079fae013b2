/** The run of a program that its owner asked for: what is asked, what is done, and what is left of it after a restart. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { fault } from '../../firmware/domain/errors.ts';
import type { Flexibility, Program } from '../../firmware/domain/flexibility.ts';
import type { Override, Site } from '../../firmware/domain/image.ts';
import type { Settings } from '../../firmware/domain/storage.ts';
import type { Quality } from '../../firmware/domain/telegram.ts';
import { DeviceSeat } from '../../firmware/gateway/device-seat.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { openStore } from '../../firmware/store/index.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 5, 1);
const PROGRAM: Program = {
  steps: [
    { forMs: 4 * MINUTE, power_W: 2000 },
    { forMs: 2 * MINUTE, power_W: 0 },
    { forMs: 4 * MINUTE, power_W: 2000 },
  ],
};
const FLEXIBILITY = {
  controlType: 'POWER_PROFILE_BASED_CONTROL',
  program: PROGRAM,
  ranges: [0, 2000].map((x) => ({ min_W: x, max_W: x })),
} as unknown as Flexibility;
const BY: Override = { kind: 'runBy', byMs: START + 60 * MINUTE };
const LATER: Override = { kind: 'runBy', byMs: START + 90 * MINUTE };
const NOW: Override = { kind: 'now', untilMs: null };
const AUTOMATIC: Override = { kind: 'automatic' };

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-run-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

function inMemory(): Settings {
  const kept = new Map<string, string>();
  return {
    get: (key) => kept.get(key) ?? null,
    set: (key, value) => void kept.set(key, value),
    remove: (key) => void kept.delete(key),
  };
}

/** A plug that does what it is told, and a gateway on it. */
function seatOn(time: SimulatedClock, settings: Settings, override: Override, flexibility = FLEXIBILITY) {
  const resource = { id: 'd', open: () => {}, instruct: () => {}, close: async () => {} };
  const site = { timeZone: 'Europe/Berlin' } as Site;
  const seat = new DeviceSeat(
    resource,
    { priority: 1, mode: 'cheap', deadline: null },
    { clock: time, site, settings },
    override,
  );
  seat.flexibility = flexibility;
  seat.setHealth('ok');
  const codes: string[] = [];
  const cycle = (): boolean => {
    const news = seat.account();
    if (news) codes.push(news.code);
    return seat.endOverride() !== null;
  };
  let id = 0;
  const tell = (setPoint_W: number, failed = false): void => {
    const instruction = { id: ++id, resource: 'd', setPoint_W, issuedMs: 0, abnormal: false, reasons: [] };
    seat.instruct(instruction);
    if (failed) seat.report(instruction, 'ABORTED', fault('TIMEOUT'));
    else seat.report(instruction, 'SUCCEEDED', null);
    cycle();
  };
  const measure = (value: number | null, quality: Quality = 'good'): void => {
    const point = { source: 'd', quantity: 'activePower', phase: 0, tariff: 0, channel: 0 } as const;
    const at = { meterTimeMs: null, receivedMs: time.wallMs(), receivedElapsedMs: time.elapsedMs() };
    seat.take([{ point, value, quality, ...at }]);
  };
  /** In cycles of a second; `draw_W` undefined: it does not measure. */
  const pass = async (ms: number, draw_W?: number): Promise<boolean> => {
    const end = time.elapsedMs() + ms;
    let isOver = false;
    while (time.elapsedMs() < end) {
      await time.advanceTo(Math.min(end, time.elapsedMs() + 1000));
      if (draw_W !== undefined) measure(draw_W);
      isOver = cycle() || isOver;
    }
    return isOver;
  };
  const run = () => seat.image(time.wallMs(), time.elapsedMs())?.run;
  cycle();
  return { seat, cycle, tell, measure, pass, run, codes };
}

const begin = (override: Override, flexibility?: Flexibility) => {
  const time = new SimulatedClock(START);
  const settings = inMemory();
  return { time, settings, ...seatOn(time, settings, override, flexibility) };
};

test('wishes: what asks for a run, what takes it back, and what no longer changes it', async (t) => {
  const it = begin(AUTOMATIC);
  t.equal(it.run(), undefined);
  const wish = (override: Override) => {
    it.seat.override = override;
    it.cycle();
    return it.run();
  };
  t.match(wish(BY), { byMs: START + 60 * MINUTE, doneMs: null });
  t.match(wish(LATER), { byMs: START + 90 * MINUTE, doneMs: null });
  t.equal(wish(AUTOMATIC), undefined, 'taken back');
  t.match(wish(NOW), { byMs: null, doneMs: null });
  t.equal(wish({ kind: 'notBefore', atMs: START + MINUTE }), undefined);
  t.match(wish(BY), { doneMs: null });
  it.tell(2000);
  await it.pass(MINUTE);
  for (const other of [LATER, NOW, AUTOMATIC, { kind: 'notBefore', atMs: START + 99 * MINUTE } as const])
    t.match(wish(other), { byMs: START + 60 * MINUTE, doneMs: MINUTE }, other.kind);
  t.equal(wish({ kind: 'off' }), undefined, 'stopped');
  t.match(wish(BY), { doneMs: null }, 'and anew');
});

test('it counts while it surely has power, and ends with its length where nothing is measured', async (t) => {
  const it = begin(BY);
  await it.pass(MINUTE);
  t.equal(it.run()?.doneMs, null, 'it waits');
  it.tell(2000, true);
  await it.pass(MINUTE);
  t.equal(it.run()?.doneMs, 0, 'begun, as far as anybody knows, and nothing done');
  it.tell(2000);
  it.measure(2000, 'estimated');
  await it.pass(3 * MINUTE);
  t.equal(it.run()?.doneMs, 3 * MINUTE);
  it.seat.setHealth('silent');
  await it.pass(5 * MINUTE);
  it.seat.setHealth('ok');
  await it.pass(MINUTE);
  t.equal(it.run()?.doneMs, 3 * MINUTE, 'until it was told again');
  it.tell(2000);
  await it.pass(MINUTE);
  it.tell(0);
  await it.pass(7 * MINUTE);
  t.equal(it.run()?.doneMs, 4 * MINUTE, 'a pause');
  await it.time.advanceTo(it.time.elapsedMs() + 5 * MINUTE);
  it.tell(2000);
  t.equal(it.run()?.doneMs, 4 * MINUTE, 'whatever was between two cycles');
  t.equal(await it.pass(5 * MINUTE), false);
  t.equal(await it.pass(MINUTE + 1000), true);
  t.same([it.run(), it.seat.override, it.codes], [undefined, AUTOMATIC, []]);
});

test('what it draws says when it is done', async (t) => {
  const late = begin(NOW);
  late.tell(2000);
  t.equal(await late.pass(14 * MINUTE, 1500), false, 'longer, as long as it draws');
  t.equal(late.run()?.doneMs, 10 * MINUTE, 'never more than all of it');
  t.equal(await late.pass(2 * MINUTE, 1500), true, 'to a bound');
  t.same(late.codes, ['PROGRAM_OVERRUN']);

  const quiet = begin(NOW);
  quiet.tell(2000);
  await quiet.pass(10 * MINUTE, 1500);
  t.equal(await quiet.pass(4 * MINUTE, 3), false, 'it may only pause');
  t.equal(await quiet.pass(2 * MINUTE, 3), true);
  t.same(quiet.codes, []);

  const none = begin(NOW);
  none.tell(2000);
  await none.pass(4 * MINUTE, 2);
  t.same(none.codes, []);
  await none.pass(30 * MINUTE, 2);
  t.same([none.codes, none.run()?.doneMs], [['PROGRAM_NOT_STARTED'], 0]);
  t.equal(await none.pass(10 * MINUTE, 2000), false, 'it counts from when it draws');
  t.equal(none.run()?.doneMs, 10 * MINUTE);
});

test('most of it done and then nothing drawn: it has ended early, unless a restart makes that a guess', async (t) => {
  const long: Flexibility = { ...FLEXIBILITY, program: { steps: [{ forMs: 60 * MINUTE, power_W: 900 }] } };
  const sure = begin(NOW, long);
  sure.tell(2000);
  await sure.pass(49 * MINUTE, 900);
  t.equal(await sure.pass(4 * MINUTE, 1), false);
  t.equal(await sure.pass(MINUTE, 1), true);
  t.same(sure.codes, []);

  const guess = begin(NOW, long);
  guess.tell(2000);
  await guess.pass(40 * MINUTE, 900);
  guess.seat.save();
  const resumed = seatOn(guess.time, guess.settings, NOW, long);
  resumed.tell(2000);
  await resumed.pass(9 * MINUTE, 900);
  t.equal(await resumed.pass(10 * MINUTE, 1), false, 'it may be further than anybody knows');
  t.equal(await resumed.pass(2 * MINUTE, 1), true);
});

test('what stops in the middle is said to, goes on when it draws again, and has power for an hour', async (t) => {
  const long: Flexibility = { ...FLEXIBILITY, program: { steps: [{ forMs: 60 * MINUTE, power_W: 900 }] } };
  const opened = begin(NOW, long);
  opened.tell(2000);
  await opened.pass(10 * MINUTE, 900);
  await opened.pass(4 * MINUTE, 1);
  t.same(opened.codes, [], 'it may only pause');
  await opened.pass(20 * MINUTE, 1);
  t.same(opened.codes, ['PROGRAM_STOPPED']);
  const doneMs = opened.run()?.doneMs ?? 0;
  t.ok(doneMs <= 15 * MINUTE, `${doneMs / MINUTE} minutes: the rest does not count`);
  await opened.pass(5 * MINUTE, 900);
  t.equal(opened.run()?.doneMs, doneMs + 5 * MINUTE, 'closed again');
  t.equal(await opened.pass(60 * MINUTE, 1), false);
  t.same(opened.codes, ['PROGRAM_STOPPED', 'PROGRAM_STOPPED'], 'opened again');
  t.equal(await opened.pass(6 * MINUTE, 1), true, 'nobody came for an hour');

  const cut = begin(NOW, long);
  cut.tell(2000);
  await cut.pass(15 * MINUTE, 900);
  cut.tell(0);
  await cut.pass(30 * MINUTE, 0);
  cut.tell(2000);
  await cut.pass(10 * MINUTE, 0);
  t.same(cut.codes, ['PROGRAM_STOPPED'], 'it does not go on after an interruption');
});

test('what was under way long ago is not begun again unasked', async (t) => {
  for (const [wish, hours, goesOn] of [
    [NOW, 2, true],
    [NOW, 30, false],
    [BY, 2, true],
    [BY, 30, false],
    [{ kind: 'runBy', byMs: START + 48 * 60 * MINUTE } as const, 30, true],
  ] as const) {
    const it = begin(wish);
    if (wish === NOW) it.tell(2000);
    await it.pass(2 * MINUTE);
    it.seat.save();
    const later = seatOn(new SimulatedClock(START + hours * 60 * MINUTE), it.settings, wish);
    t.equal(later.run() !== undefined, goesOn, `${wish.kind}, ${hours} h away`);
    // A board without a battery has no idea.
    t.ok(seatOn(new SimulatedClock(0), it.settings, wish).run() !== undefined || !goesOn);
  }
});

test('what never begins has power for an hour', async (t) => {
  const it = begin(NOW);
  it.tell(2000);
  t.equal(await it.pass(59 * MINUTE, 0), false);
  t.equal(await it.pass(2 * MINUTE, 0), true);
  t.same([it.codes, it.seat.override.kind], [['PROGRAM_NOT_STARTED'], 'automatic']);
});

test('an hour that passes ends a "now", not what runs; what has no program takes no such wish', async (t) => {
  const it = begin(NOW);
  it.tell(2000);
  it.seat.override = { kind: 'now', untilMs: START + 2 * MINUTE };
  t.equal(await it.pass(3 * MINUTE), true);
  t.match([it.run()?.doneMs, it.seat.override], [3 * MINUTE, AUTOMATIC]);
  const { program: _, ...plain } = FLEXIBILITY;
  const boiler = begin(BY, plain);
  t.same([boiler.run(), boiler.seat.override], [undefined, AUTOMATIC]);
  const late = begin({ kind: 'runBy', byMs: START - 60 * MINUTE });
  await late.pass(5 * MINUTE);
  t.match([late.run()?.doneMs, late.seat.override.kind], [null, 'runBy'], 'late, and not forgotten');
});

const SET: Override = { kind: 'now', untilMs: START + 15 * MINUTE };

test('power for setting it is no run, and ends with its time where nothing was started', async (t) => {
  for (const draw_W of [undefined, 0, 8, 900]) {
    const it = begin(SET);
    t.equal(it.run(), undefined);
    it.tell(2000);
    if (draw_W === 900) await it.pass(MINUTE / 2, draw_W);
    t.equal(await it.pass(14 * MINUTE, draw_W === 900 ? 0 : draw_W), false, `${draw_W} W`);
    t.equal(await it.pass(MINUTE + 1000, draw_W === undefined ? undefined : 0), true);
    t.same([it.run(), it.seat.override, it.codes], [undefined, AUTOMATIC, []]);
  }
});

test('started at its panel meanwhile, it is a run that has begun then, and is not cut off', async (t) => {
  const it = begin(SET);
  it.tell(2000);
  await it.pass(9 * MINUTE, 4);
  t.equal(await it.pass(5 * MINUTE, 2000), false);
  t.equal(it.run(), undefined, 'until its time is over');
  t.equal(await it.pass(2 * MINUTE, 0), true, 'also in a pause of it');
  t.match([it.run(), it.seat.override], [{ byMs: null, doneMs: 7 * MINUTE - 1000 }, AUTOMATIC]);
  t.equal(await it.pass(2 * MINUTE, 2000), false);
  t.equal(await it.pass(9 * MINUTE, 0), false);
  t.same([it.run(), it.codes], [undefined, []], 'it has ended like any other');

  const late = begin(SET);
  late.tell(2000);
  await late.pass(15 * MINUTE - 2000, 3);
  t.equal(await late.pass(2000, 2000), true);
  t.match(late.run(), { doneMs: 1000 }, 'pressed in the last moment');

  const held = begin(SET);
  held.tell(2000);
  await held.pass(8 * MINUTE, 2000);
  held.tell(0);
  t.equal(await held.pass(8 * MINUTE, 0), true, 'interrupted by a limit just then');
  t.match(held.run(), { doneMs: 8 * MINUTE - 1000 }, 'while it had power');

  const done = begin(SET);
  done.tell(2000);
  await done.pass(2 * MINUTE, 2000);
  t.equal(await done.pass(13 * MINUTE, 2), true);
  t.equal(done.run(), undefined, 'a short rinse that was done long ago');
});

test('power for setting it over a restart: it is heard before it is cut off, and has an hour at most', async (t) => {
  const it = begin(SET);
  it.tell(2000);
  await it.pass(10 * MINUTE, 2000);
  await it.time.advanceTo(it.time.elapsedMs() + 20 * MINUTE);
  const again = seatOn(it.time, it.settings, SET);
  t.equal(await again.pass(5000), false);
  again.tell(2000);
  t.equal(await again.pass(1000, 2000), true);
  t.match([again.run()?.byMs, again.seat.override], [null, AUTOMATIC]);
  const third = seatOn(it.time, it.settings, SET);
  t.match(
    [third.run()?.byMs, third.seat.override],
    [null, AUTOMATIC],
    'what was not kept is ended once more',
  );

  const paused = begin(SET);
  paused.tell(2000);
  await paused.pass(3 * MINUTE, 2000);
  const resumed = seatOn(paused.time, paused.settings, SET);
  resumed.tell(2000);
  t.equal(await resumed.pass(7 * MINUTE, 0), false);
  t.equal(await resumed.pass(5 * MINUTE, 2000), true);
  t.ok(
    (resumed.run()?.doneMs ?? 0) > 10 * MINUTE - 3 * MINUTE,
    'a pause after the restart, and what was before it',
  );
  for (const text of ['', 'x', '-1', '1e99', '{}', 'null']) {
    const settings = inMemory();
    settings.set('program-setting.d', text);
    const it = seatOn(new SimulatedClock(START), settings, SET);
    it.tell(2000);
    t.equal(await it.pass(15 * MINUTE, 0), true);
    t.equal(it.run(), undefined, `garbage: ${text}`);
  }

  const mute = begin({ kind: 'now', untilMs: START - MINUTE });
  t.equal(await mute.pass(29_000), false);
  t.equal(await mute.pass(2000), true);
  t.equal(mute.run(), undefined);

  const settings = inMemory();
  const years = new SimulatedClock(60_000);
  const unset = seatOn(years, settings, SET);
  t.equal(await unset.pass(59 * MINUTE), false);
  t.equal(await unset.pass(2 * MINUTE), true, 'without a clock, too');
});

test('power for setting it gives way to what is asked then; what has power begins without a command', async (t) => {
  const it = begin(SET);
  it.tell(2000);
  await it.pass(MINUTE, 5);
  it.seat.override = BY;
  it.cycle();
  t.match(it.run(), { byMs: START + 60 * MINUTE, doneMs: null }, 'it waits');
  it.seat.decided(0);
  t.equal(it.run()?.doneMs, null);
  it.seat.decided(2000);
  t.equal(it.run()?.doneMs, 0, 'it starts');

  const off = begin(NOW);
  off.seat.decided(2000);
  t.equal(off.run()?.doneMs, null, 'what is off begins with its command');
  off.seat.override = SET;
  off.cycle();
  t.equal(off.run(), undefined, 'and what has not begun may be set instead');
});

test('what is over is not begun again by a wish that outlived it on disk; the same wish made anew is', async (t) => {
  const it = begin(BY);
  it.tell(2000);
  for (let s = 0; s < 11 * 60; s++) {
    await it.time.advanceTo(it.time.elapsedMs() + 1000);
    it.seat.account();
  }
  t.equal(it.run(), undefined);
  const again = seatOn(it.time, it.settings, { ...BY });
  t.equal(again.run(), undefined);
  t.equal(again.seat.override.kind, 'automatic');
  again.seat.override = { ...BY };
  again.cycle();
  t.match(again.run(), { doneMs: null });
});

test('garbage in the settings is no run', async (t) => {
  for (const text of ['', '{', 'null', '[]', '{"wish":7}', '{"wish":"x","doneMs":"1"}', '"\\u0000"']) {
    const settings = inMemory();
    settings.set('program.d', text);
    const it = seatOn(new SimulatedClock(START), settings, BY);
    t.match(it.run(), { byMs: START + 60 * MINUTE, doneMs: null }, text);
  }
});

test('on disk: killed at every fifth second of it, it runs once and its wish is over once', async (t) => {
  const timeZone = 'Europe/Berlin';
  for (let killS = 0; killS < 13 * 60; killS += 5) {
    const time = new SimulatedClock(START);
    const file = path.join(dir, `${killS}.sqlite`);
    const open = () => openStore(file, { clock: time, timeZone, syncs: false });
    let store = open();
    let override: Override = BY;
    store.overrides.save('d', override);
    let it = seatOn(time, store.settings, override);
    const step = async (): Promise<void> => {
      await time.advanceTo(time.elapsedMs() + 1000);
      if (it.cycle()) store.overrides.save('d', it.seat.override);
      override = it.seat.override;
    };
    it.tell(2000);
    for (let s = 0; s < killS; s++) await step();
    await time.advanceTo(time.elapsedMs() + 1);
    const before = it.run();
    // Nothing is closed in order: what is not on disk is gone.
    store = open();
    it = seatOn(time, store.settings, store.overrides.load().get('d') ?? AUTOMATIC);
    const after = it.run();
    t.equal(after === undefined, before === undefined, `${killS} s: as it was`);
    const lostMs = (before?.doneMs ?? 0) - (after?.doneMs ?? 0);
    t.ok(lostMs >= 0 && lostMs <= 5 * MINUTE + 1000, `${killS} s: ${lostMs} ms are lost`);
    if (after) {
      t.not(after.doneMs, null, 'it has begun');
      it.tell(2000);
    }
    for (let s = 0; s < 11 * 60; s++) await step();
    t.same([it.run(), override.kind], [undefined, 'automatic'], `${killS} s: it has ended`);
  }
});
