import { test } from 'tap';
import { DLMS_DEFAULTS, type DlmsOptions } from '../../firmware/adapters/meters/dlms/options.ts';
import { METER_PROTOCOLS, type MeterConfig } from '../../firmware/adapters/registry.ts';
import { serverAddress } from '../../firmware/codecs/hdlc/address.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { ptyCarrier } from '../twins/carriers.ts';
import { importAt, PERIOD_MS, PROFILE } from '../twins/dlms-home.ts';
import { type DlmsMisbehaviour, DlmsTwin } from '../twins/dlms-meter.ts';
import { dlmsTcp, dlmsUdp } from '../twins/dlms-server.ts';
import { IecTwin } from '../twins/iec-meter.ts';
import { until } from '../twins/until.ts';
import {
  AUTH_KEY,
  ask,
  clockAt,
  expectedRows,
  homeAt,
  KEY,
  METER,
  memory,
  NOON,
  real,
  tcp,
  ZONE,
} from './dlms-asking.ts';

const VARIANTS: readonly {
  readonly name: string;
  readonly twin: Partial<Parameters<typeof dlmsTcp>[0]>;
  readonly dlms: Partial<DlmsOptions>;
  readonly more?: Partial<MeterConfig>;
}[] = [
  { name: 'without security', twin: {}, dlms: {} },
  {
    name: 'with a password',
    twin: { mechanism: 'low', password: 'abc' },
    dlms: { mechanism: 'low' },
    more: { password: 'abc' },
  },
  { name: 'ciphered', twin: { security: METER }, dlms: { protection: 'both' } },
  {
    name: 'authenticated only',
    twin: { security: { ...METER, control: 0x10 } },
    dlms: { protection: 'authenticated' },
  },
  {
    name: 'GMAC, small PDUs, no lists',
    twin: { security: METER, mechanism: 'gmac', maxPdu_bytes: 128, lists: false },
    dlms: { mechanism: 'gmac' },
  },
];

test('values over TCP: the meter says what it has, in every kind of association', async (t) => {
  for (const carrier of ['wrapper', 'hdlc'] as const) {
    for (const { name, twin, dlms, more } of VARIANTS) {
      const server = await dlmsTcp({ carrier, objects: homeAt(NOON), ...twin });
      const seen = ask({
        link: tcp(server),
        dlms: { carrier, ...dlms },
        more: { key: KEY, authKey: AUTH_KEY, ...more },
        clock: clockAt(NOON, 1),
      });
      await until(`${name} over ${carrier}: values`, () => seen.health.length > 0);
      t.same(seen.faults, [], `${name} over ${carrier}`);
      t.equal(seen.value('activeEnergyImport'), Math.floor(importAt(NOON) / 10) * 10);
      t.equal(seen.value('activePowerImport'), 1234);
      t.equal(seen.value('voltage/L1'), 231.4);
      t.equal(seen.value('current/L1'), 5.4);
      t.equal(seen.measured[0]?.meterTimeMs, NOON - 0, "the meter's own time");
      t.notOk(
        server.twin.requests.includes('3/1-0:9.8.0*255/2'),
        'what this client may not read is not asked for',
      );
      await seen.meter.close();
      await server.close();
    }
  }
});

test('over UDP, where answers are lost; a meter that lists nothing', async (t) => {
  const server = await dlmsUdp(
    { carrier: 'wrapper', objects: homeAt(NOON, { listed: false }), security: METER },
    4,
  );
  const seen = ask({
    link: { kind: 'udp', host: '127.0.0.1', port: server.port },
    dlms: {
      protection: 'both',
      repeats: 3,
      answerMs: 100,
      registers: ['1-0:1.8.0', '3/1-0:1.7.0', '1-0:9.9.9'],
    },
    more: { key: KEY, authKey: AUTH_KEY },
  });
  await until('values', () => seen.health.length > 0);
  t.equal(seen.value('activePowerImport'), 1234);
  t.same(seen.faults, ['OBJECT_UNDEFINED'], 'what is configured and not there is said');
  t.match(seen.said[0], /1-0:9\.9\.9/);
  await seen.meter.close();
  await server.close();
});

test('at the optical port: sign-on at 300 baud, HDLC, and the port is free again', async (t) => {
  const line = await ptyCarrier();
  const twin = new DlmsTwin({ carrier: 'hdlc', objects: homeAt(NOON), maxInfo_bytes: 128 }, (b) =>
    line.write(b),
  );
  let inHdlc = false;
  const iec = new IecTwin({ send: (bytes) => line.write(bytes) }, { ident: '\\2METER', reactionMs: 20 });
  const speeds: number[] = [];
  line.onBytes((chunk) => {
    inHdlc ||= chunk[0] === 0x7e;
    if (inHdlc) {
      speeds.push(line.baudRate());
      twin.take(chunk);
      // DISC: back to the sign-on.
      if (chunk.includes(0x53) && twin.requests.length > 0 && chunk.length === 10) inHdlc = false;
    } else iec.take(chunk, line.baudRate());
  });
  const seen = ask({
    link: { kind: 'serial', path: line.path, baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 },
    dlms: { carrier: 'hdlc', modeE: true },
    more: { intervalMs: 1000 },
  });
  await until(
    'two visits',
    () => seen.measured.filter((m) => m.point.quantity === 'activePowerImport').length > 1,
  );
  t.equal(seen.value('activePowerImport'), 1234);
  t.same(seen.faults, []);
  t.ok(iec.acknowledged.length > 1, 'signed on for each visit');
  t.ok(
    speeds.every((s) => s === 9600),
    `HDLC at the speed that was agreed: ${[...new Set(speeds)].join()}`,
  );
  await seen.meter.close();
  await line.close();
});

const REFUSALS: readonly {
  readonly name: string;
  readonly twin?: Partial<Parameters<typeof dlmsTcp>[0]>;
  readonly lie?: DlmsMisbehaviour;
  readonly dlms?: Partial<DlmsOptions>;
  readonly more?: Partial<MeterConfig>;
  readonly code: string;
  readonly health?: string;
}[] = [
  {
    name: 'wrong password',
    twin: { mechanism: 'low', password: 'a' },
    dlms: { mechanism: 'low' },
    more: { password: 'b' },
    code: 'PASSWORD_WRONG',
    health: 'faulty',
  },
  { name: 'no password', dlms: { mechanism: 'low' }, code: 'SECRET_MISSING', health: 'faulty' },
  {
    name: 'wrong key',
    twin: { security: METER },
    dlms: { protection: 'both' },
    more: { key: KEY.map((b) => b ^ 1), authKey: AUTH_KEY },
    code: 'KEY_WRONG',
    health: 'faulty',
  },
  { name: 'no key', dlms: { protection: 'both' }, code: 'KEY_MISSING', health: 'faulty' },
  {
    name: 'suite 2',
    dlms: { protection: 'both', suite: 2 },
    more: { key: KEY, authKey: AUTH_KEY },
    code: 'UNSUPPORTED',
    health: 'faulty',
  },
  {
    name: 'a meter that wants a password',
    twin: { mechanism: 'low', password: 'a' },
    code: 'PASSWORD_WRONG',
    health: 'faulty',
  },
  {
    name: 'a forged answer',
    twin: { security: METER },
    lie: 'wrongTag',
    dlms: { protection: 'both', answerMs: 200 },
    more: { key: KEY, authKey: AUTH_KEY },
    code: 'BAD_AUTHENTICATION',
  },
  {
    name: 'a recorded answer',
    twin: { security: METER },
    lie: 'replays',
    dlms: { protection: 'both', answerMs: 200 },
    more: { key: KEY, authKey: AUTH_KEY },
    code: 'REPLAYED',
  },
  {
    name: 'an answer in clear',
    twin: { security: METER },
    lie: 'inClear',
    dlms: { protection: 'both', answerMs: 200 },
    more: { key: KEY, authKey: AUTH_KEY },
    code: 'NOT_ENCRYPTED',
  },
  { name: 'silence', lie: 'silent', dlms: { answerMs: 100 }, code: 'TIMEOUT' },
  {
    name: 'a link that is refused',
    lie: 'refuses',
    twin: { carrier: 'hdlc' },
    dlms: { carrier: 'hdlc' },
    code: 'REFUSED',
  },
];

test('what goes wrong has its name, gives no value and tells no key', async (t) => {
  for (const { name, twin = {}, lie, dlms = {}, more = {}, code, health } of REFUSALS) {
    const server = await dlmsTcp({ carrier: 'wrapper', objects: homeAt(NOON), ...twin });
    if (lie) server.twin.misbehaves.add(lie);
    const seen = ask({ link: tcp(server), dlms, more });
    await until(name, () => seen.faults.length > 0);
    t.ok(seen.faults.includes(code), `${name}: ${seen.faults.join()}`);
    t.same(seen.measured, [], name);
    if (health) t.same(seen.health, [health], name);
    t.notMatch(JSON.stringify(seen.said), new RegExp(KEY.toString('hex'), 'i'));
    await seen.meter.close();
    await server.close();
  }
});

test('a bad line: damaged, lost and foreign frames, a meter that is busy', async (t) => {
  for (const fault of ['losesAnswers', 'losesRequests', 'badFcs', 'foreignFrames', 'notReady'] as const) {
    const server = await dlmsTcp({ carrier: 'hdlc', objects: homeAt(NOON), maxInfo_bytes: 200, window: 2 });
    server.twin.misbehaves.add(fault);
    const seen = ask({
      link: tcp(server),
      dlms: { carrier: 'hdlc', answerMs: 1000, profile: { code: PROFILE, periodMs: PERIOD_MS, periods: 20 } },
      clock: clockAt(NOON, 25),
    });
    await until(`${fault}: values`, () => seen.history.length >= 40);
    t.equal(seen.value('activePowerImport'), 1234, fault);
    t.same(
      seen.history.map((m) => m.value),
      expectedRows(NOON, 20),
      fault,
    );
    await seen.meter.close();
    await server.close();
  }
});

test('two meters on one line are visited one after the other', async (t) => {
  const line = simulatedLine(real, 'bus');
  const twins = [17, 18].map((physical) => {
    const twin = new DlmsTwin(
      { carrier: 'hdlc', objects: homeAt(NOON, { name: `METER${physical}` }) },
      (bytes) => line.twin.write(bytes),
    );
    const address = serverAddress(1, physical, 2) ?? new Uint8Array(0);
    let talking = 0;
    line.twin.onBytes((bytes) => {
      const mine = Buffer.compare(bytes.subarray(3, 5), address) === 0;
      if (!mine) return;
      talking += 1;
      twin.take(bytes);
    });
    return () => talking;
  });
  let open = 0;
  const link = {
    ...line.link,
    open: (events: Parameters<typeof line.link.open>[0]) => {
      t.equal(++open, 1, 'nobody else is on the line');
      return line.link.open(events);
    },
    close: () => {
      open = 0;
      return line.link.close();
    },
  };
  const seen = [17, 18].map((physicalDevice) => {
    const meter = METER_PROTOCOLS.dlms(
      {
        id: `m${physicalDevice}`,
        address: '',
        intervalMs: 3_600_000,
        timeZone: ZONE,
        settings: memory(),
        dlms: { ...DLMS_DEFAULTS, physicalDevice },
      },
      link,
      real,
    );
    const health: string[] = [];
    meter.open({
      measured: () => {},
      flexibility: () => {},
      status: () => {},
      health: (h) => void health.push(h),
      fault: (f) => t.fail(`${f.code}: ${f.message}`),
    });
    return { meter, health };
  });
  await until('both', () => seen.every(({ health }) => health.includes('ok')));
  t.ok(twins.every((talking) => talking() > 5));
  for (const { meter } of seen) await meter.close();
});

test('cut off in the middle of HDLC: the optical port is not signed on again while the meter still listens', async (t) => {
  const line = await ptyCarrier();
  const twin = new DlmsTwin({ carrier: 'hdlc', objects: homeAt(NOON) }, (bytes) => line.write(bytes));
  const iec = new IecTwin({ send: (bytes) => line.write(bytes) }, { ident: '\\2METER', reactionMs: 20 });
  let frames = 0;
  let inHdlc = false;
  line.onBytes((chunk) => {
    inHdlc ||= chunk[0] === 0x7e;
    if (!inHdlc) iec.take(chunk, line.baudRate());
    // The head slips off for a while, the meter stays in HDLC.
    else if (++frames < 5 || frames > 8) twin.take(chunk);
  });
  const seen = ask({
    link: { kind: 'serial', path: line.path, baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 },
    dlms: { carrier: 'hdlc', modeE: true, answerMs: 300 },
  });
  await until('values', () => seen.health.includes('ok'));
  t.same(seen.faults, ['TIMEOUT']);
  t.equal(iec.acknowledged.length, 1, 'signed on once');
  t.equal(seen.value('activePowerImport'), 1234);
  await seen.meter.close();
  await line.close();
});
