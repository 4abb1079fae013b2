/** Wireless meters: every make of receiver over a real line, keys, replays, strangers. */
import { test } from 'tap';
import { WirelessReceiver } from '../../firmware/adapters/meters/wmbus/receiver.ts';
import { WirelessMeterSeat } from '../../firmware/adapters/meters/wmbus/wireless-meter.ts';
import { METER_PROTOCOLS, type MeterConfig } from '../../firmware/adapters/registry.ts';
import { join } from '../../firmware/codecs/mbus/transport.ts';
import { WirelessMeter } from '../../firmware/codecs/wmbus/kind.ts';
import { RECEIVERS, type ReceiverName } from '../../firmware/codecs/wmbus/receivers/index.ts';
import type { ReceiverFrame } from '../../firmware/codecs/wmbus/receivers/receiver.ts';
import type { Link } from '../../firmware/domain/link.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { HeardMeter } from '../../firmware/domain/radio.ts';
import type { ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { ptyCarrier, tcpCarrier } from '../twins/carriers.ts';
import { ReceiverTwin } from '../twins/wmbus-receiver.ts';
import { clearSession, counterMode, hex, KAMSTRUP, mode5, mode7, wireless } from '../twins/wmbus-telegram.ts';

const real = systemClock();
const KEY = hex('000102030405060708090A0B0C0D0E0F');
const OTHER = hex('0F0E0D0C0B0A09080706050403020100');
const litres = (n: number): Uint8Array => {
  const bytes = Uint8Array.of(0x04, 0x13, 0, 0, 0, 0);
  new DataView(bytes.buffer).setUint32(2, n, true);
  return bytes;
};
const plain = (address: Uint8Array, n: number): Uint8Array => wireless(address, hex('7A2A000000'), litres(n));
/** A meter of its own identification number. */
const numbered = (n: number): Uint8Array =>
  Uint8Array.from(KAMSTRUP, (byte, k) => (k === 2 ? ((n / 10) << 4) | (n % 10) : k === 3 ? 0 : byte));

interface Watched {
  readonly volumes: (number | null)[];
  readonly faults: string[];
  readonly said: string[];
  readonly health: string[];
  /** Events as code and flag or date. */
  readonly told: unknown[];
  readonly kept: (number | null)[];
}

function watch(meter: ResourceManager): Watched {
  const volumes: (number | null)[] = [];
  const faults: string[] = [];
  const said: string[] = [];
  const health: string[] = [];
  const told: unknown[] = [];
  const kept: (number | null)[] = [];
  meter.open({
    measured: (all: readonly Measurement[]) =>
      void volumes.push(...all.filter((m) => m.point.quantity === 'volume').map((m) => m.value)),
    flexibility: () => {},
    status: () => {},
    health: (h) => void health.push(h),
    fault: (f) => {
      faults.push(f.code);
      said.push(f.message);
    },
    noted: ({ code, detail }) => void told.push([code, detail.flag ?? detail.date]),
    history: (values) => void kept.push(...values.map((m) => m.value)),
  });
  return { volumes, faults, said, health, told, kept };
}

async function until(what: string, done: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!done()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const opened = (config: Partial<MeterConfig>, link: Link, clock: Clock = real): ResourceManager =>
  METER_PROTOCOLS.wmbus(
    { id: 'm', address: '12345678', intervalMs: 1000, timeZone: 'Europe/Berlin', ...config },
    link,
    clock,
  );

const MODE_WORDS: Readonly<Record<ReceiverName, string[]>> = {
  im871a: ['link mode 10'],
  amb8465: ['mode 9'],
  cul: ['c'],
  rc1180: [],
  'rtl-wmbus': [],
};

test('each make of receiver over TCP: set up, two meters on one receiver, both formats', async (t) => {
  for (const name of Object.keys(RECEIVERS) as ReceiverName[]) {
    const carrier = await tcpCarrier((chunk) => twin.take(chunk));
    const twin = new ReceiverTwin(name, (bytes) => carrier.write(bytes));
    const link = realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, real);
    const one = opened({ receiver: name }, link);
    const two = opened({ receiver: name, id: 'n', address: 'KAM 12340042' }, link);
    const [first, second] = [watch(one), watch(two)];
    await until(`${name} is set up`, () => twin.modes.length >= MODE_WORDS[name].length);
    await new Promise((resolve) => setTimeout(resolve, 50));
    twin.hear(plain(KAMSTRUP, 1001), 'A');
    twin.hear(plain(numbered(42), 2002), 'B');
    await until(`${name}: both meters`, () => first.volumes.length > 0 && second.volumes.length > 0);
    t.same([first.volumes, second.volumes], [[1.001], [2.002]], name);
    t.same(twin.modes, MODE_WORDS[name], `${name} receives the mode`);
    t.same([first.faults, second.faults], [[], []], `${name}: no fault`);
    await Promise.all([one.close(), two.close()]);
    await carrier.close();
  }
});

test('a receiver on a serial line, pulled out and put back', async (t) => {
  const line = await ptyCarrier();
  const twin = new ReceiverTwin('amb8465', (bytes) => line.write(bytes));
  line.onBytes((chunk) => twin.take(chunk));
  const { line: settings } = RECEIVERS.amb8465;
  const link = realLink({ kind: 'serial', path: line.path, ...settings }, real);
  const meter = opened({ receiver: 'amb8465' }, link);
  const w = watch(meter);
  await until('it is set up', () => twin.modes.length > 0);
  t.equal(line.baudRate(), 9600);
  twin.hear(plain(KAMSTRUP, 5));
  await until('a reading', () => w.volumes.length > 0);
  t.same(w.volumes, [0.005]);
  await line.close();
  await until('it is missed', () => w.health.at(-1) === 'silent');
  t.ok(w.faults.includes('LINK_GONE') || w.faults.includes('LINK_REFUSED'));
  await meter.close();
});

test('an AMB8465 that sends no strength of the signal is asked, and keeps the last byte of each telegram', async (t) => {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
  for (const make of ['amb8465', 'amb8465 without signal'] as const) {
    const { link, twin: end } = simulatedLine(clock, 'radio');
    const twin = new ReceiverTwin(make, (bytes) => end.write(bytes));
    end.onBytes((bytes) => twin.take(bytes));
    const meter = opened({ receiver: 'amb8465' }, link, clock);
    const w = watch(meter);
    await clock.advanceTo(clock.elapsedMs() + 2_000);
    twin.hear(plain(KAMSTRUP, 5));
    await clock.advanceTo(clock.elapsedMs() + 1_000);
    t.same([w.volumes, w.faults, twin.modes], [[0.005], [], ['mode 9']], make);
    await meter.close();
  }
  const decoder = RECEIVERS.amb8465.decoder();
  const taken = (bytes: string) => [...decoder.push(hex(bytes))];
  taken('FF 8A 03 45 01 00 32');
  t.match(taken('ff0314442d2c785634120107 7a2a0000000c1378563412e4'), [
    { frame: { bytes: hex('14442d2c7856341201077a2a0000000c1378563412'), signal_dBm: null } },
  ]);
  taken('FF 8A 04 44 02 00 01 36');
  t.match(taken('ff0314442d2c785634120107 7a2a0000000c1378563412e4'), [{ frame: { signal_dBm: -65 } }]);
});

test('however the bytes are cut, between noise, each telegram comes once', async (t) => {
  for (const name of Object.keys(RECEIVERS) as ReceiverName[]) {
    const twin = new ReceiverTwin(name, () => {});
    const telegrams = [1, 2, 3].map((n) => plain(KAMSTRUP, n));
    const noise = name === 'cul' || name === 'rtl-wmbus' ? Buffer.from('LOVF\r\nb12\r\n') : hex('00 17 03');
    const bytes = join(...telegrams.flatMap((telegram) => [noise, twin.frame(telegram)]));
    for (const size of [1, 2, 3, 7, 31, 64, bytes.length]) {
      const decoder = RECEIVERS[name].decoder();
      const frames: ReceiverFrame[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        for (const d of decoder.push(bytes.subarray(at, at + size))) if (d.ok) frames.push(d.frame);
      }
      for (const d of decoder.end()) if (d.ok) frames.push(d.frame);
      t.equal(frames.filter((f) => f.kind === 'telegram').length, 3, `${name} in pieces of ${size}`);
    }
  }
});

test('seeded noise: no receiver crashes, hangs or keeps more than its bound', async (t) => {
  let state = 7;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  for (const name of Object.keys(RECEIVERS) as ReceiverName[]) {
    const decoder = RECEIVERS[name].decoder();
    let results = 0;
    for (let run = 0; run < 400; run++) {
      const chunk = new Uint8Array(200).map(() => next());
      if (run % 3 === 0) chunk[0] = [0xa5, 0xff, 0x62, 0x44, 0x54][run % 5] ?? 0;
      for (const _ of decoder.push(chunk)) results += 1;
    }
    for (const _ of decoder.end()) results += 1;
    const after = new ReceiverTwin(name, () => {}).frame(plain(KAMSTRUP, 9));
    const good = [...decoder.push(Buffer.from('\r\n')), ...decoder.push(after), ...decoder.end()];
    t.ok(
      good.some((d) => d.ok && d.frame.kind === 'telegram'),
      `${name} reads the telegram after ${results}`,
    );
  }
});

/** A receiver on simulated time, with what came of its meters. */
function onSimulatedTime(configs: Partial<MeterConfig>[], noticed: (m: HeardMeter) => void = () => {}) {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
  const run = (ms: number): Promise<void> => clock.advanceTo(clock.elapsedMs() + ms);
  const { link, twin: end } = simulatedLine(clock, 'radio');
  const twin = new ReceiverTwin('im871a', (bytes) => end.write(bytes));
  end.onBytes((bytes) => twin.take(bytes));
  const receiver = new WirelessReceiver({ receiver: 'im871a', mode: 'C1+T1' }, link, clock, noticed);
  const seats = configs.map(
    (c, k) =>
      new WirelessMeterSeat(
        { id: `m${k}`, address: '12345678', timeZone: 'Europe/Berlin', ...c },
        receiver,
        clock,
      ),
  );
  const watched = seats.map(watch);
  const hear = async (telegram: Uint8Array): Promise<void> => {
    twin.hear(telegram);
    await run(1_000);
  };
  return { run, twin, end, receiver, seats, watched, hear };
}

test('no key, wrong key, bad code, in clear, cut: each its own answer', async (t) => {
  const cases: [string, Uint8Array | undefined, Uint8Array, string][] = [
    ['no key', undefined, mode5(KAMSTRUP, KEY, 1, litres(1)), 'KEY_MISSING'],
    ['wrong key', OTHER, mode5(KAMSTRUP, KEY, 1, litres(1)), 'KEY_WRONG'],
    ['in clear', KEY, plain(KAMSTRUP, 1), 'NOT_ENCRYPTED'],
    ['undecodable', undefined, wireless(KAMSTRUP, hex('7A2A000000'), hex('0413')), 'BAD_VALUE'],
  ];
  const forged = mode7(KAMSTRUP, KEY, 9, litres(1));
  forged[22] = (forged[22] ?? 0) ^ 1;
  cases.push(['bad authentication code', KEY, forged, 'BAD_AUTHENTICATION']);
  for (const [name, key, telegram, code] of cases) {
    const { watched, hear, run } = onSimulatedTime([key ? { key } : {}]);
    await run(2_000);
    await hear(telegram);
    t.same(watched[0]?.volumes, [], `${name}: no value`);
    t.same(watched[0]?.faults, [code], name);
  }
});

test('a replayed message counter is refused, after a restart too; repetitions are not counted twice', async (t) => {
  const kept = new Map<string, string>();
  const settings = {
    get: (name: string) => kept.get(name) ?? null,
    set: (name: string, value: string) => void kept.set(name, value),
    remove: (name: string) => void kept.delete(name),
  };
  const makes: [string, (n: number, count: number) => Uint8Array][] = [
    ['mode 7', (n, count) => mode7(KAMSTRUP, KEY, count, litres(n))],
    ['counter mode', (n, count) => counterMode(KAMSTRUP, KEY, count, join(hex('78'), litres(n)))],
  ];
  for (const [name, make] of makes) {
    kept.clear();
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
    clearSession(KAMSTRUP, minutes, join(hex('78'), litres(n)));
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
  const kept = new Map<string, string>();
  const settings = {
    get: (name: string) => kept.get(name) ?? null,
    set: (name: string, value: string) => void kept.set(name, value),
    remove: (name: string) => void kept.delete(name),
  };
  const due = (n: number): Uint8Array => join(litres(n), hex('426C3F3C 4413 07000000'));
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
    await hear(counterMode(hex('2D2C785634120104'), key, 9, join(hex('78'), litres(3))));
    t.same(watched[0]?.volumes, [0.001, 0.002, 0.003]);
    t.same(watched[0]?.faults, []);
  }
});

test('a counter that only a checksum proves goes ahead by a day at most, or twice in a row', async (t) => {
  const { watched, hear, run } = onSimulatedTime([{ key: KEY }]);
  await run(2_000);
  const [w] = watched;
  const at = (minutes: number, n: number): Promise<void> =>
    hear(counterMode(KAMSTRUP, KEY, minutes, join(hex('78'), litres(n))));
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

test('the number that stands for no value is none to the house', async (t) => {
  const { watched, hear, run } = onSimulatedTime([{}]);
  await run(2_000);
  await hear(wireless(KAMSTRUP, hex('7A2A000000 0413 00000080 426C3F3C 4413 00000080')));
  t.same([watched[0]?.volumes, watched[0]?.kept], [[null], [null]]);
});

test('strangers are listed, bounded, and go nowhere else', async (t) => {
  const noticed: HeardMeter[] = [];
  const { receiver, watched, hear, run } = onSimulatedTime([{}], (m) => void noticed.push(m));
  await run(2_000);
  await hear(plain(numbered(7), 1));
  await hear(plain(numbered(7), 2));
  await hear(mode5(numbered(8), KEY, 1, litres(1)));
  t.same(
    receiver.heard().map(({ id, telegrams, refused }) => [id, telegrams, refused?.code]),
    [
      ['12340008', 1, 'KEY_MISSING'],
      ['12340007', 2, undefined],
    ],
  );
  t.match(noticed[0], { manufacturer: 'KAM', medium: 'water', signal_dBm: -60 });
  t.same(watched[0]?.volumes, []);
  for (let n = 0; n < 400; n++) {
    const other = Uint8Array.from(KAMSTRUP, (byte, k) => (k === 2 ? n & 255 : k === 3 ? n >> 8 : byte));
    await hear(plain(other, 1));
  }
  t.equal(receiver.heard().length, 256);
});

test('a receiver that does not answer is said so and listened to', async (t) => {
  const { twin, watched, hear, run } = onSimulatedTime([{}]);
  twin.deaf = true;
  await run(10_000);
  t.same(watched[0]?.faults, ['TIMEOUT']);
  await hear(plain(KAMSTRUP, 3));
  t.same(watched[0]?.volumes, [0.003]);
  t.equal(watched[0]?.health.at(-1), 'ok');
});

test('a receiver that answers and hears nobody is there: it is the air that is silent', async (t) => {
  const { watched, run, hear, end } = onSimulatedTime([{}]);
  const twoHours = 2 * 3_600_000 + 5_000;
  await run(twoHours);
  t.same(watched[0]?.faults, ['TIMEOUT']);
  t.match(watched[0]?.said[0], /the receiver answers, and no meter was heard/);
  await hear(plain(KAMSTRUP, 3));
  t.equal(watched[0]?.health.at(-1), 'ok');
  end.write(hex('00112233445566778899'));
  await run(twoHours);
  t.equal(watched[0]?.faults.at(-1), 'NO_TELEGRAM', 'noise is something that was heard');
});

test('flags and values of a due date are told once, by radio as by cable', async (t) => {
  const { hear, run, watched } = onSimulatedTime([{}]);
  await run(1_000);
  // Of 2025-12-31: 7 litres; the next due date lies ahead and has no value yet.
  const dueDate = hex('426C3F3C 4413 07000000 82016C 3F4C 840113 00000000');
  const send = (access: string, status: string, records: Uint8Array) =>
    hear(wireless(KAMSTRUP, hex(`7A${access}${status}0000`), join(litres(9), records)));
  await send('01', '04', dueDate);
  await send('02', '04', dueDate);
  await send('03', '18', hex('02FD17 0500'));
  await send('04', '18', new Uint8Array());
  await send('05', '00', hex('02FD17 0000'));
  t.same(watched[0]?.told, [
    ['BATTERY_LOW', 'lowBattery'],
    ['STORED_VALUE', '2025-12-31'],
    ['METER_ALARM', 'permanentError'],
    ['METER_ALARM', 'temporaryError'],
    ['METER_ALARM', 'error 5'],
    ['BATTERY_GOOD', 'lowBattery'],
    ['METER_ALARM_OVER', 'permanentError'],
    ['METER_ALARM_OVER', 'temporaryError'],
    ['METER_ALARM_OVER', 'error 5'],
  ]);
  t.same(watched[0]?.kept, [0.007]);
});

test('a key is tried on what was heard; in clear nothing is kept', async (t) => {
  const { receiver, seats, hear, run } = onSimulatedTime([{ key: OTHER }]);
  await run(2_000);
  const forged = mode7(numbered(3), KEY, 9, litres(1));
  forged[22] = (forged[22] ?? 0) ^ 1;
  await hear(mode5(numbered(1), KEY, 1, litres(1)));
  await hear(plain(numbered(2), 1));
  await hear(forged);
  await hear(mode5(numbered(4), KEY, 1, hex('0D13F7')));
  await hear(mode5(KAMSTRUP, KEY, 1, litres(5)));
  const outcome = (n: number, key: Uint8Array): unknown => {
    const trial = receiver.tryKey(`KAM 1234000${n}`, key);
    return trial.ok ? (trial.value.refused?.code ?? trial.value.readings[0]?.value) : trial.error.code;
  };
  t.equal(outcome(1, KEY), 0.001, 'the right key shows the reading');
  t.equal(outcome(1, OTHER), 'KEY_WRONG');
  t.equal(outcome(2, KEY), 'NO_TELEGRAM', 'it sends in clear');
  t.equal(outcome(3, KEY), 'BAD_AUTHENTICATION');
  t.equal(outcome(4, KEY), 'BAD_VALUE', 'opened, and not understood');
  t.equal(outcome(9, KEY), 'NOT_FOUND');
  t.equal(receiver.newestOf({ manufacturer: 'KAM', id: '12340002' }), null, 'a neighbour in clear');
  for (let access = 2; access < 12; access++) await hear(mode5(numbered(1), KEY, access, litres(access)));
  t.match(receiver.heard()[0], { id: '12340001', telegrams: 11, kept: 4, configured: false });
  t.match(receiver.tryKey('KAM 12340001', KEY), {
    value: { tried: 4, opened: 4, readings: [{ value: 0.011 }] },
  });
  const own = receiver.heard().find(({ id }) => id === '12345678');
  t.match(
    own,
    { configured: true, kept: 1, refused: { code: 'KEY_WRONG' } },
    'a configured one with a wrong key',
  );
  await hear(mode5(KAMSTRUP, OTHER, 7, litres(6)));
  t.notOk(
    receiver.heard().some(({ id }) => id === '12345678'),
    'once it is read it is not listed',
  );
  await seats[0]?.close();
});
