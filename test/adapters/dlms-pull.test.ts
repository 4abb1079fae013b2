/** DLMS meters that are asked: real TCP, UDP and serial lines, real bytes, a store on disk, and twins that misbehave. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Test, test } from 'tap';
import { DLMS_DEFAULTS, type DlmsOptions } from '../../firmware/adapters/meters/dlms/options.ts';
import { METER_PROTOCOLS, type MeterConfig } from '../../firmware/adapters/registry.ts';
import type { Security } from '../../firmware/codecs/dlms/cipher.ts';
import { serverAddress } from '../../firmware/codecs/hdlc/address.ts';
import { type Measurement, pointKey } from '../../firmware/domain/measurement.ts';
import type { Settings } from '../../firmware/domain/storage.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { type LinkSpec, realLink } from '../../firmware/hal/links/open.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { openStore } from '../../firmware/store/index.ts';
import { ptyCarrier } from '../twins/carriers.ts';
import { type HomeOptions, homeObjects, importAt, PERIOD_MS, PROFILE } from '../twins/dlms-home.ts';
import { type DlmsMisbehaviour, DlmsTwin } from '../twins/dlms-meter.ts';
import { type DlmsServer, dlmsTcp, dlmsUdp } from '../twins/dlms-server.ts';
import { IecTwin } from '../twins/iec-meter.ts';
import { until } from '../twins/until.ts';

const real = systemClock();
const ZONE = 'Europe/Vienna';
const KEY = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex');
const AUTH_KEY = Buffer.from('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF', 'hex');
const METER: Security = {
  systemTitle: Buffer.from('4D4D4D0000BC614E', 'hex'),
  key: KEY,
  authKey: AUTH_KEY,
  control: 0x30,
};
const DAY_MS = 86_400_000;

/** Waits are so many times as short; the wall clock stands where it is put. */
const clockAt = (wallMs: number, speed = 20): Clock => ({
  wallMs: () => wallMs,
  elapsedMs: () => real.elapsedMs() * speed,
  after: (ms, task) => real.after(ms / speed, task),
});

function memory(): Settings & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    get: (name) => kept.get(name) ?? null,
    set: (name, value) => void kept.set(name, value),
    remove: (name) => void kept.delete(name),
  };
}

interface Asking {
  readonly link: LinkSpec;
  readonly dlms?: Partial<DlmsOptions>;
  readonly more?: Partial<MeterConfig>;
  readonly clock?: Clock;
}

function ask({ link, dlms, more, clock = real }: Asking) {
  const meter = METER_PROTOCOLS.dlms(
    {
      id: 'm',
      address: '',
      intervalMs: 3_600_000,
      timeZone: ZONE,
      settings: memory(),
      ...more,
      dlms: { ...DLMS_DEFAULTS, carrier: 'wrapper', answerMs: 2000, ...dlms },
    },
    realLink(link, clock),
    clock,
  );
  const measured: Measurement[] = [];
  const history: Measurement[] = [];
  const faults: string[] = [];
  const said: string[] = [];
  const health: string[] = [];
  const noted: string[] = [];
  meter.open({
    measured: (m) => void measured.push(...m),
    history: (m) => void history.push(...m),
    flexibility: () => {},
    status: () => {},
    health: (h) => void health.push(h),
    fault: (f) => {
      faults.push(f.code);
      said.push(f.message);
    },
    noted: (event) => void noted.push(event.code),
  });
  const value = (point: string): number | null | undefined =>
    measured.findLast((m) => pointKey(m.point) === `m/${point}`)?.value;
  return { meter, measured, history, faults, said, health, noted, value };
}

const tcp = (server: DlmsServer): LinkSpec => ({ kind: 'tcp', host: '127.0.0.1', port: server.port });
const NOON = Date.UTC(2026, 4, 20, 10, 0, 30);
const homeAt = (wallMs: number, more: Partial<HomeOptions> = {}) =>
  homeObjects({ now: () => wallMs, timeZone: ZONE, ...more });

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

/** Import and export of the newest periods, in order. */
const expectedRows = (wallMs: number, periods: number): number[] =>
  endsBefore(wallMs, periods).flatMap((at) => [Math.floor(importAt(at) / 10) * 10, 5000]);
const endsBefore = (wallMs: number, periods: number): number[] => {
  const last = Math.floor(wallMs / PERIOD_MS) * PERIOD_MS;
  return Array.from({ length: periods }, (_, i) => last - (periods - 1 - i) * PERIOD_MS);
};

test('load profiles in every form, over both changes of summer time', async (t) => {
  const forms: readonly Partial<HomeOptions>[] = [
    { encoding: 'full' },
    { encoding: 'nulls' },
    { encoding: 'compact' },
    { encoding: 'nulls', selects: 'entry' },
    { encoding: 'full', selects: 'entry', newestFirst: true },
    { encoding: 'full', selects: 'nothing', keeps: 400 },
    { encoding: 'full', deviation: 'inverted' },
    { encoding: 'full', deviation: 'none' },
    { encoding: 'nulls', deviation: 'none' },
  ];
  const periods = 3 * 96;
  for (const wallMs of [Date.UTC(2026, 2, 30, 8, 1), Date.UTC(2026, 9, 26, 8, 1)]) {
    for (const form of forms) {
      const name = `${JSON.stringify(form)} ${new Date(wallMs).toISOString()}`;
      const server = await dlmsTcp({ carrier: 'wrapper', objects: homeAt(wallMs, form), maxPdu_bytes: 1000 });
      const seen = ask({
        link: tcp(server),
        dlms: { profile: { code: PROFILE, periodMs: PERIOD_MS, periods } },
        clock: clockAt(wallMs, 1),
      });
      await until(name, () => seen.health.length > 0 || seen.faults.length > 0);
      t.same(seen.faults, [], name);
      const imports = seen.history.filter((m) => m.point.quantity === 'activeEnergyImport');
      t.same(
        imports.map((m) => m.meterTimeMs),
        endsBefore(wallMs, periods),
        name,
      );
      t.same(
        imports.map((m) => m.value),
        expectedRows(wallMs, periods).filter((_, i) => i % 2 === 0),
        name,
      );
      await seen.meter.close();
      await server.close();
    }
  }
});

function storeIn(t: Test, clock: Clock) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-dlms-pull-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  return () => openStore(path.join(dir, 'hearth.sqlite'), { clock, timeZone: ZONE });
}

test('counters: never used twice, over restarts, believed only from the meter itself', async (t) => {
  const settings = memory();
  const server = await dlmsTcp({
    carrier: 'wrapper',
    objects: homeAt(NOON),
    security: METER,
    mechanism: 'gmac',
  });
  const visits = async (more: Partial<MeterConfig> = {}, dlms: Partial<DlmsOptions> = {}) => {
    const seen = ask({
      link: tcp(server),
      dlms: { mechanism: 'gmac', ...dlms },
      more: { key: KEY, authKey: AUTH_KEY, settings, ...more },
    });
    await until('a visit', () => seen.health.length > 0 || seen.faults.length > 0);
    await seen.meter.close();
    return seen;
  };
  const used: number[] = [];
  for (let restart = 0; restart < 3; restart++) {
    const { faults } = await visits();
    t.same(faults, []);
    used.push(server.twin.lastClientCounter);
  }
  t.ok((used[0] ?? 0) < (used[1] ?? 0) && (used[1] ?? 0) < (used[2] ?? 0), `grows: ${used.join()}`);
  t.notMatch([...settings.kept].join(), KEY.toString('hex'));

  server.twin.misbehaves.add('counterTooLow');
  const corrected = await visits({ settings: memory() });
  t.same(corrected.faults, [], 'a meter that knows the counter better');
  t.ok(server.twin.lastClientCounter > 5000);
  server.twin.misbehaves.clear();
  await server.close();

  const strict = await dlmsTcp({
    carrier: 'wrapper',
    objects: homeAt(NOON),
    security: METER,
    publicReads: true,
  });
  const seen = ask({
    link: tcp(strict),
    dlms: { protection: 'both', client: 1, counterCode: '0-0:43.1.0' },
    more: { key: KEY, authKey: AUTH_KEY },
  });
  await until('values', () => seen.health.length > 0 || seen.faults.length > 0);
  t.same(seen.faults, []);
  t.ok(strict.twin.lastClientCounter > 70_000, 'the counter that the meter shows to the public client');
  await seen.meter.close();
  await strict.close();

  const full: Settings = { get: () => null, set: () => {}, remove: () => {} };
  const server2 = await dlmsTcp({ carrier: 'wrapper', objects: homeAt(NOON), security: METER });
  const unkept = ask({
    link: tcp(server2),
    dlms: { protection: 'both' },
    more: { key: KEY, authKey: AUTH_KEY, settings: full },
  });
  await until('refused', () => unkept.faults.length > 0);
  t.same(unkept.faults, ['STORE_FULL'], 'a counter that cannot be kept is not used');
  t.equal(server2.sent_bytes(), 0, 'nothing was answered because nothing was sent');
  await unkept.meter.close();
  await server2.close();
});

/** Invocation counters in what we sent, each with what stands under it: an initiate request (21h) or a GET (C8h). */
const countersIn = (frames: readonly Uint8Array[]): readonly (readonly [number, string])[] =>
  frames.flatMap((frame): [number, string][] => {
    const sealed = /^(?:60.*be..04..21|c8)..30(.{8})(.*)$/.exec(Buffer.from(frame).toString('hex', 8));
    return sealed ? [[Number.parseInt(sealed[1] ?? '', 16), sealed[2] ?? '']] : [];
  });

test('whoever lies about the counter does not get one used twice, nor all of them used up', async (t) => {
  const settings = memory();
  const frames: Uint8Array[] = [];
  let answer: (bytes: Uint8Array) => void = () => {};
  const options = { carrier: 'wrapper', objects: homeAt(NOON), security: METER } as const;
  const twin = new DlmsTwin(options, (bytes) => answer(bytes));
  /** Visits between two starts of the gateway; null for one to the meter itself, else what the liar makes of our counter. */
  const visits = async (lies: readonly (((counter: number) => number) | null)[], repeats: number) => {
    const clock = clockAt(NOON, 100);
    const { link, twin: end } = simulatedLine(clock, 'wire');
    answer = (bytes) => end.write(bytes);
    let visit = -1;
    let lied = false;
    end.onBytes((bytes) => {
      frames.push(bytes);
      const lie = lies[visit];
      if (lie === null) twin.take(bytes);
      if (!lie) return;
      const [[counter = 0] = []] = countersIn([bytes]);
      if (!lied) end.write(Buffer.concat([Buffer.from('0001000100100007d80106', 'hex'), word(lie(counter))]));
      lied = true;
    });
    const faults: string[] = [];
    const health: string[] = [];
    const counted = {
      ...link,
      open: (events: Parameters<typeof link.open>[0]) => {
        visit += 1;
        lied = false;
        return link.open(events);
      },
    };
    const keys = { key: KEY, authKey: AUTH_KEY };
    const config = { id: 'm', address: '', intervalMs: 1000, timeZone: ZONE, settings, ...keys };
    const dlms: DlmsOptions = {
      ...DLMS_DEFAULTS,
      carrier: 'wrapper',
      protection: 'both',
      answerMs: 10_000,
      repeats,
    };
    const meter = METER_PROTOCOLS.dlms({ ...config, dlms }, counted, clock);
    meter.open({
      measured: () => {},
      flexibility: () => {},
      status: () => {},
      health: (h) => void health.push(h),
      fault: (f) => void faults.push(f.code),
    });
    await until('the last visit', () => visit >= lies.length);
    await meter.close();
    return { faults, health: health.at(-1) };
  };
  // The counter that the next GET would have, and one further on.
  t.same(await visits([(n) => n + 1, null, (n) => n + 5, null], 0), {
    faults: ['TIMEOUT', 'TIMEOUT'],
    health: 'ok',
  });
  // Nearly the last counter of all; behind the last one there is none.
  t.same(await visits([() => 0xffff_fff0, () => 0xffff_ffff, null], 1), {
    faults: ['TIMEOUT', 'REFUSED'],
    health: 'ok',
  });
  const used = new Map<number, string>();
  for (const [counter, under] of countersIn(frames)) {
    t.equal(used.get(counter) ?? under, under, `counter ${counter}`);
    used.set(counter, under);
  }
  t.ok(used.size > 10 && Math.max(...used.keys()) > 0xffff_fff0, `${used.size} counters`);
});

const word = (n: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
};

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

test('a month of quarter hours, the link cut ten times: complete, nothing twice; then only what is new', async (t) => {
  let wallMs = Date.UTC(2026, 3, 10, 9, 3);
  const clock: Clock = { ...clockAt(0, 100), wallMs: () => wallMs };
  const open = storeIn(t, clock);
  const store = open();
  const server = await dlmsTcp({
    carrier: 'wrapper',
    objects: homeObjects({ now: () => wallMs, timeZone: ZONE, encoding: 'nulls' }),
    security: METER,
    mechanism: 'gmac',
    maxPdu_bytes: 1024,
  });
  const random = seededRandom(7);
  const cuts = Array.from({ length: 10 }, () => 600 + Math.floor(random.next() * 3000));
  server.cutAfter(cuts);
  const periods = 31 * 96;
  const config: Asking = {
    link: tcp(server),
    dlms: { mechanism: 'gmac', answerMs: 60_000, profile: { code: PROFILE, periodMs: PERIOD_MS, periods } },
    more: { key: KEY, authKey: AUTH_KEY, settings: store.settings },
    clock,
  };
  const seen = ask(config);
  const store1 = (): void => store.series.append(seen.history.splice(0));
  await until('a visit that went well', () => seen.health.includes('ok'));
  store1();
  const rows = () => store.series.read('m/activeEnergyImport', 'raw', wallMs - 40 * DAY_MS, wallMs + DAY_MS);
  t.equal(server.connections(), cuts.length + 1);
  t.equal(seen.faults.length, cuts.length);
  t.same(
    rows().map((r) => r.atMs),
    endsBefore(wallMs, periods),
  );
  t.same(
    rows().map((r) => r.value),
    expectedRows(wallMs, periods).filter((_, i) => i % 2 === 0),
  );
  await seen.meter.close();

  // Two days without the gateway: what is missing is fetched.
  wallMs += 2 * DAY_MS;
  const again = ask(config);
  await until('the gap', () => again.health.includes('ok'));
  const gap = again.history.filter((m) => m.point.quantity === 'activeEnergyImport').length;
  t.ok(gap >= 192 && gap <= periods, `${gap} periods`);
  store.series.append(again.history);
  t.same(
    rows().map((r) => r.atMs),
    endsBefore(wallMs, periods + 192),
  );
  await again.meter.close();
  await server.close();
  store.close();
});
