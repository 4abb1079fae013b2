/** Disks that are full, read-only, gone, damaged or of a newer version: the house goes on. */
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { test } from 'tap';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { openStore } from '../../firmware/store/index.ts';
import { connectFile } from '../../firmware/store/open.ts';
import { OwnerPassword } from '../../firmware/web/password.ts';
import { limitFor, simulatedHome } from '../simulation/home.ts';
import { advance, at, DAY, EVER, file, HOUR, onDisk, POWER, rest, START, values, ZONE } from './home.ts';
import { limitSignal } from './limit.ts';

const entry = (clock: SimulatedClock, code: string, kind: 'command' | 'decision' = 'decision') => ({
  atMs: clock.wallMs(),
  kind,
  subject: 'boiler',
  code,
  detail: {},
});

const limit = limitSignal({ intervals: [{ fromMs: START, untilMs: START + 30 * DAY, value: 0 }] });

const codes = (store: ReturnType<typeof openStore>): string[] =>
  store.journal
    .read({ limit: 50 })
    .filter(({ kind }) => kind !== 'system')
    .map(({ code }) => code);

test('no disk at the start: the house goes on from memory, and everything is written when there is one', async (t) => {
  const where = file();
  mkdirSync(where);
  const clock = new SimulatedClock(START);
  const store = openStore(where, { clock, timeZone: ZONE });
  t.match(store.opened.join(), /writing failed/);
  t.match(store.health(), {
    mode: 'memory',
    code: 'STORE_UNREACHABLE',
    size_bytes: null,
    lastCommitAgeMs: null,
  });
  store.series.append([at(clock, 1), at(clock, 5, 'activeEnergyImport')]);
  store.journal.record(entry(clock, 'STARTED', 'command'));
  store.settings.set('a', 'b');
  store.signals.save(limit);
  store.overrides.save('boiler', { kind: 'off' });
  t.equal(store.writes.spend('boiler', START, 1), true);
  t.equal(store.writes.spend('boiler', START, 1), false, 'the write budget holds without a disk');
  await advance(clock, HOUR);
  const failures = store.health().failures.STORE_UNREACHABLE ?? 0;
  t.ok(failures > 50 && failures < 80, `tried with back-off, ${failures} times in the hour`);
  t.same(values(store, 'raw'), [1]);
  t.same(values(store, 'quarter'), [1]);
  t.equal(store.signals.load(START)[0]?.intervals[0]?.value, 0);
  t.same(store.overrides.load().get('boiler'), { kind: 'off' });
  t.same(codes(store), ['STARTED']);
  rmdirSync(where);
  await advance(clock, 2 * LIMITS.storeRetryMaxMs);
  t.match(store.health(), { mode: 'disk', code: null, pendingValues: 0, pendingEntries: 0, lost: 0 });
  t.equal(store.journal.read({ limit: 1 })[0]?.code, 'OPENED', 'and says so');
  const { tailValues, lastCommitAgeMs, free_bytes } = store.health();
  t.equal(tailValues, 0, 'where they stay');
  t.ok((lastCommitAgeMs ?? Infinity) <= 2 * LIMITS.storeRetryMaxMs && (free_bytes ?? 0) > 0);
  store.close();
  const again = openStore(where, { clock, timeZone: ZONE });
  t.same(values(again, 'raw'), [1]);
  t.same(codes(again), ['STARTED']);
  t.equal(again.settings.get('a'), 'b');
  t.equal(again.writes.used('boiler', START), 1);
  again.close();
});

test('memory is bounded while there is no disk: the oldest values go, commands stay longest', async (t) => {
  const where = path.join(file(), 'under-a-file', 'db');
  writeFileSync(path.dirname(path.dirname(where)), '');
  const clock = new SimulatedClock(START);
  const store = openStore(where, { clock, timeZone: ZONE });
  store.journal.record(entry(clock, 'SUCCEEDED', 'command'));
  for (let i = 0; i < 12; i++) {
    await advance(clock, 60_000);
    const shifted = (k: number) => ({ ...at(clock, i * 5000 + k), receivedMs: clock.wallMs() + k });
    store.series.append(Array.from({ length: 5000 }, (_, k) => shifted(k)));
    for (let k = 0; k < 300; k++) store.journal.record(entry(clock, 'FREE'));
  }
  const health = store.health();
  t.ok(health.pendingValues <= LIMITS.storeMemoryRows, `${health.pendingValues} values`);
  t.ok(health.pendingEntries <= LIMITS.storeMemoryJournal, `${health.pendingEntries} entries`);
  t.ok(health.lost >= 10_000 + 1600, `${health.lost} given up, and counted`);
  t.ok((health.failures.STORE_OVERFLOW ?? 0) > 0);
  const kept = store.series.read(POWER, 'raw', 0, EVER);
  t.equal(kept.at(-1)?.value, 59_999, 'the newest is there');
  t.ok((kept[0]?.value ?? 0) >= 5000, 'the oldest went');
  t.equal(store.journal.read({ limit: 5, kind: 'command' }).length, 1);
  store.close();
});

test('a disk that becomes full while running: the oldest raw values make room, nothing new is lost', async (t) => {
  const clock = new SimulatedClock(START);
  const where = file();
  const store = openStore(where, { clock, timeZone: ZONE, maxSize_bytes: 256 * 1024 });
  store.settings.set('keep', 'me');
  for (let i = 0; i < 24 * 4; i++) {
    for (let k = 0; k < 90; k++)
      store.series.append([{ ...at(clock, i), receivedMs: clock.wallMs() + k * 10_000 }]);
    await advance(clock, 900_000);
  }
  await rest(clock);
  const health = store.health();
  t.ok((health.failures.STORE_FULL ?? 0) > 0, 'it was full');
  t.match(health, { mode: 'disk', code: null, lost: 0, pendingValues: 0 });
  t.ok((health.size_bytes ?? Infinity) < 256 * 1024 + 2 * 1024 * 1024, `${health.size_bytes} with the log`);
  const raw = store.series.read(POWER, 'raw', 0, EVER);
  t.equal(raw.at(-1)?.value, 95);
  t.ok((raw[0]?.atMs ?? 0) > START + HOUR, 'the oldest went');
  t.equal(store.series.read(POWER, 'quarter', 0, EVER).length, 96, 'what was rolled up is all there');
  store.close();
  t.same(onDisk(where, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
  t.same(onDisk(where, 'SELECT name FROM setting'), [{ name: 'keep' }]);
});

test('a disk that is full or read-only at the start, or becomes so', async (t) => {
  for (const [code, expected] of [
    ['SQLITE_FULL', 'STORE_FULL'],
    ['EROFS', 'STORE_READ_ONLY'],
    ['SQLITE_CANTOPEN', 'STORE_UNREACHABLE'],
  ] as const) {
    const clock = new SimulatedClock(START);
    let refuses = true;
    const where = file();
    const connect: typeof connectFile = (name, options) => {
      if (refuses) throw Object.assign(new Error('no'), { code });
      return connectFile(name, options);
    };
    const store = openStore(where, { clock, timeZone: ZONE, connect });
    t.match(store.health(), { mode: 'memory', code: expected });
    store.series.append([at(clock, 1)]);
    await rest(clock);
    refuses = false;
    await advance(clock, 2 * LIMITS.storeRetryMaxMs);
    t.match(store.health(), { mode: 'disk', code: null, pendingValues: 0 });
    store.close();
  }
  const where = file();
  const clock = new SimulatedClock(START);
  const connections: Database.Database[] = [];
  let readOnly = false;
  const connect: typeof connectFile = (name, options) => {
    const db = connectFile(name, options);
    connections.push(db);
    if (readOnly) db.pragma('query_only = ON');
    return db;
  };
  const store = openStore(where, { clock, timeZone: ZONE, connect });
  store.settings.set('a', 'b');
  await advance(clock, 1);
  readOnly = true;
  for (const db of connections) db.pragma('query_only = ON');
  store.series.append([at(clock, 7)]);
  await rest(clock);
  t.equal(store.health().code, 'STORE_READ_ONLY');
  t.same(values(store, 'raw'), [7]);
  const second = openStore(where, { clock, timeZone: ZONE, connect });
  t.equal(second.settings.get('a'), 'b', 'what is on a disk that cannot be written is read all the same');
  second.close();
  readOnly = false;
  await advance(clock, 2 * LIMITS.storeRetryMaxMs);
  t.match(store.health(), { mode: 'disk', code: null, pendingValues: 0 });
  store.close();
});

test('the file is deleted or replaced by a folder while running', async (t) => {
  const where = file();
  const clock = new SimulatedClock(START);
  const store = openStore(where, { clock, timeZone: ZONE });
  store.settings.set('a', 'b');
  store.series.append([at(clock, 1)]);
  await rest(clock);
  renameSync(where, `${where}.taken`);
  mkdirSync(where);
  store.series.append([at(clock, 2)]);
  await rest(clock);
  t.match(store.health(), { mode: 'memory', code: 'STORE_UNREACHABLE' });
  t.equal(store.settings.get('a'), 'b');
  t.same(values(store, 'raw'), [1, 2], 'what is young enough is in memory');
  rmdirSync(where);
  for (const suffix of ['-wal', '-shm']) rmSync(where + suffix, { force: true });
  await advance(clock, 2 * LIMITS.storeRetryMaxMs);
  t.equal(store.health().mode, 'disk');
  store.close();
  t.same(onDisk(where, 'SELECT value FROM tail ORDER BY id'), [{ value: 1 }, { value: 2 }]);
  t.same(onDisk(where, 'SELECT name, value FROM setting'), [{ name: 'a', value: 'b' }]);
});

test('a newer database is refused with its code and not touched; the house runs from memory', async (t) => {
  const where = file();
  const clock = new SimulatedClock(START);
  const first = openStore(where, { clock, timeZone: ZONE });
  first.settings.set('web.password', 'kept');
  first.signals.save(limit);
  first.close();
  const db = new Database(where);
  db.pragma('user_version = 99');
  db.close();
  const before = readFileSync(where);
  const store = openStore(where, { clock, timeZone: ZONE });
  t.match(store.health(), { mode: 'memory', code: 'STORE_NEWER' });
  t.match(store.opened.join(), /version 99/);
  t.equal(store.settings.get('web.password'), 'kept', 'what is needed at once is read');
  t.equal(store.signals.load(START).length, 1);
  store.series.append([at(clock, 1)]);
  store.settings.set('b', 'c');
  await advance(clock, HOUR);
  t.same(values(store, 'raw'), [1]);
  store.close();
  t.ok(readFileSync(where).equals(before), 'byte for byte as it was');
  t.same(
    readdirSync(path.dirname(where)).filter((name) => name.startsWith(`${path.basename(where)}.`)),
    [],
  );
});

test('while nothing is known the first password cannot be set', async (t) => {
  const where = file();
  mkdirSync(where);
  const clock = new SimulatedClock(START);
  const store = openStore(where, { clock, timeZone: ZONE });
  const password = new OwnerPassword(store.settings, seededRandom(1));
  t.match(await password.setFirst('a stranger came first'), {
    ok: false,
    error: { code: 'STORE_UNREACHABLE' },
  });
  rmdirSync(where);
  await advance(clock, 2 * LIMITS.storeRetryMaxMs);
  store.journal.record(entry(clock, 'FREE'));
  await rest(clock);
  t.match(await password.setFirst('the owner, when there is a disk'), { ok: true });
  store.close();
});

/** A database with history, settings and a journal. */
async function fill(where: string, clock: SimulatedClock): Promise<void> {
  const store = openStore(where, { clock, timeZone: ZONE });
  for (let i = 0; i < 40; i++) {
    const shifted = (k: number) => ({ ...at(clock, i * 450 + k), receivedMs: clock.wallMs() + k * 2_000 });
    store.series.append(Array.from({ length: 450 }, (_, k) => shifted(k)));
    for (let k = 0; k < 20; k++) store.journal.record(entry(clock, `E${i * 20 + k}`, 'command'));
    await advance(clock, 900_000);
  }
  store.settings.set('web.password', 'kept');
  store.signals.save(limit);
  store.close();
}

function scribble(where: string, page: number): void {
  const handle = openSync(where, 'r+');
  writeSync(handle, Buffer.alloc(4096, 0xa5), 0, 4096, (page - 1) * 4096);
}

test('a damaged page: what is readable is salvaged, and what was kept and lost is said', async (t) => {
  const where = file();
  const clock = new SimulatedClock(START);
  await fill(where, clock);
  const [{ page } = { page: 0 }] = onDisk<{ page: number }>(
    where,
    `SELECT max(pageno) AS page FROM (SELECT pageno FROM dbstat WHERE name = 'raw' AND pagetype = 'leaf' ORDER BY path LIMIT 40)`,
  ).filter(({ page }) => page > 0);
  t.ok(page > 0);
  scribble(where, page);
  const store = openStore(where, { clock, timeZone: ZONE });
  t.match(store.opened.join(), /moved to .*damaged-1/);
  t.equal(store.settings.get('web.password'), 'kept', 'facts are there at once');
  t.equal(store.signals.load(START).length, 1);
  await advance(clock, 60_000);
  const kept = store.series.read(POWER, 'raw', 0, EVER);
  t.ok(kept.length > 17_000 && kept.length < 18_000, `${kept.length} of 18000 values kept`);
  t.ok(
    kept.every(
      ({ atMs, value }) =>
        value === Math.floor((atMs - START) / 900_000) * 450 + ((atMs - START) % 900_000) / 2000,
    ),
    'none invented',
  );
  t.equal(store.series.read(POWER, 'quarter', 0, EVER).length, 40);
  t.equal(store.journal.read({ limit: 1000, kind: 'command' }).length, 800, 'the journal is whole');
  t.match(
    store.opened.join(),
    new RegExp(`salvaged from .*: ${kept.length} values, .* 1 places could not be read`),
  );
  t.match(store.journal.read({ limit: 3 })[0]?.detail, { text: /salvaged/ });
  store.journal.record(entry(clock, 'NEWEST'));
  t.equal(store.journal.read({ limit: 1 })[0]?.code, 'NEWEST', 'new entries come after old ones');
  store.close();
  t.same(onDisk(where, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
});

test('damage that is met while running: the house goes on with a new file and what could be read', async (t) => {
  const where = file();
  const clock = new SimulatedClock(START);
  await fill(where, clock);
  const connect: typeof connectFile = (name, options) => {
    const db = connectFile(name, options);
    db.pragma('cache_size = 5');
    return db;
  };
  const store = openStore(where, { clock, timeZone: ZONE, connect });
  for (const { pageno } of onDisk<{ pageno: number }>(
    where,
    `SELECT pageno FROM dbstat WHERE name = 'raw'`,
  ).slice(-60))
    scribble(where, pageno);
  store.series.append([at(clock, -1)]);
  for (let i = 0; i < 3; i++) {
    values(store, 'raw');
    await rest(clock);
  }
  t.ok((store.health().failures.STORE_CORRUPT ?? 0) > 0, 'it was met');
  t.match(store.health(), { mode: 'disk', code: null, pendingValues: 0 });
  await advance(clock, 60_000);
  t.equal(values(store, 'raw').at(-1), -1);
  t.ok(values(store, 'raw').length > 5_000, `${values(store, 'raw').length} values`);
  t.equal(store.settings.get('web.password'), 'kept');
  store.close();
  t.same(onDisk(where, 'PRAGMA integrity_check'), [{ integrity_check: 'ok' }]);
});

test('garbage and cut files are moved aside, a bounded number of them', async (t) => {
  const where = file();
  const clock = new SimulatedClock(START);
  for (let i = 1; i <= 4; i++) {
    writeFileSync(where, 'this is not a database, and longer than sixteen bytes');
    const store = openStore(where, { clock, timeZone: ZONE });
    t.match(store.opened.join(), new RegExp(`damaged-${i}`));
    store.settings.set('x', 'y');
    store.close();
    truncateSync(where, 8192);
    for (const suffix of ['-wal', '-shm']) rmSync(where + suffix, { force: true });
    rmSync(where);
  }
  const left = readdirSync(path.dirname(where)).filter((name) =>
    name.startsWith(`${path.basename(where)}.damaged`),
  );
  t.same(
    left.sort(),
    [3, 4].map((n) => `${path.basename(where)}.damaged-${n}`),
  );

  const cut = file();
  await fill(cut, clock);
  truncateSync(cut, 400 * 1024);
  const after = openStore(cut, { clock, timeZone: ZONE });
  t.match(after.opened.join(), /damaged/);
  await advance(clock, 60_000);
  t.ok(existsSync(`${cut}.damaged-1`));
  t.ok(values(after, 'raw').length > 1000, `${values(after, 'raw').length} values of the half that is there`);
  after.close();
});

test('limits hold in a house whose disk is gone', async (t) => {
  const where = file();
  mkdirSync(where);
  const home = simulatedHome(7, START, where);
  await home.clock.advanceTo(60_000);
  limitFor(home, 'zero', 30, 0);
  await home.clock.advanceTo(120_000);
  const { decision } = home.house().gateway.snapshot();
  t.equal(decision?.limits[0]?.limit_W, 0);
  // The roof covers the boiler; what it does not cover stands still.
  t.equal(home.twins.wallbox.registers.holding.get(1000), 0, 'the wallbox is off');
  t.ok((home.house().gateway.snapshot().image.grid_W.value ?? 1) <= 0);
  t.equal(home.storage().health().mode, 'memory');
  t.ok(home.storage().journal.read({ limit: 100, kind: 'signal' }).length > 0);
  await home.stop();
});
