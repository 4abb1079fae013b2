/** The gateway is started again in a house that runs near its fuse: what runs goes on, and a limit is carried out all the same. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { limitFor, type SimulatedHome, simulatedHome } from './home.ts';

const EVENING = Date.UTC(2026, 0, 15, 20);
const SECOND = 1000;
const MINUTE = 60 * SECOND;
/** A boiler, a heat pump and a battery of 10 kW on this fuse leave no room for any of them a second time. */
const FUSE_A = 16;
const dir = mkdtempSync(path.join(tmpdir(), 'hearth-start-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

interface Written {
  readonly atMs: number;
  readonly device: string;
  readonly address: number;
  readonly value: number;
}

const after = (home: SimulatedHome, ms: number): Promise<void> =>
  home.clock.advanceTo(home.clock.elapsedMs() + ms);

/** Everything that can runs; what is written to the devices from now on is kept, with the time since the last kill. */
async function running(name: string) {
  const home = simulatedHome(7, EVENING, path.join(dir, `${name}.sqlite`), { stores: true, fuse_A: FUSE_A });
  await after(home, MINUTE);
  const { gateway } = home.house();
  gateway.setOverride('wallbox', { kind: 'off' });
  for (const id of ['boiler', 'heat-pump', 'battery'])
    gateway.setOverride(id, { kind: 'now', untilMs: null });
  await after(home, 12 * MINUTE);
  const written: Written[] = [];
  let killedMs = home.clock.elapsedMs();
  for (const device of ['boiler', 'heat-pump', 'battery'] as const) {
    const twin = home.twins[device];
    const before = twin.onWrite;
    twin.onWrite = (write) => {
      written.push({ ...write, device, atMs: home.clock.elapsedMs() - killedMs });
      before?.(write);
    };
  }
  const kill = (): void => {
    home.kill();
    killedMs = home.clock.elapsedMs();
    written.length = 0;
  };
  return { home, written, kill };
}

const draws = ({ twins, stores }: SimulatedHome): boolean[] => [
  twins.boiler.registers.coils.get(0) === 1,
  (twins['heat-pump'].registers.holding.get(3000) ?? 0) > 1,
  (stores?.battery.wanted_W() ?? 0) > 3000,
];
/** What turns a boiler or a heat pump off, or a battery down by more than its fuse and a kettle ask for. */
const isDown = ({ device, address, value }: Written): boolean =>
  device === 'boiler' ? value === 0 : device === 'heat-pump' ? value < 3 : address === 2002 && value < 3000;
const ALL_ON = [true, true, true];

test('killed at any moment between two readings of the meter: nothing is switched off', async (t) => {
  const { home, written, kill } = await running('moments');
  t.same(draws(home), ALL_ON, 'they run');
  for (const ms of [100, 1300, 3000, 5600, 9900, 9997, 9999]) {
    await after(home, ms);
    kill();
    await after(home, MINUTE);
    t.same(written.filter(isDown), [], `${ms} ms`);
    t.ok(
      written.some(({ device }) => device === 'boiler'),
      'told again',
    );
    t.same(draws(home), ALL_ON);
    await after(home, 10 * SECOND - ((ms + MINUTE) % (10 * SECOND)));
  }
  await home.stop();
});

test('a device that answers late, and one whose line comes up late, go on', async (t) => {
  const { home, written, kill } = await running('late');
  for (const lateMs of [5, 11.5, 13, 14.5, 25].map((s) => s * SECOND)) {
    home.twins.boiler.misbehaves = 'silent';
    home.lines['heat-pump'].drop();
    kill();
    await after(home, lateMs);
    home.twins.boiler.misbehaves = 'none';
    home.lines['heat-pump'].restore();
    await after(home, 2 * MINUTE);
    t.same(written.filter(isDown), [], `${lateMs} ms`);
    t.same(draws(home), ALL_ON);
  }
  await home.stop();
});

test('the meter is not heard: after twelve seconds the worst is assumed', async (t) => {
  const { home, written, kill } = await running('dark');
  home.lines.grid.drop();
  kill();
  await after(home, MINUTE);
  const [first] = written.filter(isDown);
  t.ok(first && first.atMs > 11 * SECOND && first.atMs < 15 * SECOND, `${first?.device} ${first?.atMs}`);
  await home.stop();
});

test('a limit of 0 W that stands is carried out within 30 s, whoever is not heard', async (t) => {
  for (const missing of [null, 'grid', 'roof', 'heat-pump'] as const) {
    const { home, written, kill } = await running(`limit-${missing}`);
    limitFor(home, 'limit', 60, 0);
    if (missing) home.lines[missing].drop();
    kill();
    await after(home, 30 * SECOND);
    const on = draws(home);
    t.same([on[0], on[2]], [false, false], `without ${missing}`);
    t.equal(on[1], missing === 'heat-pump');
    t.ok(
      written.some((w) => isDown(w)),
      'by a command',
    );
    await home.stop();
  }
});
