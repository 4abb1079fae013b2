/** Wired M-Bus on real byte streams: a converter on TCP, a serial line; searched, and read as meters of a house. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { MbusBus } from '../../firmware/adapters/meters/mbus/bus.ts';
import { MBUS_DEFAULTS, type MbusSettings } from '../../firmware/adapters/meters/mbus/index.ts';
import { searchBus } from '../../firmware/adapters/meters/mbus/search.ts';
import { METER_PROTOCOLS } from '../../firmware/adapters/registry.ts';
import { type MbusOptions, mbus } from '../../firmware/commands/mbus.ts';
import { probeMbus } from '../../firmware/commands/probe-mbus.ts';
import { checkConfig } from '../../firmware/config/check.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { MeterEvent } from '../../firmware/domain/meter-event.ts';
import type { ResourceManager } from '../../firmware/domain/resource-manager.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { openStore } from '../../firmware/store/index.ts';
import { ptyCarrier, tcpCarrier } from '../twins/carriers.ts';
import { bcd, MbusTwin, type MbusTwinMeter, twinMeter } from '../twins/mbus-line.ts';
import { PacedClock } from '../twins/paced-clock.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');
const real = systemClock();
const example = (): object =>
  JSON.parse(readFileSync(path.resolve(import.meta.dirname, '../../board/hearth.example.json'), 'utf8'));
const START_MS = Date.UTC(2026, 5, 1);

/** A level converter on a TCP port with its bus behind it. */
async function converter(meters: readonly MbusTwinMeter[]) {
  const clock = new PacedClock(START_MS);
  const carrier = await tcpCarrier((chunk) => {
    clock.arrived(chunk);
    twin.take(chunk);
  });
  const write = (bytes: Uint8Array): void => {
    clock.wrote(bytes);
    carrier.write(bytes);
  };
  const twin = new MbusTwin(meters, { clock, write });
  const link = clock.counting(realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, real));
  return { clock, twin, carrier, link };
}

test('250 meters behind a converter on TCP are found', async (t) => {
  const meters = Array.from({ length: 250 }, (_, i) =>
    twinMeter(String(41_000_000 + i * (i % 7 === 0 ? 37 : 3))),
  );
  const { clock, twin, carrier, link } = await converter(meters);
  twin.echo = true;
  twin.noise = [0xff];
  const bus = new MbusBus(link, clock, { latencyMs: null });
  const told: string[] = [];
  const { meters: found, requests } = await searchBus(bus, { found: (m) => void told.push(m.address) });
  const ids = new Set(meters.map((m) => m.id));
  t.same(new Set(found.map((m) => m.identity?.id)), ids);
  t.equal(told.length, found.length);
  t.ok(found.every((m) => m.baudRate === 2400 && m.remark === null));
  t.comment(`${requests} requests for ${found.length} meters`);
  await bus.close();
  await carrier.close();
});

test('a serial line is searched at every speed until its meters answer', async (t) => {
  const line = await ptyCarrier();
  const meters = ['10000001', '10000002', '77000003'].map((id, i) => twinMeter(id, { primary: i + 1 }));
  const twin = new MbusTwin(meters, { clock: real, baudRate: 38_400, write: (bytes) => line.write(bytes) });
  line.onBytes((chunk) => twin.take(chunk, line.baudRate()));
  const link = realLink(
    { kind: 'serial', path: line.path, baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
    real,
  );
  const bus = new MbusBus(link, real, { latencyMs: 30 });
  const { meters: found } = await searchBus(bus, { baudRates: [2400, 38_400] });
  t.same(found.map(({ address, primary, baudRate }) => [address, primary, baudRate]).sort(), [
    ['10000001-KAM-1b-04', 1, 38_400],
    ['10000002-KAM-1b-04', 2, 38_400],
    ['77000003-KAM-1b-04', 3, 38_400],
  ]);
  await bus.close();
  await line.close();
});

test('hearth probe: what is found can be pasted into the configuration', async (t) => {
  const { clock, carrier } = await converter([
    twinMeter('12345678'),
    twinMeter('12345679', { medium: 7, misbehaves: 'mute' }),
    twinMeter('87654321', { primary: 7, medium: 7 }),
  ]);
  const on = `127.0.0.1:${carrier.port}`;
  const said: { stdout: string[]; stderr: string[] } = { stdout: [], stderr: [] };
  const output = {
    stdout: { write: (text: string) => void said.stdout.push(text) },
    stderr: { write: (text: string) => void said.stderr.push(text) },
  };
  const open: typeof realLink = (spec) => clock.counting(realLink(spec, real));
  await probeMbus({ on, by: 'secondary' }, output, clock, open);
  const { meters } = JSON.parse(said.stdout.join(''));
  t.match(meters.map((m: { address: string; name: string }) => [m.address, m.name]).sort(), [
    ['12345678-KAM-1b-04', 'heat 12345678'],
    ['87654321-KAM-1b-07', 'water 87654321'],
  ]);
  t.match(said.stderr.join(''), /12345679.*sends no data/);
  t.match(said.stderr.join(''), /primary address 7, 2400 baud/);
  t.match(checkConfig({ ...example(), meters }), { ok: true });
  said.stdout.length = 0;
  await probeMbus({ on, by: 'primary', mask: '12FFFFFF', baud: '2400' }, output, clock, open);
  t.ok(JSON.parse(said.stdout.join('')).meters.length >= 1);
  for (const wrong of [{ by: 'name' }, { by: 'both', baud: '2401' }, { by: 'both', mask: '17' }])
    await t.rejects(probeMbus({ on, ...wrong }, output, clock, open), { code: 'USAGE' });
  await carrier.close();
});

test('hearth mbus: an installer changes address and speed', async (t) => {
  const meter = twinMeter('12345678');
  const { clock, twin, carrier } = await converter([meter, twinMeter('12345679', { primary: 9 })]);
  const on = `127.0.0.1:${carrier.port}`;
  const said: string[] = [];
  const open: typeof realLink = (spec) => clock.counting(realLink(spec, real));
  const order = (address: string, options: Partial<MbusOptions>) =>
    mbus(on, address, { baud: '2400', ...options }, { write: (text) => said.push(text) }, clock, open);
  await order('12345678', { setAddress: '5' });
  t.equal(meter.primary, 5);
  await t.rejects(order('12345678', { setAddress: '9' }), { code: 'REFUSED' }, 'taken');
  t.equal(meter.primary, 5);
  await order('5', { reset: '16' });
  t.ok(twin.requests.some((r) => r[6] === 0x50 && r[7] === 16));
  await t.rejects(order('77', { reset: true }), { code: 'TIMEOUT' });
  await t.rejects(order('1234567F', { reset: true }), { code: 'WRONG_ANSWER' }, 'two meters fit');
  await order('5', { setBaud: '9600' });
  t.equal(twin.baudRate, 9600);
  t.equal(said.length, 3);
  for (const wrong of [
    {},
    { setBaud: '1' },
    { setAddress: '251' },
    { reset: '256' },
    { reset: '1', setBaud: '300' },
  ])
    await t.rejects(order('5', wrong), { code: 'USAGE' });
  await carrier.close();
});

// ---------- as meters of a house ----------

const HOUR_MS = 3_600_000;
const HEAT = Uint8Array.from([
  ...[0x0c, 0x06, ...bcd('00012345')], // 12 345 kWh
  ...[0x0c, 0x14, ...bcd('00078901')], // 789.01 m3
  ...[0x0a, 0x2d, 0x34, 0x12], // 123.4 kW
  ...[0x0a, 0x5a, 0x71, 0x06, 0x0a, 0x5e, 0xff, 0xff], // 67.1 °C, and one that is not known
  ...[0x04, 0x6d, 0x1e, 0x0e, 0x41, 0x35], // 2026-05-01 14:30
  ...[0x02, 0xfd, 0x74, 0x6d, 0x01], // 365 days of battery
  0x1f,
]);
const DUE_DATE = Uint8Array.from([
  ...[0x42, 0x6c, 0x3f, 0x3c], // 2025-12-31 …
  ...[0x4c, 0x06, ...bcd('00010000')],
  ...[0x82, 0x01, 0x6c, 0x5e, 0x34], // … and 2026-04-30
  ...[0x8c, 0x01, 0x06, ...bcd('00011000')],
]);

interface Heard {
  readonly measured: Measurement[];
  readonly kept: Measurement[];
  readonly events: MeterEvent[];
  readonly faults: string[];
  readonly health: string[];
}

function listen(meter: ResourceManager): Heard {
  const heard: Heard = { measured: [], kept: [], events: [], faults: [], health: [] };
  meter.open({
    measured: (m) => void heard.measured.push(...m),
    history: (m) => void heard.kept.push(...m),
    noted: (e) => void heard.events.push(e),
    flexibility: () => {},
    status: () => {},
    health: (h) => void heard.health.push(h),
    fault: (f) => void heard.faults.push(f.code),
  });
  return heard;
}

function house(meters: readonly MbusTwinMeter[]) {
  const clock = new SimulatedClock(START_MS);
  const { link, twin: end } = simulatedLine(clock, 'line');
  const twin = new MbusTwin(meters, { clock, write: (bytes) => end.write(bytes) });
  end.onBytes((bytes) => twin.take(bytes));
  const storage = openStore(':memory:', { clock, timeZone: 'Europe/Berlin' });
  const open = (address: string, mbus: Partial<MbusSettings> = {}, intervalMs = 60_000, key?: Uint8Array) =>
    METER_PROTOCOLS.mbus(
      {
        id: `m-${address.slice(0, 8)}`,
        address,
        intervalMs,
        timeZone: 'Europe/Berlin',
        settings: storage.settings,
        reads: storage.writes,
        mbus: { ...MBUS_DEFAULTS, ...mbus },
        ...(key && { key }),
      },
      link,
      clock,
    );
  const pass = (ms: number) => clock.advanceTo(clock.elapsedMs() + ms);
  return { clock, twin, end, storage, open, pass };
}

const valueIn = (list: readonly Measurement[], quantity: string) =>
  list.find((m) => m.point.quantity === quantity)?.value;

test('readings of now, values of due dates, battery and flags', async (t) => {
  const meter = twinMeter('12345678', { telegrams: [HEAT, DUE_DATE], status: 0x04 });
  const home = house([meter, twinMeter('12345679', { primary: 3 })]);
  const resource = home.open('12345678-KAM');
  const heard = listen(resource);
  await home.pass(5000);
  t.same(heard.health, ['ok']);
  t.equal(valueIn(heard.measured, 'heatEnergy'), 12_345_000);
  t.equal(valueIn(heard.measured, 'volume'), 789.01);
  t.equal(valueIn(heard.measured, 'heatPower'), 123_400);
  t.equal(valueIn(heard.measured, 'flowTemperature'), 67.1);
  t.match(
    heard.measured.find((m) => m.point.quantity === 'returnTemperature'),
    { value: null, quality: 'invalid' },
    'error nibbles are unknown, never a number',
  );
  t.equal(valueIn(heard.measured, 'batteryRemaining'), 365 * 86_400);
  t.equal(heard.measured[0]?.meterTimeMs, Date.UTC(2026, 4, 1, 12, 30), 'the local time of the site');
  t.same(
    heard.kept.map((m) => [m.point.quantity, m.value, m.meterTimeMs]),
    [
      ['heatEnergy', 10_000_000, Date.UTC(2025, 11, 31, 22, 59, 59)],
      ['heatEnergy', 11_000_000, Date.UTC(2026, 3, 30, 21, 59, 59)],
    ],
  );
  t.match(heard.events, [
    { code: 'BATTERY_LOW', detail: { flag: 'lowBattery' } },
    { code: 'STORED_VALUE', detail: { obis: '6-0:1.0.0', value: 10_000_000, date: '2025-12-31' } },
    { code: 'STORED_VALUE', detail: { date: '2026-04-30' } },
  ]);
  heard.events.length = 0;
  meter.status = 0x03;
  await home.pass(HOUR_MS);
  t.match(heard.events, [{ code: 'METER_ALARM', detail: { flag: 'alarm' } }, { code: 'BATTERY_GOOD' }]);
  await resource.close();
  const again = listen(home.open('12345678-KAM'));
  await home.pass(HOUR_MS);
  t.ok(again.measured.length > 0);
  t.same(again.events, [], 'what was told is not told again after a restart');
});

test('a battery is read at its interval and within its budget, over restarts too', async (t) => {
  const meter = twinMeter('12345678');
  const home = house([meter]);
  let resource = home.open('12345678', { readsPerDay: 12 }, 1000);
  listen(resource);
  await home.pass(24 * HOUR_MS - 1000);
  t.equal(meter.asked, 12, 'every two hours, although the configuration asks for each second');
  for (let i = 0; i < 5; i++) {
    await resource.close();
    resource = home.open('12345678', { readsPerDay: 12 }, 1000);
    t.same(listen(resource).health, ['ok'], 'it was read well within its interval: that is known');
    await home.pass(60_000);
  }
  t.ok(meter.asked <= 13, 'a restart adds no readout');
  await resource.close();
  meter.misbehaves = 'badChecksum';
  meter.asked = 0;
  resource = home.open('12345678', { readsPerDay: 12 }, 1000);
  const heard = listen(resource);
  await home.pass(48 * HOUR_MS);
  t.ok(meter.asked > 20 && meter.asked <= 3 * 36, `repetitions count as well: ${meter.asked}`);
  t.ok(heard.faults.includes('READ_BUDGET_SPENT'));
  t.same(heard.health, ['ok', 'faulty']);
  await resource.close();
  const partial = home.open('12345678', { readsPerDay: 12 }, 1000);
  listen(partial);
  meter.misbehaves = 'none';
  meter.telegrams = [HEAT, hex('0C 06')];
  await home.pass(48 * HOUR_MS);
  await partial.close();
  const failing = home.open('12345678', { readsPerDay: 12 }, 1000);
  t.same(listen(failing).health, [], 'what gives only a part of its telegrams is not known to be well');
  await failing.close();
});

test('meters of one line take turns; one that is silent does not hold up the others', async (t) => {
  const good = twinMeter('11111111', { primary: 1 });
  const dead = twinMeter('22222222', { primary: 2, misbehaves: 'silent' });
  const home = house([good, dead, twinMeter('33333333', { medium: 7, telegrams: [hex('0C 13 15000000')] })]);
  const mains = { readsPerDay: null };
  const meters = [home.open('1', mains), home.open('2', mains), home.open('33333333', mains)];
  const [one, two, three] = meters.map(listen);
  await home.pass(300_000);
  t.same([one?.health, two?.health, three?.health], [['ok'], ['silent'], ['ok']]);
  t.ok((one?.measured.length ?? 0) >= 4);
  t.equal(valueIn(three?.measured ?? [], 'volume'), 0.015);
  dead.misbehaves = 'none';
  home.end.drop();
  await home.pass(120_000);
  t.equal(one?.health.at(-1), 'silent', 'the line is cut');
  home.end.restore();
  await home.pass(300_000);
  t.same(
    [one, two, three].map((heard) => heard?.health.at(-1)),
    ['ok', 'ok', 'ok'],
  );
  await Promise.all(meters.map((meter) => meter.close()));
  const asked = good.asked;
  await home.pass(300_000);
  t.equal(good.asked, asked, 'closed is closed');
});

test('250 meters on one line are read, each in its turn', async (t) => {
  const ids = Array.from({ length: 250 }, (_, i) => String(50_000_000 + 7 * i));
  const home = house(ids.map((id) => twinMeter(id)));
  const meters = ids.map((id) => home.open(id, { readsPerDay: null }, HOUR_MS));
  const heard = meters.map(listen);
  await home.pass(HOUR_MS / 2);
  t.ok(heard.every((h) => valueIn(h.measured, 'heatEnergy') === 12_345_000));
  t.same(
    heard.flatMap((h) => h.faults),
    [],
  );
  await home.pass(HOUR_MS);
  t.ok(home.twin.meters.every((meter) => meter.asked === 2));
  await Promise.all(meters.map((meter) => meter.close()));
});

test('a meter with several telegrams, over TCP with echo and noise, as the composition root opens it', async (t) => {
  const { clock, twin, carrier, link } = await converter([
    twinMeter('12345678', { primary: 9, telegrams: [HEAT, DUE_DATE] }),
  ]);
  twin.echo = true;
  twin.noise = [0x00];
  const meter = METER_PROTOCOLS.mbus(
    { id: 'heat', address: '9', intervalMs: 60_000, timeZone: 'Europe/Berlin' },
    link,
    clock,
  );
  const heard = listen(meter);
  const end = performance.now() + 10_000;
  while (heard.kept.length === 0 && performance.now() < end) await new Promise((r) => setTimeout(r, 5));
  t.equal(valueIn(heard.measured, 'heatEnergy'), 12_345_000);
  t.equal(heard.kept.length, 2);
  t.same(heard.faults, []);
  await meter.close();
  await carrier.close();
});

test('the configuration of M-Bus meters', async (t) => {
  const base = example();
  const link = { kind: 'tcp', host: '192.0.2.1', port: 2001 };
  const withMeter = (meter: object) =>
    checkConfig({ ...base, meters: [{ id: 'heat', name: 'Heat', protocol: 'mbus', link, ...meter }] });
  const good = withMeter({ address: '12345678-KAM-1b-04' });
  t.ok(good.ok && good.config.meters[0]?.mbus.readsPerDay === 24);
  t.ok(
    withMeter({ address: '0', mbus: { baudRate: 9600, readsPerDay: null, applicationReset: 'plain' } }).ok,
  );
  for (const [meter, where] of [
    [{ address: '' }, 'meters[0].address'],
    [{ address: '251' }, 'meters[0].address'],
    [{ address: '1', mbus: { baudRate: 2401 } }, 'meters[0].mbus.baudRate'],
    [{ address: '1', mbus: { readsPerDay: 0 } }, 'meters[0].mbus.readsPerDay'],
  ] as const) {
    const checked = withMeter(meter);
    t.match(checked, { ok: false, mistakes: [{ path: where }] });
  }
});
