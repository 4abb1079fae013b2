/** The book under pressure: full, replayed, restarted, and under a wall clock that jumps. On a database on disk. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { isWallPlausible } from '../../firmware/domain/time.ts';
import type { TransportEvents } from '../../firmware/domain/transport.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { activeLimits } from '../../firmware/policy/active-limits.ts';
import type { Failsafe } from '../../firmware/signals/failsafe.ts';
import { programSchema } from '../../firmware/signals/program.ts';
import { SignalReceiver } from '../../firmware/signals/receiver.ts';
import { openStore } from '../../firmware/store/index.ts';
import { SITE } from '../policy/home.ts';
import { limitEvent, message, priceEvent } from '../twins/operator.ts';

const NOON = Date.UTC(2026, 0, 15, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-book-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
let serial = 0;

const PROGRAMS = [
  { id: 'limits', name: 'DSO', binding: 'commandable', restore: { spreadMs: 0, rampMs: 0 } },
  { id: 'prices', name: 'Market', binding: 'informational' },
].map((p) => programSchema.parse(p));

/** A receiver over a database, which can be started anew; time passes with a look each second or minute. */
class Home {
  readonly clock: SimulatedClock;
  private readonly file = path.join(dir, `${serial++}.sqlite`);
  private readonly failsafe: Failsafe | null;
  private readonly programs: typeof PROGRAMS;
  private events: TransportEvents | null = null;
  private store: ReturnType<typeof openStore>;
  receiver: SignalReceiver;
  /** Settings that were changed. */
  settled = 0;

  constructor(wallMs = NOON, failsafe: Failsafe | null = null, programs = PROGRAMS) {
    this.programs = programs;
    this.clock = new SimulatedClock(wallMs);
    this.failsafe = failsafe;
    this.store = this.open();
    this.receiver = this.start();
  }

  restart(): void {
    this.store.close();
    this.store = this.open();
    this.receiver = this.start();
  }

  close(): void {
    this.store.close();
  }

  link(up: boolean): void {
    this.events?.state(up, null);
  }

  send(bytes: Uint8Array): void {
    this.events?.message('dso/x', bytes);
  }

  async wait(ms: number, stepMs = MINUTE): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      await this.clock.advanceTo(this.clock.elapsedMs() + stepMs);
      this.receiver.current();
      if (this.clock.elapsedMs() % HOUR === 0) this.receiver.prune();
    }
  }

  /** In W, as the policy sees them. */
  limits(): number[] {
    const wallMs = this.clock.wallMs();
    const signals = this.receiver.current();
    return activeLimits({ signals, wallMs, wallTrusted: isWallPlausible(wallMs), site: SITE }).map(
      (l) => l.limit_W,
    );
  }

  rejected(): string[] {
    return this.store.journal.read({ limit: 100, kind: 'rejected' }).map((e) => e.code);
  }

  private open() {
    return openStore(this.file, { clock: this.clock, timeZone: 'Europe/Berlin', syncs: false });
  }

  private start(): SignalReceiver {
    const { settings, journal, signals } = this.store;
    const receiver = new SignalReceiver({
      clock: this.clock,
      random: { next: () => 0, bytes: (length) => new Uint8Array(length) },
      journal,
      store: signals,
      settings: {
        ...settings,
        set: (name, value) => {
          if (settings.get(name) !== value) this.settled += 1;
          settings.set(name, value);
        },
      },
      programs: this.programs,
      envelope: { signed: false },
      failsafe: this.failsafe,
      draw: () => 0,
      changed: () => {},
    });
    receiver.open({
      open: (events) => {
        this.events = events;
        events.state(true, null);
      },
      publish: async () => {},
      close: async () => {},
    });
    return receiver;
  }
}

interface Sent {
  readonly id: string;
  readonly kW?: number;
  readonly start?: string;
  readonly period?: string;
  readonly duration?: string;
  readonly modifiedMs?: number;
  readonly values?: readonly number[];
}

/** A limit as an operator writes it who says "now", or not when. */
const limit = ({ id, kW = 4, start = '0001-01-01T00:00:00Z', period = 'PT1H', ...rest }: Sent) =>
  message({
    id,
    programID: 'limits',
    ...(rest.modifiedMs !== undefined && { modificationDateTime: new Date(rest.modifiedMs).toISOString() }),
    ...(rest.duration && { duration: rest.duration }),
    intervalPeriod: { start, duration: period },
    intervals: [{ id: 0, payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values: rest.values ?? [kW] }] }],
  });

const from = (id: string, startMs: number, durationMs: number, kW: number, modifiedMs = startMs) =>
  limitEvent({ id, programID: 'limits', modifiedMs }, startMs, durationMs, kW);
const price = (id: string, startMs: number) =>
  priceEvent({ id, programID: 'prices', modifiedMs: NOON }, startMs, [0.3]);

test('a full book: what is over gives way to a limit, then what is withdrawn, then the farthest price', async (t) => {
  const home = new Home();
  const half = LIMITS.signalsKept / 2;
  for (let i = 0; i < half; i++) home.send(from(`over${i}`, NOON, MINUTE, 5));
  for (let i = 0; i < half; i++) home.send(price(`p${i}`, NOON + i * HOUR));
  await home.wait(2 * MINUTE);
  for (let i = 0; i < LIMITS.signalsKept; i++)
    home.send(from(`l${i}`, NOON, DAY, 10 - i / 100, NOON + MINUTE));
  t.same(home.rejected(), [], 'no limit was refused');
  t.same(home.limits(), [10_000 - (LIMITS.signalsKept - 1) * 10], 'the last and tightest holds');
  home.restart();
  t.same(home.limits(), [10_000 - (LIMITS.signalsKept - 1) * 10], 'after a restart, too');
  home.send(from('more', NOON, DAY, 1, NOON + MINUTE));
  t.same(home.rejected(), ['TOO_MANY'], 'limits that hold give way to nothing');
  home.close();
});

test('of the prices the farthest gives way', async (t) => {
  const home = new Home();
  for (let i = 0; i < LIMITS.signalsKept; i++) home.send(price(`p${i}`, NOON + i * HOUR));
  home.send(from('l', NOON, DAY, 5));
  home.send(price('another', NOON));
  const ids = home.receiver.current().map((s) => s.id);
  t.same(home.limits(), [5000]);
  t.ok(ids.includes('openadr3/prices/p0/PRICE'));
  t.notOk(ids.includes(`openadr3/prices/p${LIMITS.signalsKept - 1}/PRICE`));
  t.same(home.rejected(), ['TOO_MANY'], 'a price takes the place of none that is to come');
  home.close();
});

test('a clock that jumps ahead ends no limit, and loses none', async (t) => {
  for (const jumpMs of [3 * DAY, 4 * 365 * DAY, -5 * HOUR]) {
    const home = new Home();
    home.send(from('now', NOON, DAY, 1));
    home.send(from('later', NOON + 20 * HOUR, 2 * HOUR, 0, NOON));
    await home.wait(10 * MINUTE);
    home.clock.jumpWall(jumpMs);
    t.same(home.limits(), [1000], 'at once');
    await home.wait(3 * HOUR);
    home.receiver.prune();
    t.same(home.limits(), [1000], 'hours later');
    home.restart();
    t.same(home.limits(), [1000], 'after a restart');
    home.clock.jumpWall(-jumpMs);
    t.same(home.limits(), [1000], 'back');
    await home.wait(17 * HOUR);
    t.same(home.limits(), [0], 'what was to come comes');
    await home.wait(4 * HOUR);
    t.same(home.limits(), [], 'and it ends');
    home.close();
  }
});

test('no price is read off a clock that was never set, or that has just left its time', async (t) => {
  const believed = (home: Home): boolean => home.receiver.isClockBelieved();
  const home = new Home(5000);
  t.notOk(believed(home), '1970');
  home.clock.jumpWall(NOON - home.clock.wallMs());
  t.ok(believed(home), 'it is set: there was no time before');
  await home.wait(2 * HOUR);
  for (const jumpMs of [4 * 365 * DAY, -3 * HOUR]) {
    home.clock.jumpWall(jumpMs);
    t.notOk(believed(home), 'it jumped');
    await home.wait(10 * MINUTE);
    t.notOk(believed(home));
    home.clock.jumpWall(-jumpMs);
    t.ok(believed(home), 'it is back');
    await home.wait(2 * HOUR);
  }
  home.clock.jumpWall(3 * HOUR);
  await home.wait(HOUR + 2 * MINUTE);
  t.ok(believed(home), 'it stands where it is now');
  home.close();
});

test('under a clock that stays ahead a limit ends when its time has passed', async (t) => {
  const home = new Home();
  home.send(from('a', NOON, 2 * HOUR, 1));
  await home.wait(10 * MINUTE);
  home.clock.jumpWall(3 * DAY);
  await home.wait(109 * MINUTE);
  t.same(home.limits(), [1000]);
  await home.wait(MINUTE);
  t.same(home.limits(), []);
  home.close();
});

test('a limit that is sent right after a jump counts by the time that stood before', async (t) => {
  const home = new Home();
  await home.wait(2 * HOUR);
  home.clock.jumpWall(3 * DAY);
  home.send(from('a', NOON + 2 * HOUR, HOUR, 1));
  t.same([home.limits(), home.rejected()], [[1000], []]);
  await home.wait(61 * MINUTE);
  t.same(home.limits(), []);
  home.send(from('b', NOON + 3 * HOUR, 2 * HOUR, 1));
  t.same([home.limits(), home.rejected()], [[], ['SIGNAL_STALE']], 'a clock that stands is believed');
  home.close();
});

test('a limit "now" that was taken in 1970 goes on when the clock is set', async (t) => {
  const home = new Home(5000);
  home.send(limit({ id: 'a', kW: 2 }));
  await home.wait(10 * MINUTE);
  home.clock.jumpWall(NOON - home.clock.wallMs());
  t.same(home.limits(), [2000]);
  home.restart();
  await home.wait(49 * MINUTE);
  t.same(home.limits(), [2000], 'for the rest of its hour');
  await home.wait(MINUTE);
  t.same(home.limits(), []);
  home.close();
});

test('a retained limit "now" does not start over, whoever hears it again and when', async (t) => {
  for (const modifiedMs of [undefined, NOON]) {
    const home = new Home();
    const said = limit({ id: 'a', ...(modifiedMs !== undefined && { modifiedMs }) });
    home.send(said);
    await home.wait(HOUR);
    t.same(home.limits(), []);
    await home.wait(3 * HOUR);
    home.restart();
    home.send(said);
    t.same(home.limits(), [], 'after a restart');
    home.close();
  }
  const home = new Home(NOON + 30 * MINUTE);
  home.send(limit({ id: 'a', modifiedMs: NOON }));
  await home.wait(29 * MINUTE);
  t.same(home.limits(), [4000], 'heard late for the first time: it counts from when it was said');
  await home.wait(MINUTE);
  t.same(home.limits(), []);
  home.close();
});

test('with a failsafe limit two commands, one of them over, are one state', async (t) => {
  const home = new Home(NOON, { limit_W: 3000, afterMs: 120_000 });
  home.send(from('over', NOON, MINUTE, 5));
  home.send(from('on', NOON, DAY, 4));
  await home.wait(2 * MINUTE);
  home.settled = 0;
  await home.wait(MINUTE, 1000);
  t.equal(home.receiver.limitation(), 'limited');
  t.equal(home.settled, 0, 'nothing is written while nothing changes');
  home.close();
});

test('an event that repeats itself is whole, or refused', async (t) => {
  const home = new Home();
  home.send(limit({ id: 'a', kW: 3, start: '2026-01-15T12:00:00Z', period: 'PT1S', duration: 'P30D' }));
  await home.wait(3 * HOUR);
  t.same(home.limits(), [3000], 'the same all the time is one interval');
  home.send(
    limit({ id: 'b', values: [1, 2], start: '2026-01-15T12:00:00Z', period: 'PT1S', duration: 'P30D' }),
  );
  t.same(home.rejected(), ['TOO_MANY']);
  t.same(home.limits(), [3000]);
  home.close();
});

test('a replayed command or withdrawal changes nothing', async (t) => {
  const home = new Home();
  const period = { start: '2026-01-15T12:00:00Z', period: 'P1D' };
  const [loose, tight] = [limit({ id: 'a', kW: 9, ...period }), limit({ id: 'a', kW: 2, ...period })];
  const gone = message({
    objectType: 'EVENT',
    operation: 'DELETE',
    object: { id: 'a', programID: 'limits' },
  });
  home.send(loose);
  await home.wait(MINUTE);
  home.send(tight);
  home.restart();
  home.send(loose);
  t.same([home.limits(), home.rejected()], [[2000], ['SIGNAL_STALE']], 'the version before');
  home.send(gone);
  t.same(home.limits(), []);
  home.send(tight);
  home.send(loose);
  t.same(home.limits(), [], 'nothing brings it back');
  await home.wait(MINUTE);
  home.send(limit({ id: 'a', kW: 3, ...period, modifiedMs: home.clock.wallMs() }));
  home.restart();
  home.send(gone);
  t.same(home.limits(), [3000], 'the withdrawal was of another version');
  home.close();
});

test('a change that says to be of the future is refused by a clock that stands', async (t) => {
  const home = new Home();
  await home.wait(2 * HOUR);
  const now = home.clock.wallMs();
  home.send(from('a', now, HOUR, 2, now + HOUR));
  t.same([home.limits(), home.rejected()], [[], ['SIGNAL_OUT_OF_RANGE']]);
  home.send(from('a', now, HOUR, 3, now + MINUTE));
  t.same(home.limits(), [3000], 'a clock that goes a little fast is none');
  home.close();
});

test('prices of the whole day are there after a restart, and not for ever', async (t) => {
  const midnight = NOON - 13 * HOUR;
  const home = new Home(midnight);
  for (let i = 0; i < 24; i++) {
    home.send(
      priceEvent(
        { id: `h${i}`, programID: 'prices', modifiedMs: midnight + i * HOUR },
        midnight + i * HOUR,
        [0.3],
      ),
    );
    await home.wait(HOUR);
  }
  home.restart();
  t.equal(home.receiver.current().length, 24);
  await home.wait(30 * HOUR);
  t.equal(home.receiver.current().length, 0);
  home.close();
});

test('what follows the failsafe limit is over in its time, whatever the wall clock does', async (t) => {
  const gentle = PROGRAMS.map((p) => ({ ...p, restore: { spreadMs: 20 * MINUTE, rampMs: 10 * MINUTE } }));
  for (const [startMs, jumpMs] of [
    [NOON, 0],
    [NOON, -6 * HOUR],
    [NOON, 6 * HOUR],
    [5000, 0],
    [5000, NOON],
  ] as const) {
    const home = new Home(startMs, { limit_W: 3000, afterMs: 2 * MINUTE }, gentle);
    home.link(false);
    await home.wait(3 * MINUTE);
    t.same(home.limits(), [3000], 'the broker is gone');
    home.link(true);
    await home.wait(2 * MINUTE);
    home.clock.jumpWall(jumpMs);
    await home.wait(7 * MINUTE);
    t.same(home.limits(), [3000], `a share of chance, ${startMs} ${jumpMs}`);
    const before = home.receiver.current();
    t.equal(home.receiver.current(), before, 'the same list');
    await home.wait(12 * MINUTE);
    t.same(home.limits(), [], 'over');
    home.close();
  }
});
