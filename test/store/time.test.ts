/** Values against a clock that is unset or jumps, and values that come late. */
import { test } from 'tap';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { openStore } from '../../firmware/store/index.ts';
import {
  advance,
  at,
  DAY,
  ENERGY,
  EVER,
  file,
  HOUR,
  late,
  onDisk,
  POWER,
  rest,
  START,
  values,
  ZONE,
} from './home.ts';

const YEARS = 50 * 365 * DAY;

test('a clock that jumps ahead by fifty years and back leaves nothing behind', async (t) => {
  const clock = new SimulatedClock(START);
  const where = file();
  const store = openStore(where, { clock, timeZone: ZONE });
  store.series.append([at(clock, 1)]);
  await advance(clock, HOUR);
  store.series.append([at(clock, 2)]);
  clock.jumpWall(YEARS);
  await advance(clock, 20_000);
  store.series.append([at(clock, 3)]);
  store.maintain(clock.wallMs());
  await rest(clock);
  t.equal(store.health().heldValues, 1, 'one value waits for a clock that can be believed');
  t.same(values(store, 'raw'), [1, 2, 3], 'and is shown all the same');
  clock.jumpWall(-YEARS);
  await rest(clock);
  t.equal(store.health().heldValues, 0);
  const rows = store.series.read(POWER, 'raw', 0, EVER);
  t.same(
    rows.map(({ value, atMs }) => [value, atMs - START]),
    [
      [1, 0],
      [2, HOUR],
      [3, HOUR + 20_000],
    ],
    'dated by the clock that does not jump',
  );
  await advance(clock, HOUR);
  store.series.append([at(clock, 4)]);
  await rest(clock);
  t.same(onDisk<{ n: number }>(where, `SELECT count(*) n FROM quarter WHERE at > ${START + DAY}`), [
    { n: 0 },
  ]);
  t.same(values(store, 'quarter'), [1, 2.5, 4]);
  store.close();
});

test('a clock that stays wrong forgets no faster than a right one', async (t) => {
  const clock = new SimulatedClock(START);
  const store = openStore(file(), { clock, timeZone: ZONE });
  const hours = 48;
  const run = async (): Promise<void> => {
    for (let quarter = 0; quarter < 4; quarter++) {
      store.series.append([at(clock, clock.elapsedMs() / HOUR)]);
      await advance(clock, HOUR / 4);
    }
    store.maintain(clock.wallMs());
  };
  for (let i = 0; i < hours; i++) await run();
  clock.jumpWall(300 * DAY);
  for (let i = 0; i < 8; i++) await run();
  const count = (resolution: 'raw' | 'quarter'): number =>
    store.series.read(POWER, resolution, START, START + hours * HOUR).length / 4;
  t.ok(
    count('raw') >= hours - 8 * 1.25 - 2,
    `of ${count('raw')} of ${hours} h the values are there after 8 h`,
  );
  t.ok(count('raw') < hours, 'though the clock is believed by now, and what it calls old goes in time');
  t.equal(count('quarter'), hours, 'roll-ups stay');
  store.close();
});

test('a clock that was behind is believed when it has stood for an hour; no slot of the past is touched', async (t) => {
  const clock = new SimulatedClock(START);
  const where = file();
  const store = openStore(where, { clock, timeZone: ZONE });
  store.series.append([at(clock, 10)]);
  await advance(clock, HOUR);
  store.series.append([at(clock, 15)]);
  await rest(clock);
  clock.jumpWall(-HOUR);
  store.series.append([at(clock, 90)]);
  await advance(clock, HOUR / 2);
  store.maintain(clock.wallMs());
  await rest(clock);
  t.same(onDisk(where, 'SELECT value FROM quarter'), [{ value: 10 }], 'not yet');
  await advance(clock, HOUR);
  store.series.append([at(clock, 20)]);
  await rest(clock);
  t.equal(store.health().heldValues, 0, 'it stood');
  t.same(values(store, 'raw'), [10, 90, 15, 20], 'and the value is where the clock that stood puts it');
  store.close();
});

test('after a long time off, and with a clock behind the records, the clock is confirmed first', async (t) => {
  const where = file();
  const first = openStore(where, { clock: new SimulatedClock(START), timeZone: ZONE });
  first.series.append([at(new SimulatedClock(START), 1)]);
  first.close();
  for (const [offMs, held] of [
    [DAY, 0],
    [2 * LIMITS.storeClockGapMs, 1],
    [-DAY, 1],
  ] as const) {
    const clock = new SimulatedClock(START + offMs);
    const store = openStore(where, { clock, timeZone: ZONE });
    store.series.append([at(clock, 2, 'voltage')]);
    t.equal(store.health().heldValues, held, `${offMs / DAY} days`);
    clock.jumpWall(2 * DAY - offMs);
    await advance(clock, LIMITS.storeClockConfirmMs + 2 * LIMITS.storeBatchMs);
    const [row] = store.series.read('m/voltage', 'raw', START + 2 * DAY - 1, EVER);
    if (held) t.equal(row?.atMs, START + 2 * DAY, 'dated by the clock that was set since');
    store.close();
  }
});

test('closed before the clock was set: the values are kept, with no time made up', async (t) => {
  const where = file();
  const clock = new SimulatedClock(5_000);
  const store = openStore(where, { clock, timeZone: ZONE });
  await advance(clock, 7_000);
  store.series.append([at(clock, 1), at(clock, 2, 'activeEnergyImport')]);
  t.same(values(store, 'raw'), [], 'in no series');
  store.close();
  t.same(onDisk(where, 'SELECT at, value, held FROM tail ORDER BY id'), [
    { at: 12_000, value: 1, held: 7_000 },
    { at: 12_000, value: 2, held: 7_000 },
  ]);
  const later = new SimulatedClock(START);
  const next = openStore(where, { clock: later, timeZone: ZONE });
  next.series.append([at(later, 3)]);
  await rest(later);
  t.equal(next.health().undatedValues, 2, 'put aside');
  t.equal(next.health().heldValues, 0);
  t.same(values(next, 'raw'), [3]);
  next.close();
  t.same(onDisk(where, 'SELECT at, value, held FROM undated ORDER BY id'), [
    { at: 12_000, value: 1, held: 7_000 },
    { at: 12_000, value: 2, held: 7_000 },
  ]);
});

test('killed within the hour that a jumped clock has to stand: the next run agrees or puts aside', async (t) => {
  for (const [nextMs, raw, undated] of [
    [HOUR, [1, 2], 0],
    [100 * DAY, [1], 1],
  ] as const) {
    const where = file();
    const clock = new SimulatedClock(START);
    const store = openStore(where, { clock, timeZone: ZONE });
    store.series.append([at(clock, 1)]);
    await rest(clock);
    clock.jumpWall(10 * DAY);
    store.series.append([at(clock, 2)]);
    const stampedMs = clock.wallMs();
    await rest(clock);
    store.close();
    const later = new SimulatedClock(stampedMs + nextMs);
    const next = openStore(where, { clock: later, timeZone: ZONE });
    next.series.append([at(later, 3)]);
    await advance(later, LIMITS.storeClockConfirmMs + 60_000);
    t.same(values(next, 'raw'), [...raw, 3]);
    t.equal(next.health().undatedValues, undated);
    next.close();
  }
});

test('a value that comes after its slot was rolled up gets into quarter and day', async (t) => {
  const clock = new SimulatedClock(START);
  const store = openStore(file(), { clock, timeZone: ZONE });
  await advance(clock, 60_000);
  store.series.append([at(clock, 10), at(clock, 100, 'activeEnergyImport')]);
  await advance(clock, DAY);
  store.series.append([at(clock, 50)]);
  await rest(clock);
  t.same(values(store, 'day'), [10, 50]);
  const agoMs = clock.wallMs() - START - 30_000;
  store.series.append([late(clock, 40, agoMs), late(clock, 70, agoMs, 'activeEnergyImport')]);
  t.same(values(store, 'quarter'), [25, 50], 'while it waits');
  await advance(clock, HOUR);
  store.series.append([at(clock, 60)]);
  await rest(clock);
  t.same(values(store, 'quarter'), [25, 50, 60], 'when it is where it stays');
  t.same(values(store, 'day'), [25, 55]);
  const [energy] = store.series.read(ENERGY, 'day', 0, EVER);
  t.equal(energy?.value, 100, 'a register keeps the value that was last in time, not in coming');
  t.same([energy?.min, energy?.max], [70, 100]);
  store.close();
});

test('a value that comes after its raw row aged out gets into quarter and day', async (t) => {
  const clock = new SimulatedClock(START);
  const where = file();
  const store = openStore(where, { clock, timeZone: ZONE });
  for (const value of [10, 20, 30]) {
    store.series.append([at(clock, value)]);
    await advance(clock, 20_000);
  }
  await advance(clock, (LIMITS.storeRawDays + 1) * DAY);
  store.series.append([at(clock, 5)]);
  await rest(clock);
  store.maintain(clock.wallMs());
  await rest(clock);
  t.same(values(store, 'raw'), [5], 'aged out');
  const agoMs = clock.wallMs() - START - 120_000;
  store.series.append([late(clock, 60, agoMs)]);
  await advance(clock, HOUR);
  store.series.append([at(clock, 5)]);
  await rest(clock);
  t.same(values(store, 'quarter'), [30, 5, 5], 'the mean of four');
  t.same(values(store, 'day'), [30, 5]);
  t.same(onDisk(where, 'SELECT n, min, max FROM quarter ORDER BY at LIMIT 1'), [{ n: 4, min: 10, max: 60 }]);
  store.close();
});
