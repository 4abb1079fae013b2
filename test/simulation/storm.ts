/**
 * The gateway on simulated time under a seeded storm of faults: lines drop and garble, the broker vanishes, devices
 * refuse, the process is killed, the clock jumps. Run in a process of its own, for the test runner's hooks on each
 * promise cost more than the whole house: `node test/simulation/storm.ts SEED DAYS storm|calm [stores]` prints the account.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { setLong } from '../twins/modbus-device.ts';
import { limitFor, REGISTER, type SimulatedHome, simulatedHome } from './home.ts';

const HOUR = 3_600_000;
export const START = Date.UTC(2026, 2, 27, 23);
/** A reading a cycle old, one cycle, three attempts of two seconds, and the meter's own interval. */
const REACTION_MS = 30_000;
const STEP_MS = 10_000;
/** After the storm, so that a disk that refused can take what waited. */
const CALM_MS = 2 * LIMITS.storeRetryMaxMs;
const FUSE_W = 35 * 230 * 3;
const LIMIT_MINUTES = 30;
/** The wall clock, which the window of a limit is read by, may be off by so much. */
const JUMPS_MS = 60_000;

export interface Account {
  readonly violations: string[];
  faults: number;
  kills: number;
  /** Readings of the meter handed to the store, and how many of them a kill took, each within the stated bound. */
  handedIn: number;
  lost: number;
  commits: number;
  size_bytes: number;
  seconds: number;
  readonly trace: string[];
}

/** What a device holds after it was without power: all that it can take. */
function factorySetting({ twins }: SimulatedHome, twin: SimulatedHome['twins']['boiler']): void {
  if (twin === twins.boiler) twin.registers.coils.set(0, 1);
  if (twin === twins.wallbox) twin.registers.holding.set(1000, 160);
  if (twin === twins['heat-pump']) twin.registers.holding.set(3000, 3);
  if (twin === twins.battery) {
    twin.registers.holding.set(2000, 1);
    setLong(twin.registers.holding, 2001, 5000);
  }
}

/** One thing that goes wrong, and when it is mended. */
function strike(home: SimulatedHome, account: Account, judge: Judge): void {
  const { random, lines, twins, clock, operator } = home;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random.next() * list.length)] as T;
  const lastsMs = 5_000 + random.next() * 180_000;
  account.faults += 1;
  const devices = home.stores
    ? (['boiler', 'wallbox', 'roof', 'battery', 'heat-pump'] as const)
    : (['boiler', 'wallbox', 'roof'] as const);
  const where = pick(['grid', ...devices] as const);
  const line = lines[where];
  const kind = Math.floor(random.next() * 9);
  const isLine = kind <= 2;
  if (isLine)
    judge.struck(where === 'grid' ? 'grid' : 'device', clock.elapsedMs() + (kind === 2 ? 0 : lastsMs));
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
  } else if (kind === 8) {
    home.diskRefuses(true);
    clock.after(lastsMs, () => home.diskRefuses(false));
  } else if (kind === 5) {
    const byMs = (random.next() - 0.5) * 20_000;
    clock.jumpWall(byMs);
    clock.after(lastsMs, () => clock.jumpWall(-byMs));
  } else {
    const twin = twins[pick(devices)];
    judge.struck('device', clock.elapsedMs() + Math.min(lastsMs, 15_000));
    twin.misbehaves = pick(['exception', 'silent', 'wrongTransaction'] as const);
    const restarts = random.next() < 0.5;
    clock.after(Math.min(lastsMs, 15_000), () => {
      twin.misbehaves = 'none';
      if (restarts) factorySetting(home, twin);
    });
  }
}

/** Runs and checks. Days may be parts of one. */
export async function simulate(
  seed: number,
  days: number,
  stormy: boolean,
  stores = false,
): Promise<Account> {
  const startedAt = performance.now();
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-storm-'));
  const home = simulatedHome(seed, START, path.join(dir, 'hearth.sqlite'), { stores });
  const account: Account = {
    violations: [],
    faults: 0,
    kills: 0,
    handedIn: 0,
    lost: 0,
    commits: 0,
    size_bytes: 0,
    seconds: 0,
    trace: [],
  };
  const known = new Set<number>();
  const judge = new Judge(home, account);
  const endMs = days * 24 * HOUR;
  for (let atMs = STEP_MS; atMs <= endMs + CALM_MS; atMs += STEP_MS) {
    if (atMs > endMs) home.diskRefuses(false);
    else if (stormy && home.random.next() < 0.02) strike(home, account, judge);
    if (home.random.next() < 0.0008) judge.publish(atMs);
    await home.clock.advanceTo(atMs);
    known.add(Math.round(home.importEnergy_Wh()));
    judge.look();
    if (atMs % (10 * 60_000) === 0) account.trace.push(traceLine(home, atMs));
  }
  checkSeries(home, account, known);
  account.commits = home.commits();
  account.size_bytes = home.storage().health().size_bytes ?? 0;
  await home.stop();
  rmSync(dir, { recursive: true, force: true });
  account.seconds = (performance.now() - startedAt) / 1000;
  return account;
}

const traceLine = ({ twins, net_W }: SimulatedHome, atMs: number): string =>
  [
    atMs,
    twins.boiler.registers.coils.get(0) ?? 0,
    twins.wallbox.registers.holding.get(1000) ?? 0,
    Math.round(net_W()),
  ].join(' ');

/**
 * The operator's side of the law, by its own books and the twins' true power, with nothing asked of the gateway: a limit
 * binds from the moment it was delivered. A device that cannot be reached cannot obey; that time, and what a link may
 * take to come back, does not count. A meter that cannot be read is no excuse for longer than its value is believed.
 */
class Judge {
  private readonly home: SimulatedHome;
  private readonly account: Account;
  private readonly books = new Map<
    string,
    { readonly limit_W: number; readonly endMs: number; sinceMs: number | null }
  >();
  private lawlessUntilMs = 0;
  private blindUntilMs = 0;
  private overSinceMs: number | null = null;

  constructor(home: SimulatedHome, account: Account) {
    this.home = home;
    this.account = account;
    home.operator.delivered = (topic) => {
      const entry = this.books.get(topic);
      if (entry) entry.sinceMs ??= home.clock.elapsedMs();
    };
  }

  publish(atMs: number): void {
    const limit_kW = this.home.random.next() < 0.2 ? 0 : 2 + this.home.random.next() * 6;
    const id = `l${Math.floor(atMs / STEP_MS)}`;
    const endMs = this.home.clock.elapsedMs() + LIMIT_MINUTES * 60_000 - JUMPS_MS;
    this.books.set(`dso/limit/${id}`, { limit_W: limit_kW * 1000, endMs, sinceMs: null });
    limitFor(this.home, id, LIMIT_MINUTES, limit_kW);
  }

  /** A line or a device is out of order until then. */
  struck(where: 'grid' | 'device', untilMs: number): void {
    if (where === 'grid') this.blindUntilMs = Math.max(this.blindUntilMs, untilMs + LIMITS.linkBackoffMaxMs);
    else this.lawlessUntilMs = Math.max(this.lawlessUntilMs, untilMs + LIMITS.linkBackoffMaxMs);
  }

  look(): void {
    const now = this.home.clock.elapsedMs();
    for (const [topic, { endMs }] of this.books) if (endMs < now) this.books.delete(topic);
    const binding = [...this.books.values()].filter(({ sinceMs }) => sinceMs !== null && sinceMs < now);
    const limit_W = Math.min(FUSE_W, ...binding.map((entry) => entry.limit_W));
    const { boiler, wallbox } = this.home.twins;
    const { stores } = this.home;
    const wallMs = START + now;
    const steered =
      Boolean(boiler.registers.coils.get(0)) ||
      (wallbox.registers.holding.get(1000) ?? 0) >= 60 ||
      (stores !== null && (stores.battery.power_W(wallMs) > 0 || stores.heatPump.power_W(wallMs) > 0));
    const isOver = now > this.lawlessUntilMs && steered && this.home.net_W() > limit_W;
    this.overSinceMs = isOver ? (this.overSinceMs ?? now) : null;
    const reactionMs = REACTION_MS + (now < this.blindUntilMs ? this.home.config.site.staleAfterMs : 0);
    if (this.overSinceMs !== null && now - this.overSinceMs > reactionMs)
      this.account.violations.push(
        `${now}: ${Math.round(this.home.net_W())} W over ${Math.round(limit_W)} W`,
      );
  }
}

/** No reading invented; none lost but those a kill took before they had to be on disk. */
function checkSeries(home: SimulatedHome, account: Account, known: ReadonlySet<number>): void {
  const rows = home.storage().series.read(REGISTER, 'raw', 0, 8e15);
  for (const { value } of rows)
    if (value === null || ![-1, 0, 1].some((d) => known.has(Math.round(value) + d)))
      account.violations.push(`invented ${value}`);
  const stored = new Set(rows.map(({ atMs }) => atMs));
  for (const { atMs, elapsedMs } of home.handedIn()) {
    account.handedIn += 1;
    if (stored.has(atMs)) continue;
    account.lost += 1;
    if (!home.kills().some((kill) => elapsedMs <= kill.atMs && elapsedMs >= kill.safeMs))
      account.violations.push(`lost ${atMs}, received at ${elapsedMs}`);
  }
}

const [seed, days, weather, stores] = process.argv.slice(2);
if (import.meta.main && seed !== undefined)
  console.log(
    JSON.stringify(await simulate(Number(seed), Number(days), weather !== 'calm', stores === 'stores')),
  );
