/** `hearth probe` on pseudo terminals and TCP with twins, and what it says where nothing can be read. */
import { PassThrough } from 'node:stream';
import { test } from 'tap';
import { diagnose } from '../../firmware/adapters/diagnosis.ts';
import { judge } from '../../firmware/adapters/probe/heard.ts';
import { probe } from '../../firmware/adapters/probe/index.ts';
import { METER_PROTOCOLS } from '../../firmware/adapters/registry.ts';
import { collect } from '../../firmware/codecs/collect.ts';
import { P1Decoder, readP1 } from '../../firmware/codecs/dsmr-p1/index.ts';
import { encodeCiphered } from '../../firmware/codecs/security/gcm.ts';
import { probeCommand } from '../../firmware/commands/probe.ts';
import { checkConfig } from '../../firmware/config/check.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { simulatedSerial } from '../../firmware/hal/simulated/serial-line.ts';
import { type PtyCarrier, ptyCarrier, tcpCarrier } from '../twins/carriers.ts';
import { DlmsTwin } from '../twins/dlms-meter.ts';
import { inHdlc, kaifa, VALUES } from '../twins/dlms-telegram.ts';
import { IecTwin, type IecTwinOptions } from '../twins/iec-meter.ts';
import { MbusTwin, twinMeter } from '../twins/mbus-line.ts';
import { p1Frame, p1Telegram } from '../twins/p1-telegram.ts';
import { ENTRIES, file, transport } from '../twins/sml-telegram.ts';

const real = systemClock();
/** Waits run so many times as fast; the twins take their time. */
const brisk = { ...real, after: (ms: number, task: () => void) => real.after(ms / 4, task) };

const P1 = p1Telegram({ wallMs: Date.UTC(2026, 0, 15), importEnergy_Wh: 1000, exportEnergy_Wh: 0, net_W: 5 });
const SML = transport(file(ENTRIES));
/** Each character with its parity bit, as an eight-bit port hears it. */
const withParity = (bytes: Uint8Array): Uint8Array =>
  Uint8Array.from(bytes, (b) => {
    const ones = b.toString(2).replaceAll('0', '').length;
    return ones % 2 === 0 ? b : b | 0x80;
  });
const garbled = (bytes: Uint8Array): Uint8Array => bytes.map((b) => (b * 7 + 13) & 0x7f);

async function run(on: string, clock = brisk) {
  const [out, log] = [new PassThrough(), new PassThrough()];
  const code = await probeCommand(on, { out, log }, clock);
  const [printed, said] = [String(out.read() ?? ''), String(log.read() ?? '')];
  const row = printed === '' ? null : (JSON.parse(printed) as Record<string, unknown>);
  const site = { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 35, phases: 3 };
  const config = row && checkConfig({ site, store: { path: 'x' }, meters: [row], devices: [] });
  return { code, row, said, valid: config ? config.ok : null };
}

/** A meter that sends by itself, at one speed; at another it is noise. */
function pusher(line: PtyCarrier, bytes: Uint8Array, baudRate: number, everyMs: number): () => void {
  const timer = setInterval(() => line.write(line.baudRate() === baudRate ? bytes : garbled(bytes)), everyMs);
  return () => clearInterval(timer);
}

test('on real lines: what pushes is found at its speed, what is asked answers', async (t) => {
  const cases: readonly [string, (line: PtyCarrier) => () => void, object, RegExp][] = [
    [
      'P1',
      (line) => pusher(line, P1, 115_200, 150),
      {
        protocol: 'dsmr-p1',
        link: { kind: 'serial', baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 },
      },
      /found: P1, meter HRT/,
    ],
    [
      'SML',
      (line) => pusher(line, SML, 9600, 150),
      { id: '0a01454d480000a1bd34', protocol: 'sml', link: { kind: 'serial', baudRate: 9600 } },
      /found: SML, meter EMH 0a01454d480000a1bd34, 8 values/,
    ],
    [
      'HAN',
      (line) => pusher(line, inHdlc(kaifa(VALUES)), 2400, 150),
      { protocol: 'dlms-push', link: { kind: 'serial', baudRate: 2400 } },
      /found: DLMS push/,
    ],
    [
      'mode C',
      (line) => {
        const twin = new IecTwin({
          send: (bytes, baudRate) => line.write(line.baudRate() === baudRate ? bytes : garbled(bytes)),
        });
        line.onBytes((chunk) => twin.take(chunk, line.baudRate()));
        return () => t.equal(twin.locked, false);
      },
      {
        id: '12345678',
        protocol: 'iec62056-21',
        link: { kind: 'serial', baudRate: 300, dataBits: 7, parity: 'even' },
      },
      /found: IEC 62056-21 mode C, meter HRT 12345678, 9 values\n {2}identification \/HRT5METER-1/,
    ],
    [
      'DLMS',
      (line) => {
        const twin = new DlmsTwin({ carrier: 'hdlc', objects: new Map() }, (bytes) => line.write(bytes));
        line.onBytes((chunk) => line.baudRate() === 9600 && twin.take(chunk));
        return () => {};
      },
      {
        protocol: 'dlms',
        link: { kind: 'serial', baudRate: 9600 },
        dlms: { carrier: 'hdlc', addressBytes: 1 },
      },
      /found: DLMS\/COSEM over HDLC\n {2}server address 1 /,
    ],
    [
      'M-Bus',
      (line) => {
        const twin = new MbusTwin([twinMeter('12345678')], {
          clock: real,
          write: (bytes) => line.write(bytes),
        });
        line.onBytes((chunk) => twin.take(chunk, line.baudRate()));
        return () => {};
      },
      {
        protocol: 'mbus',
        address: '12345678',
        link: { baudRate: 2400, parity: 'even' },
        mbus: { baudRate: 2400 },
      },
      /found: M-Bus at 2400 baud, meter KAM 12345678/,
    ],
  ];
  await Promise.all(
    cases.map(async ([name, attach, wanted, says]) => {
      const line = await ptyCarrier();
      const detach = attach(line);
      const { code, row, said, valid } = await run(line.path);
      detach();
      t.equal(code, 0, `${name}: ${said}`);
      t.match(said, says, name);
      t.match(row ?? {}, wanted, name);
      t.not(valid, false, `${name}: the configuration is one`);
      await (await holding(line.path))();
      await line.close();
    }),
  );
});

test('over TCP, a port that is not there, a port that is taken', async (t) => {
  const carrier = await tcpCarrier(() => {});
  const timer = setInterval(() => carrier.write(P1), 100);
  const found = await run(`127.0.0.1:${carrier.port}`);
  clearInterval(timer);
  t.match(found.row, { protocol: 'dsmr-p1', link: { kind: 'tcp', host: '127.0.0.1', port: carrier.port } });
  t.equal(found.valid, true);
  await carrier.close();
  await t.rejects(run('/dev/there-is-none'), { code: 'LINK_REFUSED' });
  await t.rejects(run('127.0.0.1:70000'), { code: 'USAGE' });
  const line = await ptyCarrier();
  const holder = await holding(line.path);
  await t.rejects(run(line.path), { code: 'LINK_BUSY' });
  await holder();
  await line.close();
});

async function holding(path: string): Promise<() => Promise<void>> {
  const { serialLink } = await import('../../firmware/hal/links/serial.ts');
  const form = { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  const link = serialLink({ kind: 'serial', path, ...form }, real);
  await link.open({ bytes: () => {}, gone: () => {} });
  return () => link.close();
}

/** A probe on simulated time, of a meter that is asked. */
async function asked(options: IecTwinOptions, misbehaves: IecTwin['misbehaves'] = 'none') {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
  const { link, twin: end } = simulatedSerial(clock, 'line');
  const wires = {
    send: (bytes: Uint8Array, baudRate: number) => end.write(bytes, baudRate),
    after: (ms: number, task: () => void) => void clock.after(ms, task),
  };
  const twin = new IecTwin(wires, options);
  twin.misbehaves = misbehaves;
  end.onBytes((bytes, baudRate) => twin.take(bytes, baudRate));
  const steps: string[] = [];
  const port = {
    name: 'line',
    canChangeSpeed: true,
    link: (settings: Parameters<typeof link.configure>[0]) => ({
      ...link,
      open: async (events: Parameters<typeof link.open>[0]) => {
        await link.configure(settings);
        await link.open(events);
      },
    }),
  };
  const stop = new AbortController();
  let report: Awaited<ReturnType<typeof probe>> | null = null;
  const running = probe(
    port,
    clock,
    (step, of, text) => void steps.push(`${step}/${of} ${text}`),
    stop.signal,
  ).then((found) => {
    report = found;
  });
  for (let at = 1000; at < 400_000 && !report; at += 1000) await clock.advanceTo(at);
  await running;
  return { report: report as Awaited<ReturnType<typeof probe>> | null, steps, twin };
}

test('meters that are asked: a wrong speed after the acknowledgement, a sleeper, a dead line', async (t) => {
  const stays = await asked({ z: '5' }, 'staysAt300');
  t.match(stays.report?.finding?.remarks, [
    /identification/,
    /readout at 9600 baud failed/,
    /keeps to the first one/,
  ]);
  t.equal(stays.report?.finding?.readings, 9);
  const broken = await asked({ z: '5', ident: '\\2METER' }, 'half');
  t.match(broken.report?.finding?.remarks.join(), /DLMS \(mode E\).*readout failed/);
  const battery = await asked({ battery: true, z: ' ' });
  t.equal(battery.report?.finding?.speaks, 'IEC 62056-21 mode A');
  t.match(battery.steps.at(-1), /waking a battery meter/);
  const dead = await asked({}, 'silent');
  t.equal(dead.report?.finding, null);
  t.match(dead.report?.diagnosis, { code: 'TIMEOUT', message: /head on the window/ });
  t.match(dead.steps.at(-1), /^16\/16 .*RTS high/);
});

/** What a receiver without inverter makes of the characters: a one for the start bit, then the inverted bits. */
const inverted = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (b) => ((~b << 1) | 1) & 0xff);

test('a diagnosis instead of a flood of checksum errors', async (t) => {
  const of = (bytes: Uint8Array) => diagnose(bytes, collect(new P1Decoder(), readP1, bytes).faults)?.code;
  const twice = Buffer.concat([P1, P1]);
  const flipped = Uint8Array.from(twice, (b, i) => (i % 300 === 150 ? b ^ 2 : b));
  t.equal(of(inverted(twice)), 'LINE_INVERTED');
  t.equal(of(withParity(twice)), 'BAD_PARITY');
  t.equal(of(flipped), 'BAD_CHECKSUM');
  t.equal(of(P1.subarray(0, 300)), 'CUT_FRAME');
  t.equal(of(P1.subarray(200)), 'CUT_FRAME');
  t.equal(of(SML.subarray(0, 100)), 'CUT_FRAME');
  t.equal(of(garbled(twice)), 'WRONG_SPEED');
  t.equal(of(Uint8Array.of(0, 255, 0)), 'BAD_FRAME');
  t.equal(of(Buffer.from('/?!\r\n')), 'TIMEOUT');
  t.equal(of(new Uint8Array(0)), undefined);
  const key = Buffer.alloc(16, 7);
  const title = Buffer.from('5341473530303030', 'hex');
  const sealing = { systemTitle: title, securityControl: 0x30, invocationCounter: 1, key, authKey: key };
  const ciphered = encodeCiphered(P1, sealing);
  t.equal(of(ciphered), 'KEY_MISSING');
  const form = { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  t.match(judge(ciphered, form).finding, {
    speaks: 'P1, encrypted',
    meter: { manufacturer: 'SAG' },
    config: { protocol: 'dsmr-p1', needsKey: true },
  });
  const dsmr2 = Buffer.from(
    '/ISk5\\2MT382-1000\r\n\r\n0-0:96.1.1(00)\r\n1-0:1.8.1(00001.001*kWh)\r\n0-0:96.14.0(1)\r\n!\r\n',
  );
  t.match(judge(withParity(Buffer.concat([dsmr2, dsmr2])), { ...form, baudRate: 9600 }).finding?.config, {
    protocol: 'dsmr-p1',
    line: { baudRate: 9600, dataBits: 7, parity: 'even' },
  });
  const modeD = Buffer.from('/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(00001.5*kWh)\r\n!\r\n');
  t.equal(judge(modeD, form).finding?.config?.protocol, 'iec62056-21-d');
  t.match(judge(Buffer.from('1040f03016', 'hex'), form).finding, { config: null, remarks: [/Netz|AMIS/] });
});

test('a running meter that only hears nonsense is faulty, with the reason; it recovers', async (t) => {
  const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
  const { link, twin } = simulatedLine(clock, 'p1');
  const config = { id: 'm', address: '', intervalMs: 1000, timeZone: 'Europe/Amsterdam' };
  const meter = METER_PROTOCOLS['dsmr-p1'](config, link, clock);
  const health: string[] = [];
  meter.open({
    measured: () => {},
    flexibility: () => {},
    status: () => {},
    health: (state, reason) => void health.push(`${state} ${reason?.code ?? ''}`),
    fault: () => {},
  });
  const send = async (bytes: Uint8Array, times: number): Promise<void> => {
    for (let i = 0; i < times; i++) {
      await clock.advanceTo(clock.elapsedMs() + 1000);
      twin.write(bytes);
    }
    await clock.advanceTo(clock.elapsedMs() + 1000);
  };
  await send(inverted(p1Frame(['/HRT5X', '', '1-0:1.8.0(000001.000*kWh)'])), 60);
  t.same(health, ['faulty LINE_INVERTED']);
  await send(P1, 2);
  t.same(health.at(-1), 'ok ');
  await meter.close();
});
