/**
 * What goes on after a device was away, restarted or refused, after the clock was wrong and after the owner's wish is
 * over: the whole house on simulated time.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { viewOf } from '../../firmware/web/view.ts';
import { limitFor, type SimulatedHome, simulatedHome } from './home.ts';

const EVENING = Date.UTC(2026, 0, 15, 20);
const MINUTE = 60_000;
const dir = mkdtempSync(path.join(tmpdir(), 'hearth-return-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

let homes = 0;
async function begin(startMs = EVENING): Promise<SimulatedHome> {
  const home = simulatedHome(7, startMs, path.join(dir, `${++homes}.sqlite`));
  await home.clock.advanceTo(2 * MINUTE);
  return home;
}

const after = (home: SimulatedHome, ms: number): Promise<void> =>
  home.clock.advanceTo(home.clock.elapsedMs() + ms);
const boilerIsOn = (home: SimulatedHome): boolean => home.twins.boiler.registers.coils.get(0) === 1;
const charging = (home: SimulatedHome): number | undefined => home.twins.wallbox.registers.holding.get(1000);
const pageOf = (home: SimulatedHome, id: string) => {
  const info = { name: 'x', gridMeter: 'grid', hosts: [], version: '1' };
  const device = viewOf(home.house().gateway.snapshot(), info).devices.find((d) => d.id === id);
  if (!device) throw new Error(id);
  return device;
};

test('what comes back with its factory setting is turned down again within 30 s', async (t) => {
  const home = await begin();
  limitFor(home, 'limit', 240, 0.5);
  await after(home, 2 * MINUTE);
  t.equal(charging(home), 0);

  home.lines.wallbox.drop();
  home.twins.wallbox.registers.holding.set(1000, 160);
  await after(home, 5000);
  home.lines.wallbox.restore();
  await after(home, 30_000);
  t.equal(charging(home), 0, 'its connection was lost');

  home.twins.boiler.misbehaves = 'silent';
  await after(home, 15_000);
  home.twins.boiler.misbehaves = 'none';
  home.twins.boiler.registers.coils.set(0, 1);
  await after(home, 30_000);
  t.notOk(boilerIsOn(home), 'it was without power, and its connection stayed');

  home.twins.boiler.registers.coils.set(0, 1);
  await after(home, 30_000);
  t.notOk(boilerIsOn(home), 'it was back between two polls, or somebody else wrote');
  const told = home.storage().journal.read({ limit: 50, kind: 'fault', subject: 'boiler' });
  t.ok(told.some(({ code }) => code === 'SET_POINT_LOST'));
  await home.stop();
});

test('a command whose answer got lost may have been taken: the next one is written', async (t) => {
  const home = await begin();
  const { gateway } = home.house();
  gateway.setOverride('wallbox', { kind: 'off' });
  gateway.setOverride('boiler', { kind: 'off' });
  await after(home, 6 * MINUTE);
  const twin = home.twins.boiler;
  const answer = twin.tcp.bind(twin);
  let lost = true;
  twin.tcp = (bytes) => {
    const answers = answer(bytes);
    return lost && (bytes[7] === 5 || bytes[7] === 1) ? [] : answers;
  };
  gateway.setOverride('boiler', { kind: 'now', untilMs: null });
  await after(home, 3000);
  t.ok(boilerIsOn(home), 'it was taken');
  limitFor(home, 'limit', 240, 0.5);
  await after(home, 5000);
  lost = false;
  await after(home, 30_000);
  t.notOk(boilerIsOn(home));
  await home.stop();
});

test('a device that refuses is not worn out by the asking, and the page says why it does not run', async (t) => {
  const home = await begin();
  const { gateway } = home.house();
  gateway.setOverride('wallbox', { kind: 'off' });
  gateway.setOverride('boiler', { kind: 'off' });
  await after(home, 6 * MINUTE);
  const writes: number[] = [];
  home.twins.boiler.onWrite = ({ value }) => void writes.push(value);
  home.twins.boiler.misbehaves = 'ignoresWrites';
  const newest = (): number => home.storage().journal.read({ limit: 1 })[0]?.id ?? 0;
  const before = newest();
  gateway.setOverride('boiler', { kind: 'now', untilMs: null });
  let explained = 0;
  for (let minute = 0; minute < 60; minute++) {
    await after(home, MINUTE);
    if (pageOf(home, 'boiler').reason.includes('did not take the value')) explained += 1;
  }
  t.ok(writes.length > 5 && writes.length < 60, `${writes.length} writes`);
  t.ok(
    writes.every((value) => value === 1),
    'it is not told in between to stay off',
  );
  t.ok(newest() - before < 60, `${newest() - before} entries`);
  t.ok(explained > 50, `${explained} of 60`);
  home.twins.boiler.misbehaves = 'none';
  await after(home, 15 * MINUTE);
  t.ok(boilerIsOn(home), 'it runs when it takes the value again');
  await home.stop();
});

test('a clock that was years ahead for a minute leaves no deadline there', async (t) => {
  const home = await begin();
  const byMs = (): number | null => pageOf(home, 'boiler').needByMs;
  const morning = byMs();
  const years = 4 * 366 * 24 * 60 * MINUTE;
  home.clock.jumpWall(years);
  await after(home, MINUTE);
  t.ok((byMs() ?? 0) > EVENING + years / 2);
  home.clock.jumpWall(-years);
  await after(home, MINUTE);
  t.equal(byMs(), morning);
  home.kill();
  await after(home, MINUTE);
  t.equal(byMs(), morning, 'nor over a restart');
  await home.stop();
});

test('what the owner asked for ends when its time has come, and no wrong clock brings it back', async (t) => {
  const home = await begin();
  const { gateway } = home.house();
  const now = home.clock.wallMs();
  gateway.setOverride('boiler', { kind: 'now', untilMs: now + 60 * MINUTE });
  gateway.setOverride('wallbox', { kind: 'notBefore', atMs: now + 30 * MINUTE });
  await after(home, 29 * MINUTE);
  t.match(pageOf(home, 'boiler'), { override: { kind: 'now' } });
  t.match(pageOf(home, 'wallbox'), { override: { kind: 'notBefore' } });
  await after(home, 32 * MINUTE);
  for (const id of ['boiler', 'wallbox']) {
    t.match(pageOf(home, id), { override: { kind: 'automatic' }, overrideSentence: null }, id);
    const [last] = home.storage().journal.read({ limit: 1, kind: 'override', subject: id });
    t.match(last, { code: 'AUTOMATIC', detail: { isOver: true } });
  }
  home.clock.jumpWall(5000 - home.clock.wallMs());
  home.kill();
  await after(home, MINUTE);
  t.match(pageOf(home, 'boiler'), { override: { kind: 'automatic' } }, 'after a restart in 1970');
  await home.stop();
});
