/** Meters on a real serial line and on TCP, well-behaved and not. */
import { test } from 'tap';
import { METER_PROTOCOLS } from '../../firmware/adapters/registry.ts';
import type { Link } from '../../firmware/domain/link.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { ResourceManager } from '../../firmware/domain/resource-manager.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { ptyCarrier, tcpCarrier } from '../twins/carriers.ts';
import { IecTwin } from '../twins/iec-meter.ts';
import { p1Telegram } from '../twins/p1-telegram.ts';

const real = systemClock();
/** Waits run so many times as fast; nothing else changes. */
const quick = { ...real, after: (ms: number, task: () => void) => real.after(ms / 10, task) };
const brisk = { ...real, after: (ms: number, task: () => void) => real.after(ms / 4, task) };

function watch(meter: ResourceManager) {
  const measured: Measurement[] = [];
  const faults: string[] = [];
  const health: string[] = [];
  meter.open({
    measured: (m) => void measured.push(...m),
    flexibility: () => {},
    status: () => {},
    health: (h) => void health.push(h),
    fault: (f) => void faults.push(f.code),
  });
  return { measured, faults, health };
}

async function until(what: string, done: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!done()) {
    if (performance.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const meterOf = (protocol: keyof typeof METER_PROTOCOLS, link: Link, clock = real) =>
  METER_PROTOCOLS[protocol](
    { id: 'm', address: '', intervalMs: 1000, timeZone: 'Europe/Amsterdam' },
    link,
    clock,
  );
const telegram = (net_W: number) =>
  p1Telegram({ wallMs: Date.UTC(2026, 0, 15), importEnergy_Wh: 1000, exportEnergy_Wh: 0, net_W });

test('mode C on a serial line: 300 baud, acknowledged, 9600 baud, readings', async (t) => {
  const line = await ptyCarrier();
  const speeds: number[] = [];
  const twin = new IecTwin({
    send: (bytes, baudRate) => {
      // The wrong speed at the reader's end is noise there.
      const ok = line.baudRate() === baudRate;
      line.write(ok ? bytes : bytes.map((b) => (b * 7 + 13) & 0x7f));
    },
  });
  line.onBytes((chunk) => {
    speeds.push(line.baudRate());
    twin.take(chunk, line.baudRate());
  });
  const link = realLink(
    { kind: 'serial', path: line.path, baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 },
    real,
  );
  const meter = meterOf('iec62056-21', link);
  const w = watch(meter);
  await until('a readout', () => w.measured.some((m) => m.point.quantity === 'activeEnergyImport'));
  t.equal(w.measured.find((m) => m.point.quantity === 'activeEnergyImport')?.value, 219_251);
  t.same(twin.acknowledged, [9600]);
  t.ok(
    speeds.every((s) => s === 300),
    'the reader sends at 300 only',
  );
  t.equal(line.baudRate(), 9600, 'and listens at 9600');
  await meter.close();
  await line.close();
});

test('mode C over TCP: the line cannot change its speed, so the meter is asked to stay', async (t) => {
  const twin = new IecTwin({
    send: (bytes, baudRate) =>
      carrier.write(baudRate === 300 ? bytes : Uint8Array.from(bytes, (b) => b ^ 0x55)),
  });
  const carrier = await tcpCarrier((chunk) => twin.take(chunk, 300));
  const meter = meterOf(
    'iec62056-21',
    realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, real),
    brisk,
  );
  const w = watch(meter);
  await until('a readout', () => w.health.includes('ok'));
  t.same(twin.acknowledged, [300]);
  for (const [misbehaves, code] of [
    ['badBcc', 'BAD_CHECKSUM'],
    ['half', 'CUT_FRAME'],
    ['silent', 'TIMEOUT'],
  ] as const) {
    w.faults.length = 0;
    twin.misbehaves = misbehaves;
    await until(misbehaves, () => w.faults.length > 0);
    t.equal(w.faults[0], code, misbehaves);
  }
  twin.misbehaves = 'none';
  const before = w.measured.length;
  await until('it recovers', () => w.measured.length > before);
  await meter.close();
  await carrier.close();
});

test('P1 over TCP: two in one chunk, half, garbled, silent, gone and back', async (t) => {
  const carrier = await tcpCarrier(() => {});
  const meter = meterOf(
    'dsmr-p1',
    realLink({ kind: 'tcp', host: '127.0.0.1', port: carrier.port }, real),
    quick,
  );
  const w = watch(meter);
  const powers = () =>
    w.measured
      .filter((m) => m.point.quantity === 'activePowerImport' && m.point.phase === 0)
      .map((m) => m.value);
  const say = async (bytes: Uint8Array) => {
    carrier.write(bytes);
    await new Promise((resolve) => setTimeout(resolve, 40));
  };
  await new Promise((resolve) => setTimeout(resolve, 100));
  await say(Buffer.concat([telegram(100), telegram(200)]));
  t.same(powers(), [100, 200], 'two in one chunk');
  await say(telegram(300).subarray(0, 200));
  await say(telegram(300).subarray(200));
  t.same(powers(), [100, 200, 300], 'one in two');
  const bad = Buffer.from(telegram(400));
  bad[300] = (bad[300] ?? 0) ^ 4;
  await say(bad);
  t.same(w.faults, ['BAD_CHECKSUM']);
  await say(telegram(500).subarray(0, 300));
  await say(telegram(600));
  t.same(powers(), [100, 200, 300, 600], 'a cut one is dropped, the next one is read');
  carrier.reset();
  await until('it is missed', () => w.health.at(-1) === 'silent');
  await until('it is back', () => {
    carrier.write(telegram(700));
    return powers().includes(700);
  });
  t.equal(w.health.at(-1), 'ok');
  w.faults.length = 0;
  await until('silence is noticed', () => w.faults.includes('TIMEOUT'));
  await meter.close();
  await carrier.close();
});
