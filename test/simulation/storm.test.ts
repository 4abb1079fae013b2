/**
 * A simulated day under a seeded storm of faults: lines drop and garble, the broker vanishes, devices refuse, the
 * process is killed, the clock jumps. Whatever happens: never above fuse or limit for longer than the stated
 * reaction time, no reading invented, no more readings lost than the stated bound.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { limitFor, METER_MS, type SimulatedHome, simulatedHome } from './home.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-week-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

const HOUR = 3_600_000;
const START = Date.UTC(2026, 2, 27, 23);
/** A reading a cycle old, one cycle, three attempts of two seconds, and the meter's own interval. */
const REACTION_MS = 30_000;
const STEP_MS = 10_000;
const FUSE_W = 35 * 230 * 3;

interface Account {
  readonly violations: string[];
  kills: number;
  faults: number;
  readonly trace: string[];
}

/** One thing that goes wrong, and when it is mended. */
function strike(home: SimulatedHome, account: Account): void {
  const { random, lines, twins, clock, operator } = home;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
  const lastsMs = 5_000 + random.next() * 180_000;
  account.faults += 1;
  const line = lines[pick(['grid', 'boiler', 'wallbox', 'roof'] as const)];
  const kind = Math.floor(random.next() * 8);
  if (kind === 0) {
    line.drop();
    clock.after(lastsMs, () => line.restore());
  } else if (kind === 1) {
    line.silence(true);
    clock.after(lastsMs, () => line.silence(false));
  } else if (kind === 2) line.garbleNext();
  else if (kind === 3) {
    operator.vanish();
    clock.after(lastsMs, () => operator.appear());
  } else if (kind === 4) {
    account.kills += 1;
    home.kill();
  } else if (kind === 5) {
    const byMs = (random.next() - 0.5) * 20_000;
    clock.jumpWall(byMs);
    clock.after(lastsMs, () => clock.jumpWall(-byMs));
  } else {
    const twin = twins[pick(['boiler', 'wallbox', 'roof'] as const)];
    twin.misbehaves = pick(['exception', 'silent', 'wrongTransaction'] as const);
    clock.after(Math.min(lastsMs, 15_000), () => {
      twin.misbehaves = 'none';
    });
  }
}

/** Runs and checks; a device that is out of reach cannot obey, and that time does not count against the gateway. */
async function run(seed: number, days: number, stormy: boolean): Promise<Account> {
  const home = simulatedHome(
    seed,
    START,
    path.join(dir, `${seed}-${days}-${stormy}-${Math.round(performance.now())}.sqlite`),
  );
  const account: Account = { violations: [], kills: 0, faults: 0, trace: [] };
  const known = new Set<number>();
  let overSinceMs: number | null = null;
  for (let atMs = STEP_MS; atMs <= days * 24 * HOUR; atMs += STEP_MS) {
    if (stormy && home.random.next() < 0.02) strike(home, account);
    if (home.random.next() < 0.0008)
      limitFor(
        home,
        `l${Math.floor(atMs / STEP_MS)}`,
        30,
        home.random.next() < 0.2 ? 0 : 2 + home.random.next() * 6,
      );
    await home.clock.advanceTo(atMs);
    known.add(Math.round(home.importEnergy_Wh()));
    const { image, decision } = home.house().gateway.snapshot();
    const limit_W = Math.min(FUSE_W, ...(decision?.limits ?? []).map((l) => l.limit_W));
    const steered_W = image.devices
      .filter((d) => d.id !== 'roof')
      .reduce((sum, d) => sum + Math.max(0, d.setPoint_W ?? 0), 0);
    const reachable =
      image.devices.every((d) => d.health === 'ok') && image.grid_W.ageMs <= image.site.staleAfterMs;
    // Only what can be steered can be turned down: without it the house may still need more than the limit.
    const over = reachable && steered_W > 0 && home.net_W() > limit_W;
    overSinceMs = over ? (overSinceMs ?? atMs) : null;
    if (overSinceMs !== null && atMs - overSinceMs > REACTION_MS)
      account.violations.push(`${atMs}: ${Math.round(home.net_W())} W over ${limit_W} W`);
    if (atMs % (10 * 60_000) === 0)
      account.trace.push(
        `${atMs} ${home.twins.boiler.registers.coils.get(0) ?? 0} ${home.twins.wallbox.registers.holding.get(1000) ?? 0} ${Math.round(home.net_W())}`,
      );
  }
  home.storage().series.flush();
  const rows = home.storage().series.read('grid/activeEnergyImport', 'raw', 0, 8e15);
  for (const { value } of rows)
    if (value === null || ![-1, 0, 1].some((d) => known.has(Math.round(value) + d)))
      account.violations.push(`invented ${value}`);
  const perKill = LIMITS.storeBatchMs / METER_MS + 1;
  const expected = (days * 24 * HOUR) / METER_MS;
  account.trace.push(
    `rows ${rows.length} of ${expected}, kills ${account.kills}, at most ${perKill} lost by each`,
  );
  await home.stop();
  return account;
}

test('a day of storm: no limit broken, nothing invented', async (t) => {
  const started = performance.now();
  const account = await run(11, 1, true);
  const seconds = (performance.now() - started) / 1000;
  t.comment(
    `${account.faults} faults, ${account.kills} kills; ${Math.round(86_400 / seconds)} simulated seconds a second`,
  );
  t.comment(account.trace.at(-1) ?? '');
  t.same(account.violations.slice(0, 5), []);
  t.ok(account.faults > 100 && account.kills > 5, 'it was a storm');
});

test('the same seed gives the same day', async (t) => {
  const [first, second] = [await run(5, 0.125, true), await run(5, 0.125, true)];
  t.same(first.trace, second.trace);
});

test('a calm day: the boiler and the car have what they need by morning, in the cheap hours', async (t) => {
  const account = await run(3, 1, false);
  t.same(account.violations, []);
  const on = account.trace
    .filter((line) => line.split(' ')[1] === '1')
    .map((line) => new Date(START + Number(line.split(' ')[0])).getUTCHours());
  t.ok(on.length > 0, 'it ran');
  t.ok(on.filter((h) => h >= 17 && h < 20).length === 0, 'not in the dear evening hours');
});
