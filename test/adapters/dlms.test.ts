/** DLMS meters on TCP with real bytes: HAN ports that push, keys, replays. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Test, test } from 'tap';
import { measurementsOf } from '../../firmware/adapters/meters/measurements.ts';
import { ReplayGuard } from '../../firmware/adapters/meters/replay-guard.ts';
import { clockSense } from '../../firmware/adapters/meters/sense.ts';
import { METER_PROTOCOLS, type MeterConfig } from '../../firmware/adapters/registry.ts';
import { pushInstant } from '../../firmware/codecs/dlms/index.ts';
import { encodeCiphered } from '../../firmware/codecs/security/gcm.ts';
import { LIMITS } from '../../firmware/domain/limits.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import { pointKey } from '../../firmware/domain/measurement.ts';
import type { ResourceEvents, ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { Reading } from '../../firmware/domain/telegram.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { openStore } from '../../firmware/store/index.ts';
import { tcpCarrier } from '../twins/carriers.ts';
import { aidon, inHdlc, kaifa, kamstrup, VALUES } from '../twins/dlms-telegram.ts';
import { p1Telegram } from '../twins/p1-telegram.ts';

const real = systemClock();
const KEY = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex');
const AUTH_KEY = Buffer.from('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF', 'hex');
const TITLE = Buffer.from('4B464D1010000001', 'hex');

function watch(meter: ResourceManager, health: ResourceEvents['health'] = () => {}) {
  const measured: Measurement[] = [];
  const faults: string[] = [];
  meter.open({
    measured: (m) => void measured.push(...m),
    flexibility: () => {},
    status: () => {},
    health,
    fault: (f) => void faults.push(f.code),
  });
  return { measured, faults };
}

async function until(what: string, done: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!done()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function storeIn(t: Test) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-dlms-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  return () => openStore(path.join(dir, 'hearth.sqlite'), { clock: real, timeZone: 'Europe/Vienna' });
}

/** A port that pushes, a meter on it, and what it was sent. */
async function port(protocol: 'dlms-push' | 'dsmr-p1', options: Partial<MeterConfig>) {
  let connected = 0;
  const heard: Uint8Array[] = [];
  const carrier = await tcpCarrier((chunk) => void heard.push(chunk));
  const link = realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, real);
  const counting = {
    ...link,
    open: async (events: Parameters<typeof link.open>[0]) => {
      await link.open(events);
      connected++;
    },
  };
  const meter = METER_PROTOCOLS[protocol](
    { id: 'm', address: '', intervalMs: 1000, timeZone: 'Europe/Vienna', ...options },
    counting,
    real,
  );
  const seen = watch(meter);
  await until('connected', () => connected > 0);
  const close = async (): Promise<void> => {
    await meter.close();
    await carrier.close();
  };
  return { ...seen, heard, close, send: (bytes: Uint8Array) => carrier.write(bytes) };
}

const push = (counter: number, import_W = 1234, securityControl = 0x30): Uint8Array =>
  inHdlc(
    encodeCiphered(kaifa({ ...VALUES, import_W }), {
      systemTitle: TITLE,
      securityControl,
      invocationCounter: counter,
      key: KEY,
      authKey: AUTH_KEY,
    }),
  );

test('a HAN port in clear: points of the meter itself, whatever channel it calls them', async (t) => {
  const { measured, faults, send, close } = await port('dlms-push', {});
  send(Buffer.concat([Buffer.from('noise'), inHdlc(kamstrup(VALUES)), inHdlc(kaifa(VALUES, 'MA304H3E'))]));
  await until('two pushes', () => measured.some((m) => pointKey(m.point) === 'm/voltage/L3'));
  const values = new Map(measured.map((m) => [pointKey(m.point), m.value]));
  t.equal(values.get('m/activePowerImport'), 1234);
  t.equal(values.get('m/activeEnergyImport'), 4_211_730);
  t.equal(values.get('m/current/L1'), 5.4);
  t.notOk(values.has('m/voltage/L2'), 'not measured is not 0');
  t.equal(measured[0]?.meterTimeMs, Date.parse('2026-03-29T03:00:10+02:00'));
  t.same(faults, []);
  await close();
});

test('with a key: replays, clear text and wrong tags are dropped, counted and not answered', async (t) => {
  const open = storeIn(t);
  const first = open();
  const keys = { key: KEY, authKey: AUTH_KEY };
  const live = await port('dlms-push', { ...keys, settings: first.settings });
  const count = (): number => live.measured.filter((m) => m.point.quantity === 'activePowerImport').length;
  live.send(Buffer.concat([push(100), push(101), push(101), push(99), inHdlc(kaifa(VALUES))]));
  await until('all five', () => live.faults.length === 3);
  t.same(live.faults, ['REPLAYED', 'REPLAYED', 'NOT_ENCRYPTED']);
  t.equal(count(), 2);
  const forged = encodeCiphered(kaifa(VALUES), {
    systemTitle: TITLE,
    securityControl: 0x30,
    invocationCounter: 0xffff_ffff,
    key: KEY,
    authKey: AUTH_KEY.map((b) => b ^ 1),
  });
  live.send(Buffer.concat([inHdlc(forged), push(102)]));
  await until('the next good one', () => count() === 3);
  t.equal(live.faults.at(-1), 'BAD_AUTHENTICATION', 'a forged counter does not lock the meter out');
  t.same(live.heard, [], 'no byte went to the meter');
  await live.close();
  first.close();

  const second = open();
  const again = await port('dlms-push', { ...keys, settings: second.settings });
  again.send(Buffer.concat([push(102), push(103)]));
  await until('the new one', () => again.measured.length > 0);
  t.same(again.faults, ['REPLAYED'], 'the counter is known after a restart');
  await again.close();
  const fresh = await port('dlms-push', { key: KEY.map((b) => b ^ 1), settings: second.settings });
  fresh.send(push(104));
  await until('refused', () => fresh.faults.length === 1);
  t.same(fresh.faults, ['KEY_WRONG']);
  await fresh.close();
  second.close();
});

test('a deviation that was never set: the local time of the meter is true', async (t) => {
  const received = { source: 'm', wallMs: Date.parse('2026-01-21T15:00:05Z'), elapsedMs: 0 };
  const clockOf = (time: string, timeZone = 'Europe/Oslo') =>
    clockSense(
      'm',
      timeZone,
      pushInstant,
    )({ time, readings: [] }, received).measurements.map((m) => [m.point.quantity, m.value, m.meterTimeMs]);
  const right = clockOf('2026-01-21T16:00:00+01:00');
  t.match(right, [['clockDrift', -5]]);
  t.same(clockOf('2026-01-21T16:00:00Z'), right, 'Aidon');
  t.same(clockOf('2026-01-21T16:00:00'), right);
  t.same(clockOf('2026-01-21T16:00:00+07:00'), right, 'of no offset that the zone has');
  t.same(clockOf('2026-01-21T15:00:00Z', 'Europe/London'), right);
  t.equal(pushInstant('2026-10-25T02:30:00+01:00', 'Europe/Oslo')?.atMs, Date.parse('2026-10-25T01:30:00Z'));
  t.equal(pushInstant('2026-10-25T02:30:00+02:00', 'Europe/Oslo')?.atMs, Date.parse('2026-10-25T00:30:00Z'));
  t.equal(pushInstant('2026-13-25T02:30:00', 'Europe/Oslo'), null);
  const { measured, send, close } = await port('dlms-push', { timeZone: 'Europe/Oslo' });
  send(inHdlc(aidon(VALUES)));
  await until('the push', () => measured.length > 0);
  t.equal(measured[0]?.meterTimeMs, Date.parse('2026-03-29T03:00:10+02:00'));
  await close();
});

test('a power without sign yields to one with a sign, and is doubtful alone', async (t) => {
  const net = { obis: '1-0:16.7.0*255', value: -2000, unit: 'W' };
  const magnitude = { obis: '1-0:15.7.0*255', value: 2000, unit: 'W' };
  const of = (...readings: Reading[]) =>
    measurementsOf({ readings }, { source: 'm', wallMs: 0, elapsedMs: 0 }).map((m) => [m.value, m.quality]);
  t.same(of(magnitude, net), [[-2000, 'good']]);
  t.same(of(net, magnitude), [[-2000, 'good']]);
  t.same(of(magnitude, net, { ...net, value: 7 }, magnitude), [[-2000, 'good']], 'the first with a sign');
  t.same(of(magnitude), [[2000, 'doubtful']]);
  const exported = (value: number) => ({ obis: '1-0:2.8.0', value, unit: 'Wh' });
  t.same(of(magnitude, exported(4373))[0], [2000, 'doubtful'], 'a house that delivers at times');
  t.same(of(magnitude, exported(0))[0], [2000, 'good'], 'one that never did: it is import');
  t.same(of({ ...magnitude, obis: '1-0:35.7.0*255' }, { ...net, obis: '1-0:36.7.0*255' }), [[-2000, 'good']]);
});

test('bytes without a good telegram: the port is opened anew and the reason told once', async (t) => {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
  const { link, twin } = simulatedLine(clock, 'han');
  let opened = 0;
  const counting = {
    ...link,
    open: async (events: Parameters<typeof link.open>[0]) => {
      opened++;
      await link.open(events);
    },
  };
  const config = { id: 'h', address: '', intervalMs: 1000, timeZone: 'Europe/Vienna' };
  const meter = METER_PROTOCOLS['dlms-push'](config, counting, clock);
  const health: string[] = [];
  const { faults } = watch(meter, (state, reason) => void health.push(`${state} ${reason?.code ?? ''}`));
  const minute = async (bytes: Uint8Array | null): Promise<void> => {
    if (bytes) twin.write(bytes);
    await clock.advanceTo(clock.elapsedMs() + 60_000);
  };
  for (let i = 0; i < 30; i++) await minute(Buffer.from('55aa12345678', 'hex'));
  t.ok(opened > 5, `opened ${opened} times`);
  t.ok(faults.includes('NO_TELEGRAM'));
  t.same(health, ['faulty WRONG_SPEED']);
  await minute(inHdlc(kaifa(VALUES)));
  await minute(inHdlc(kaifa(VALUES)));
  t.same(health, ['faulty WRONG_SPEED', 'ok ']);
  for (let i = 0; i < 5; i++) await minute(null);
  t.same(health.slice(2), ['silent TIMEOUT']);
  await meter.close();
});

test('a counter that no tag has proven moves by a bounded step: no forged one locks the meter out', async (t) => {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
  const { link, twin } = simulatedLine(clock, 'han');
  const store = new Map<string, string>();
  const settings = {
    get: (name: string) => store.get(name) ?? null,
    set: (name: string, value: string) => void store.set(name, value),
  };
  const guard = new ReplayGuard({ id: 'm', key: KEY, clock, settings });
  const check = (counter: number, authenticated = false): string | null =>
    guard.check({ systemTitle: TITLE, counter, authenticated })?.code ?? null;
  t.equal(check(1000), null);
  t.equal(check(0xffff_ffff), null, 'its content was read with the key');
  t.equal(check(1001), 'REPLAYED');
  t.equal(guard.lastOf(TITLE), 1000 + LIMITS.counterStep);
  t.equal(check(1001 + LIMITS.counterStep), null, 'the meter itself is back soon');
  t.equal(check(500_000, true), null, 'a tag proves any');
  t.equal(check(500_001), 'BAD_AUTHENTICATION', 'one that had tags does not go without');
  t.equal(check(500_000, true), 'REPLAYED');
  guard.close();
  t.same([...store.values()], ['500000']);

  const meter = METER_PROTOCOLS['dlms-push'](
    { id: 'h', address: '', intervalMs: 1000, timeZone: 'Europe/Vienna', key: KEY },
    link,
    clock,
  );
  const { measured, faults } = watch(meter);
  const send = async (...bytes: Uint8Array[]): Promise<void> => {
    for (const b of bytes) {
      twin.write(b);
      await clock.advanceTo(clock.elapsedMs() + 1000);
    }
  };
  await clock.advanceTo(10);
  await send(
    push(7, 1, 0x20),
    push(0xffff_ffff, 2, 0x20),
    push(8 + LIMITS.counterStep, 3, 0x20),
    push(9, 4, 0x20),
  );
  t.same(
    measured.filter((m) => m.point.quantity === 'activePowerImport').map((m) => m.value),
    [1, 2, 3],
  );
  t.same(faults, ['REPLAYED']);
  await meter.close();
});

test('encrypted P1: the same telegram twice counts once', async (t) => {
  const text = p1Telegram({
    wallMs: Date.UTC(2026, 0, 15),
    importEnergy_Wh: 5,
    exportEnergy_Wh: 0,
    net_W: 7,
  });
  const telegram = (counter: number): Uint8Array =>
    encodeCiphered(text, {
      systemTitle: TITLE,
      securityControl: 0x30,
      invocationCounter: counter,
      key: KEY,
      authKey: AUTH_KEY,
    });
  const { measured, faults, send, close } = await port('dsmr-p1', { key: KEY, authKey: AUTH_KEY });
  send(Buffer.concat([telegram(7), telegram(7), telegram(8), text]));
  await until('all four', () => faults.length === 2);
  t.same(faults, ['REPLAYED', 'NOT_ENCRYPTED']);
  t.equal(measured.filter((m) => pointKey(m.point) === 'm/activePowerImport').length, 2);
  await close();
});
