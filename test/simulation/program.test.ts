/** A dishwasher with a program in a home without a plan: the whole gateway on simulated time, killed and started again. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import type { Step } from '../twins/appliance.ts';
import { limitFor, type SimulatedHome, simulatedHome } from './home.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const EVENING = Date.UTC(2026, 0, 15, 20);
/** A quarter of an hour before the cheapest of the night. */
const NIGHT = Date.UTC(2026, 0, 16, 2, 45);
const PROGRAM: readonly Step[] = [
  { minutes: 10, power_W: 2000 },
  { minutes: 6, power_W: 0 },
  { minutes: 6, power_W: 2000 },
  { minutes: 3, power_W: 0 },
];
const SHORT: readonly Step[] = [
  { minutes: 4, power_W: 2000 },
  { minutes: 3, power_W: 0 },
  { minutes: 3, power_W: 2000 },
  { minutes: 1, power_W: 0 },
];
const dir = mkdtempSync(path.join(tmpdir(), 'hearth-program-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

let homes = 0;
function begin(startMs: number, options: Parameters<typeof simulatedHome>[3] = {}): SimulatedHome {
  const dishwasher = { mode: 'cheap' as const, program: PROGRAM };
  const file = path.join(dir, `${++homes}.sqlite`);
  return simulatedHome(7, startMs, file, { dishwasher, ...options });
}
const after = (home: SimulatedHome, ms: number): Promise<void> =>
  home.clock.advanceTo(home.clock.elapsedMs() + ms);
const seen = (home: SimulatedHome) => {
  const { image, decision } = home.house().gateway.snapshot();
  const device = image.devices.find((d) => d.id === 'dishwasher');
  const reason = decision?.devices.find((d) => d.resource === 'dishwasher')?.reasons[0];
  return { run: device?.run, override: device?.override.kind, reason: reason?.code, values: reason?.values };
};
const runBy = (home: SimulatedHome, byMs: number): boolean =>
  home.house().gateway.setOverride('dishwasher', { kind: 'runBy', byMs });
const twinOf = ({ dishwasher }: SimulatedHome) => {
  if (!dishwasher) throw new Error('no dishwasher');
  return dishwasher;
};
const tally = (home: SimulatedHome): readonly number[] => {
  const { begun, finished, interrupted } = twinOf(home);
  return [begun, finished, interrupted];
};
const journalled = (home: SimulatedHome): string[] =>
  home
    .storage()
    .journal.read({ limit: 500, subject: 'dishwasher' })
    .filter(({ kind }) => kind === 'fault' || kind === 'override')
    .map(({ code }) => code)
    .reverse();

test('asked for by the morning: off until the cheap hours, then once, then off', async (t) => {
  const home = begin(NIGHT);
  await after(home, 5 * MINUTE);
  t.same(tally(home), [0, 0, 0], 'without a wish it has no power');
  t.equal(seen(home).reason, 'NO_NEED');
  t.ok(runBy(home, NIGHT + 8 * HOUR));
  await after(home, 2 * MINUTE);
  const fromMs = Number(seen(home).values?.fromMs);
  t.equal(seen(home).reason, 'PRICE_WAIT');
  t.equal(new Date(fromMs).toISOString(), '2026-01-16T03:00:00.000Z');
  await home.clock.advanceTo(fromMs - NIGHT - MINUTE);
  t.same(tally(home), [0, 0, 0]);
  await after(home, 5 * MINUTE);
  t.same(tally(home), [1, 0, 0]);
  t.equal(seen(home).reason, 'PROGRAM_RUNS');
  t.ok((seen(home).run?.doneMs ?? 0) > 2 * MINUTE);
  home.house().gateway.setOverride('dishwasher', { kind: 'automatic' });
  await after(home, 22 * MINUTE);
  t.same(tally(home), [1, 1, 0], 'another wish did not stop it');
  await after(home, 20 * MINUTE);
  t.match(seen(home), { override: 'automatic', reason: 'NO_NEED' });
  t.notOk(seen(home).run);
  t.equal(twinOf(home).twin.registers.coils.get(0), 0, 'no power');
  t.same(tally(home), [1, 1, 0], 'once');
  await home.stop();
});

test('with a planner: it waits for the plan, begins by it, and no later plan or restart stops it', async (t) => {
  const home = begin(NIGHT, { planned: true });
  await after(home, 5 * MINUTE);
  runBy(home, NIGHT + 3 * HOUR);
  await after(home, 2 * MINUTE);
  t.match(seen(home), { reason: 'PLANNED', values: { mode: 'off' } });
  home.kill();
  await after(home, 5 * MINUTE);
  t.match(seen(home), { reason: 'PLANNED', values: { mode: 'off' } }, 'nor begins right after a start');
  for (let m = 0; m < 120 && tally(home)[0] === 0; m++) await after(home, MINUTE);
  t.equal(new Date(NIGHT + home.clock.elapsedMs()).getUTCHours(), 3, 'in the cheapest hour');
  t.equal(seen(home).reason, 'PROGRAM_RUNS');
  await after(home, 7 * MINUTE);
  home.kill();
  await after(home, 40 * MINUTE);
  t.same([tally(home), seen(home).override, seen(home).reason], [[1, 1, 0], 'automatic', 'NO_NEED']);
  await home.stop();
});

test('two hours of a limit of 0 in the middle: it pauses and goes on', async (t) => {
  const home = begin(EVENING);
  await after(home, 2 * MINUTE);
  home.house().gateway.setOverride('dishwasher', { kind: 'now', untilMs: null });
  await after(home, 12 * MINUTE);
  t.ok((seen(home).run?.doneMs ?? 0) > 11 * MINUTE);
  limitFor(home, 'limit', 120, 0);
  await after(home, MINUTE);
  t.equal(seen(home).reason, 'GRID_LIMIT');
  t.same(tally(home), [1, 0, 1], 'by the limit');
  const paused = seen(home).run?.doneMs ?? 0;
  home.kill();
  await after(home, 117 * MINUTE);
  t.equal(seen(home).run?.doneMs, paused, 'nothing is done meanwhile, over a restart too');
  t.equal(seen(home).override, 'now');
  await after(home, 6 * MINUTE);
  t.equal(seen(home).reason, 'PROGRAM_RUNS');
  t.ok((seen(home).run?.doneMs ?? 0) > paused);
  await after(home, 20 * MINUTE);
  t.same(tally(home), [1, 1, 1]);
  t.match(seen(home), { override: 'automatic', reason: 'NO_NEED' });
  await home.stop();
});

test('no price: at once', async (t) => {
  const home = begin(EVENING, { priced: false });
  await after(home, 2 * MINUTE);
  runBy(home, EVENING + 12 * HOUR);
  await after(home, 2 * MINUTE);
  t.same([tally(home), seen(home).reason], [[1, 0, 0], 'PROGRAM_RUNS']);
  home.house().gateway.setOverride('dishwasher', { kind: 'off' });
  await after(home, MINUTE);
  t.same(tally(home), [1, 0, 1], 'its owner stops it');
  t.notOk(seen(home).run);
  await home.stop();
});

test('no clock after a start in 1970: the wish is kept, waits a little, and then does not wait', async (t) => {
  const home = begin(NIGHT);
  await after(home, 2 * MINUTE);
  const byMs = NIGHT + 8 * HOUR;
  runBy(home, byMs);
  await after(home, 2 * MINUTE);
  t.equal(seen(home).reason, 'PRICE_WAIT');
  home.clock.jumpWall(60_000 - home.clock.wallMs());
  home.kill();
  await after(home, 2 * MINUTE);
  t.same([seen(home).run?.byMs, seen(home).reason], [byMs, 'NO_CLOCK']);
  t.same(tally(home), [0, 0, 0]);
  await after(home, 5 * MINUTE);
  t.same([tally(home), seen(home).reason], [[1, 0, 0], 'PROGRAM_RUNS']);
  home.kill();
  await after(home, 15 * MINUTE);
  t.same([tally(home), seen(home).reason], [[1, 0, 0], 'PROGRAM_RUNS'], 'under way, and restarted in 1970');
  home.clock.jumpWall(NIGHT + 20 * HOUR - home.clock.wallMs());
  await after(home, 22 * MINUTE);
  t.same(tally(home), [1, 1, 0], 'a clock that is set to after the hour ends nothing');
  t.match(seen(home), { override: 'automatic' });
  await home.stop();
});

test('its door is open: its owner is told once, over a restart too; it counts from when it is shut', async (t) => {
  const home = begin(EVENING);
  await after(home, 2 * MINUTE);
  twinOf(home).isOpen = true;
  home.house().gateway.setOverride('dishwasher', { kind: 'now', untilMs: null });
  await after(home, 8 * MINUTE);
  home.kill();
  await after(home, 8 * MINUTE);
  t.same(seen(home).run?.doneMs, 0);
  twinOf(home).isOpen = false;
  await after(home, 5 * MINUTE);
  const doneMs = seen(home).run?.doneMs ?? 0;
  t.ok(doneMs > 4 * MINUTE && doneMs < 6 * MINUTE, `${doneMs}`);
  t.same(
    journalled(home).filter((code) => code.startsWith('PROGRAM')),
    ['PROGRAM_NOT_STARTED'],
  );
  await home.stop();
});

test('power for setting it: started at its panel it runs on, over restarts; asked for, it goes and comes back', async (t) => {
  const home = begin(NIGHT - 30 * MINUTE);
  await after(home, 2 * MINUTE);
  const twin = twinOf(home);
  twin.isOpen = true;
  const power = (): number | undefined => twin.twin.registers.coils.get(0);
  const set = (minutes = 15): boolean =>
    home
      .house()
      .gateway.setOverride('dishwasher', { kind: 'now', untilMs: home.clock.wallMs() + minutes * MINUTE });
  set();
  await after(home, 5 * MINUTE);
  t.match([power(), seen(home).reason, seen(home).run], [1, 'OWNER_NOW', undefined]);
  home.kill();
  await after(home, 5 * MINUTE);
  t.match([power(), seen(home).override, seen(home).run], [1, 'now', undefined], 'kept over a restart');
  await after(home, 6 * MINUTE);
  t.match(
    [power(), seen(home).override, seen(home).reason],
    [0, 'automatic', 'NO_NEED'],
    'nothing was started',
  );

  set();
  await after(home, 2 * MINUTE);
  twin.isOpen = false;
  await after(home, 3 * MINUTE);
  t.same(tally(home), [1, 0, 0], 'somebody pressed start');
  runBy(home, NIGHT + 8 * HOUR);
  await after(home, 5000);
  t.same([power(), seen(home).run?.doneMs], [0, null], 'and asked for it by a time: it waits');
  await home.clock.advanceTo(46 * MINUTE);
  t.same([power(), seen(home).reason], [1, 'PROGRAM_RUNS'], 'until the cheap hours');
  await home.clock.advanceTo(90 * MINUTE);
  t.same(tally(home), [1, 1, 1], 'it went on where it was');
  t.equal(seen(home).override, 'automatic');

  set();
  await after(home, 11 * MINUTE);
  t.same(tally(home).slice(0, 2), [2, 1]);
  home.kill();
  await after(home, 7 * MINUTE);
  t.match(seen(home), { override: 'automatic', reason: 'PROGRAM_RUNS', run: { byMs: null } });
  home.kill();
  await after(home, 25 * MINUTE);
  t.same([tally(home), power()], [[2, 2, 1], 0], 'to its end, and then off');
  t.match(seen(home), { override: 'automatic', reason: 'NO_NEED' });
  await home.stop();
});

test('without end: it is switched off after half as long again, and its owner is told', async (t) => {
  const program = [{ minutes: 11, power_W: 1500 }];
  const home = begin(EVENING, { dishwasher: { mode: 'cheap', program } });
  await after(home, 2 * MINUTE);
  twinOf(home).lengthFactor = 4;
  home.house().gateway.setOverride('dishwasher', { kind: 'now', untilMs: null });
  await after(home, 16 * MINUTE);
  t.same(tally(home), [1, 0, 0]);
  await after(home, 2 * MINUTE);
  t.same(tally(home), [1, 0, 1]);
  t.same(
    journalled(home).filter((code) => code.startsWith('PROGRAM')),
    ['PROGRAM_OVERRUN'],
  );
  t.match(seen(home), { override: 'automatic', reason: 'NO_NEED' });
  await home.stop();
});

test('the plug comes back switched off after an outage: the appliance goes on', async (t) => {
  const home = begin(EVENING);
  await after(home, 2 * MINUTE);
  home.house().gateway.setOverride('dishwasher', { kind: 'now', untilMs: null });
  await after(home, 8 * MINUTE);
  home.lines.dishwasher.drop();
  twinOf(home).outage();
  await after(home, 10 * MINUTE);
  const doneMs = seen(home).run?.doneMs ?? 0;
  t.ok(doneMs < 9 * MINUTE, 'what nobody sees does not count');
  home.lines.dishwasher.restore();
  await after(home, 5 * MINUTE);
  t.equal(twinOf(home).twin.registers.coils.get(0), 1);
  await after(home, 25 * MINUTE);
  t.same(tally(home), [1, 1, 0]);
  await home.stop();
});

test('a plug that takes no command: it is tried again, and the program counts from when it took it', async (t) => {
  const home = begin(EVENING);
  await after(home, 2 * MINUTE);
  twinOf(home).twin.misbehaves = 'ignoresWrites';
  home.house().gateway.setOverride('dishwasher', { kind: 'now', untilMs: null });
  await after(home, 4 * MINUTE);
  t.same([tally(home), seen(home).run?.doneMs], [[0, 0, 0], 0]);
  twinOf(home).twin.misbehaves = 'none';
  await after(home, 42 * MINUTE);
  t.same(tally(home), [1, 1, 0]);
  t.equal(seen(home).override, 'automatic');
  await home.stop();
});

test('killed at any moment, once or many times: it runs once, in one piece', async (t) => {
  for (let seed = 0; seed < 5; seed++) {
    const startMs = EVENING + (seed % 4) * 15 * MINUTE;
    const home = begin(startMs, { dishwasher: { mode: 'cheap', program: SHORT } });
    await after(home, 10_000 + 700 * seed);
    runBy(home, startMs + 18 * MINUTE + (seed % 5) * 4 * MINUTE);
    if (seed % 2) {
      // No sooner than what was asked for is on disk.
      await after(home, seed);
      home.kill();
    }
    const kills = 1 + (seed % 7);
    for (let i = 0; i < kills; i++) {
      await after(home, Math.floor(home.random.next() * ((2 * 20 * MINUTE) / kills)));
      home.kill();
    }
    for (let m = 0; m < 60 && seen(home).override !== 'automatic'; m++) await after(home, MINUTE);
    await after(home, 3 * MINUTE);
    t.same([tally(home), seen(home).override], [[1, 1, 0], 'automatic'], `seed ${seed}, ${kills} kills`);
    await home.stop();
  }
});
