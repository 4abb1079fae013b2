/** Wireless meters: every make of receiver over a real line, keys, replays, strangers. */
import { test } from 'tap';
import { METER_PROTOCOLS, type MeterConfig } from '../../firmware/adapters/registry.ts';
import { joined } from '../../firmware/codecs/bytes.ts';
import { WirelessMeter } from '../../firmware/codecs/wmbus/kind.ts';
import { RECEIVERS, type ReceiverName } from '../../firmware/codecs/wmbus/receivers/index.ts';
import { listen } from '../../firmware/commands/listen.ts';
import { LIMITS } from '../../firmware/domain/limits.ts';
import type { Link } from '../../firmware/domain/link.ts';
import type { HeardMeter } from '../../firmware/domain/radio.ts';
import type { ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { ptyCarrier, tcpCarrier } from '../twins/carriers.ts';
import { until } from '../twins/until.ts';
import {
  KEY,
  keptSettings,
  litres,
  numbered,
  OTHER,
  onSimulatedTime,
  plain,
  watch,
} from '../twins/wireless-home.ts';
import { ReceiverTwin } from '../twins/wmbus-receiver.ts';
import { hex, KAMSTRUP, mode5, mode7, wireless } from '../twins/wmbus-telegram.ts';

const real = systemClock();
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

test('a receiver on a serial line, pulled out', async (t) => {
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
});

test('hearth listen: who is on the air, with what a key can be tried on', async (t) => {
  const carrier = await tcpCarrier((chunk) => twin.take(chunk));
  const twin = new ReceiverTwin('cul', (bytes) => carrier.write(bytes));
  const said: string[] = [];
  let interrupt = (): void => {};
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve;
  });
  const on = `127.0.0.1:${carrier.port}`;
  const output = { write: (text: string) => said.push(text) };
  const over = listen({ receiver: 'cul', on, mode: 'C1' }, output, real, realLink, interrupted);
  await until('it is set up', () => twin.modes.length > 0);
  const sealed = mode5(numbered(8), KEY, 1, litres(1));
  twin.hear(plain(numbered(7), 1), 'A');
  twin.hear(sealed, 'A');
  await until('both are listed', () => said.length === 2);
  interrupt();
  await over;
  const [clear, locked] = said.map((line) => JSON.parse(line));
  t.match(clear, { id: '12340007', manufacturer: 'KAM', medium: 'water', telegrams: 1 });
  t.notOk('hex' in clear, 'what a neighbour says in clear is nobody’s business');
  t.match(locked, { id: '12340008', refused: { code: 'KEY_MISSING' } });
  t.match(new WirelessMeter(KEY).read(hex(locked.hex)), { ok: true }, 'its bytes can be decoded with a key');
  for (const wrong of [{ receiver: 'nobody' }, { mode: 'X9' }])
    await t.rejects(
      listen({ receiver: 'cul', on, mode: 'C1', ...wrong }, output, real, realLink, interrupted),
      { code: 'USAGE' },
    );
  await carrier.close();
});

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

test('a meter that is never heard, or no more, is silent after days, although the receiver hears others', async (t) => {
  const { watched, hear, run } = onSimulatedTime([{}, { address: 'KAM 12340042' }]);
  const healthAfter = async (hours: number) => {
    for (let hour = 0; hour < hours; hour++) {
      await run(3_599_000);
      await hear(plain(numbered(7), hour));
    }
    return watched.map(({ health }) => health.at(-1));
  };
  await run(2_000);
  await hear(plain(KAMSTRUP, 1));
  t.same(await healthAfter(90), ['ok', undefined]);
  await hear(plain(KAMSTRUP, 2));
  t.same(await healthAfter(10), ['ok', 'silent']);
  t.same(await healthAfter(90), ['silent', 'silent']);
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
    hear(wireless(KAMSTRUP, hex(`7A${access}${status}0000`), joined(litres(9), records)));
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

test('registers without end do not fill what is kept', async (t) => {
  const settings = keptSettings();
  const { hear, run, watched } = onSimulatedTime([{ settings }]);
  await run(1_000);
  // Of 2025-12-31, each in a tariff of its own.
  const stored = (n: number): Uint8Array => {
    const difes = [0, 2, 4, 6].map((bit) => (((n >> bit) & 3) << 4) | (bit < 6 ? 0x80 : 0));
    return Uint8Array.of(0xc4, ...difes, 0x13, n, 1, 0, 0);
  };
  for (let from = 0; from < 200; from += 10) {
    const registers = Array.from({ length: 10 }, (_, k) => stored(from + k));
    await hear(wireless(KAMSTRUP, hex('7A01000000 426C3F3C'), ...registers));
  }
  t.equal(watched[0]?.kept.length, 200, 'all are told');
  const { dates } = JSON.parse(settings.get('mbus.m0.told') ?? '{}');
  t.equal(Object.keys(dates).length, LIMITS.mbusDatedRegisters);
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
