/** Recordings sent again, forged counters, meters and keys that were changed: what a wireless meter is believed. */
import { test } from 'tap';
import type { MeterConfig } from '../../firmware/adapters/registry.ts';
import { joined } from '../../firmware/codecs/bytes.ts';
import { WirelessMeter } from '../../firmware/codecs/wmbus/kind.ts';
import { KEY, keptSettings, litres, OTHER, onSimulatedTime, plain } from '../twins/wireless-home.ts';
import { clearSession, counterMode, hex, KAMSTRUP, mode7 } from '../twins/wmbus-telegram.ts';

test('a replayed message counter is refused, after a restart too; repetitions are not counted twice', async (t) => {
  const makes: [string, (n: number, count: number) => Uint8Array][] = [
    ['mode 7', (n, count) => mode7(KAMSTRUP, KEY, count, litres(n))],
    ['counter mode', (n, count) => counterMode(KAMSTRUP, KEY, count, joined(hex('78'), litres(n)))],
  ];
  for (const [name, make] of makes) {
    const settings = keptSettings();
    const house = onSimulatedTime([{ key: KEY, settings }]);
    await house.run(2_000);
    const [w] = house.watched;
    for (const telegram of [make(1, 100), make(1, 100), make(2, 101), make(1, 100)])
      await house.hear(telegram);
    t.same(w?.volumes, [0.001, 0.002], `${name}: each message once`);
    t.same(w?.faults, ['REPLAYED'], `${name}: the old one is refused`);
    t.equal(house.seats[0]?.repeated, 1, `${name}: the repetition is counted apart`);
    await house.seats[0]?.close();
    const again = onSimulatedTime([{ key: KEY, settings }]);
    await again.run(2_000);
    await again.hear(make(1, 100));
    await again.hear(make(2, 101));
    await again.hear(make(3, 102));
    t.same(again.watched[0]?.volumes, [0.003], `${name}: after a restart`);
    t.same(again.watched[0]?.faults, ['REPLAYED']);
    await again.run(3_600_000);
    await again.hear(make(3, 102));
    t.same(again.watched[0]?.volumes, [0.003], `${name}: the last message again, an hour later`);
  }
});

test('a counter that no key vouches for refuses nothing; the same reading much later is new', async (t) => {
  const { watched, hear, run } = onSimulatedTime([{}]);
  await run(2_000);
  const clear = (minutes: number, n: number): Uint8Array =>
    clearSession(KAMSTRUP, minutes, joined(hex('78'), litres(n)));
  await hear(clear(9_000_000, 1));
  await hear(clear(5, 2));
  t.same(watched[0]?.volumes, [0.001, 0.002]);
  await hear(plain(KAMSTRUP, 7));
  await hear(plain(KAMSTRUP, 7));
  await run(600_000);
  await hear(plain(KAMSTRUP, 7));
  t.same(watched[0]?.volumes.slice(2), [0.007, 0.007]);
});

test('a meter or a key in its place counts from the start; what was told of the old one is told anew', async (t) => {
  const settings = keptSettings();
  const due = (n: number): Uint8Array => joined(litres(n), hex('426C3F3C 4413 07000000'));
  const lived = async (config: Partial<MeterConfig>, telegram: Uint8Array) => {
    const house = onSimulatedTime([{ settings, ...config }]);
    await house.run(2_000);
    await house.hear(telegram);
    await house.seats[0]?.close();
    return house.watched[0];
  };
  const successor = Uint8Array.from(KAMSTRUP, (byte, k) => (k === 2 ? 0x99 : byte));
  await lived({ key: KEY }, mode7(KAMSTRUP, KEY, 5_000_000, due(1)));
  const swapped = await lived({ key: KEY, address: '12345699' }, mode7(successor, KEY, 100, due(2)));
  t.same([swapped?.volumes, swapped?.faults], [[0.002], []], 'another meter');
  t.same(swapped?.told, [['STORED_VALUE', '2025-12-31']], 'its value of the due date is its own');
  const rekeyed = await lived({ key: OTHER }, mode7(KAMSTRUP, OTHER, 1, litres(3)));
  t.same([rekeyed?.volumes, rekeyed?.faults], [[0.003], []], 'another key');
  const replayed = await lived({ key: KEY }, mode7(KAMSTRUP, KEY, 4_000_000, litres(1)));
  t.same([replayed?.volumes, replayed?.faults], [[], ['REPLAYED']], 'back again: its counter was kept');
});

test('a counter in a layer that nothing vouches for locks nobody out', async (t) => {
  const key = new Uint8Array(16).fill(7);
  const afl = '26442d2c78563412010490060008ffffffff7a2a001005cd1f07f8c4dccedfa3d8507486f18aea';
  const ell = '27442d2c7856341201048d202affffff1f845b7a2a001005cd1f07f8c4dccedfa3d8507486f18aea';
  for (const forged of [afl, ell]) {
    const clear = new WirelessMeter(key).open(hex(forged));
    t.match(clear, { ok: true, value: { secured: true, counter: null } }, 'no code, or a layer in clear');
    const { watched, hear, run } = onSimulatedTime([{ key }]);
    await run(2_000);
    await hear(hex(forged));
    await hear(mode7(hex('2D2C785634120104'), key, 5, litres(2)));
    await hear(counterMode(hex('2D2C785634120104'), key, 9, joined(hex('78'), litres(3))));
    t.same(watched[0]?.volumes, [0.001, 0.002, 0.003]);
    t.same(watched[0]?.faults, []);
  }
});

test('a counter that only a checksum proves goes ahead by a day at most, or twice in a row', async (t) => {
  const { watched, hear, run } = onSimulatedTime([{ key: KEY }]);
  await run(2_000);
  const [w] = watched;
  const at = (minutes: number, n: number): Promise<void> =>
    hear(counterMode(KAMSTRUP, KEY, minutes, joined(hex('78'), litres(n))));
  await at(100, 1);
  await at(9_000_000, 99);
  await at(101, 2);
  t.same([w?.volumes, w?.faults], [[0.001, 0.002], ['BAD_AUTHENTICATION']], 'a lucky hit is nothing');
  await at(101 + 1440, 3);
  t.same(w?.volumes.at(-1), 0.003, 'a day ahead');
  await run(3 * 86_400_000);
  await at(101 + 1440 + 4 * 1440, 4);
  t.same(w?.volumes.at(-1), 0.004, 'time that has passed counts');
  await at(5_000_000, 98);
  await at(9_000_000, 99);
  t.same(w?.volumes.at(-1), 0.004, 'two hits that do not fit');
  await at(9_000_001, 5);
  await at(6_000, 97);
  t.same(w?.volumes.slice(4), [0.005], 'a clock that was set is followed from its second message on');
  const silence = new Set(['TIMEOUT', 'NO_TELEGRAM']);
  t.same(w?.faults.filter((code) => !silence.has(code)).slice(1), [
    'BAD_AUTHENTICATION',
    'BAD_AUTHENTICATION',
    'REPLAYED',
  ]);
});
