/** What a P1 telegram means: channels, a swapped gas meter, failures, messages, clock and season; the request line. */
import { SerialPortMock } from 'serialport';
import { test } from 'tap';
import { p1Sense, p1Time } from '../../firmware/adapters/meters/p1-sense.ts';
import type { Sense } from '../../firmware/adapters/meters/sense.ts';
import { METER_PROTOCOLS } from '../../firmware/adapters/registry.ts';
import { P1Decoder, readP1 } from '../../firmware/codecs/dsmr-p1/index.ts';
import { encodeCiphered } from '../../firmware/codecs/security/gcm.ts';
import { systemClock } from '../../firmware/hal/clock.ts';
import { serialLink } from '../../firmware/hal/links/serial.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { ptyCarrier } from '../twins/carriers.ts';
import { p1Frame } from '../twins/p1-telegram.ts';

const ZONE = 'Europe/Amsterdam';
const NOON = Date.UTC(2026, 0, 15, 12);

function sensor(zone = ZONE) {
  const sense = p1Sense('p1', zone);
  return (lines: readonly string[], wallMs = NOON): Sense => {
    const [decoded] = [...new P1Decoder().push(p1Frame(['/HRT5\\2METER', '', ...lines]))];
    const telegram = decoded?.ok ? readP1(decoded.frame) : null;
    if (!telegram?.ok) throw new Error('no telegram');
    return sense(telegram.value, { source: 'p1', wallMs, elapsedMs: wallMs });
  };
}

const short = ({ measurements }: Sense) =>
  measurements
    .filter((m) => m.point.channel > 0)
    .map((m) => `${m.point.channel} ${m.point.quantity} ${m.value} ${new Date(m.receivedMs).toISOString()}`);
const codes = ({ events }: Sense) => events.map((e) => e.code);
const CLOCK = '0-0:1.0.0(260115130000W)';

test('gas, water, heat, cooling and a second electricity meter behind the port', async (t) => {
  const say = sensor();
  const sensed = say([
    CLOCK,
    '1-0:1.8.1(000219.251*kWh)',
    '0-1:24.1.0(003)',
    '0-1:96.1.0(4730303031)',
    '0-1:24.2.1(260115125500W)(00092.287*m3)',
    '0-2:24.1.0(007)',
    '0-2:24.2.1(260115120000W)(00012.500*m3)',
    '0-3:24.1.0(012)',
    '0-3:24.2.1(260115120000W)(00001.800*GJ)',
    '0-4:24.1.0(002)',
    '0-4:24.2.1(260115125500W)(00500.000*kWh)',
  ]);
  t.same(short(sensed), [
    '1 volume 92.287 2026-01-15T11:55:00.000Z',
    '2 volume 12.5 2026-01-15T11:00:00.000Z',
    '3 heatEnergy 500000 2026-01-15T11:00:00.000Z',
    '4 activeEnergyImport 500000 2026-01-15T11:55:00.000Z',
  ]);
  t.ok(sensed.measurements.some((m) => m.point.quantity === 'activeEnergyImport' && m.point.tariff === 1));
});

test('a value that is repeated is given once; Belgian, DSMR 3 and empty channels', async (t) => {
  const say = sensor();
  const gas = (time: string, m3: string) => [CLOCK, '0-1:24.1.0(003)', `0-1:24.2.3(${time})(${m3}*m3)`];
  t.equal(short(say(gas('260115120000W', '00092.287'))).length, 1);
  t.equal(short(say(gas('260115120000W', '00092.287'))).length, 0, 'the same again');
  t.equal(short(say(gas('260115125500W', '00092.287'))).length, 1, 'a new time');
  t.equal(short(say(gas('632525252525S', '00000.000'))).length, 0, 'no value yet');
  const old = sensor()([
    CLOCK,
    '0-1:24.1.0(03)',
    '0-1:24.3.0(260115120000)(00)(60)(1)(0-1:24.2.1)(m3)',
    '(00012.345)',
  ]);
  t.same(short(old), ['1 volume 12.345 2026-01-15T11:00:00.000Z']);
});

test('a channel with two registers gives one series', async (t) => {
  const say = sensor();
  const gas = (minute: string, ...codes: string[]) => [
    CLOCK,
    '0-1:24.1.0(003)',
    ...codes.map((code) => `0-1:24.2.${code}(2601151155${minute}W)(0${code}112.384*m3)`),
  ];
  t.same(short(say(gas('00', '3', '1'))), ['1 volume 1112.384 2026-01-15T10:55:00.000Z']);
  t.same(short(say(gas('10', '1', '3'))), ['1 volume 1112.384 2026-01-15T10:55:10.000Z']);
  t.same(short(say(gas('10', '1', '3'))), []);
  t.same(short(sensor()(gas('10', '3'))), ['1 volume 3112.384 2026-01-15T10:55:10.000Z']);
});

test('a swapped gas meter: the newest counts, the channel that was left is reported once', async (t) => {
  const say = sensor();
  const both = [
    CLOCK,
    '0-1:24.1.0(003)',
    '0-1:96.1.0(4F4C44)',
    '0-1:24.2.1(251201120000W)(07890.123*m3)',
    '0-2:24.1.0(003)',
    '0-2:96.1.0(4E4557)',
    '0-2:24.2.1(260115120000W)(00000.210*m3)',
  ];
  const first = say(both);
  t.same(short(first), ['2 volume 0.21 2026-01-15T11:00:00.000Z']);
  t.same(codes(first), ['STALE_CHANNEL']);
  t.same(codes(say(both)), [], 'said once');
  const swapped = say([
    CLOCK,
    '0-2:24.1.0(003)',
    '0-2:96.1.0(5448495244)',
    '0-2:24.2.1(260115125500W)(00000.001*m3)',
  ]);
  t.same(codes(swapped), ['METER_REPLACED'], 'another id on the same channel');
});

test('power failures, sags, messages: what is new, once', async (t) => {
  const say = sensor();
  const log = (entries: string, count: number) => [
    CLOCK,
    `1-0:99.97.0(${count})(0-0:96.7.19)${entries}`,
    '0-0:96.7.21(00005)',
    '1-0:32.32.0(00002)',
    '0-0:96.13.0(48656C6C6F0A)',
  ];
  const old = '(190201235231W)(0000003231*s)(000101000001W)(2147483647*s)';
  const first = say(log(old, 2));
  t.same(codes(first), ['TEXT_MESSAGE'], 'failures of years ago are no news');
  t.same(first.events[0]?.detail, { message: 'Hello' });
  t.same(
    first.measurements
      .map((m) => [m.point.quantity, m.point.phase, m.value])
      .filter(([q]) => q !== 'clockDrift'),
    [
      ['powerFailures', 0, 5],
      ['voltageSags', 1, 2],
    ],
  );
  const again = say(log(`${old}(260115114500W)(0000000236*s)`, 3));
  t.same(codes(again), ['POWER_FAILURE']);
  t.equal(new Date(again.events[0]?.atMs ?? 0).toISOString(), '2026-01-15T10:45:00.000Z');
  t.same(again.events[0]?.detail, { duration_s: 236 });
  t.same(codes(say(log(`${old}(260115114500W)(0000000236*s)`, 3))), []);
  t.equal(say([CLOCK, '1-0:99.97.0(0)(0-0:96.7.19)']).events.length, 0, 'an empty log');
});

test('S and W mean what the zone says; both hours at the end of summer', async (t) => {
  const iso = (text: string, zone: string) => new Date(p1Time(text, zone)?.atMs ?? 0).toISOString();
  t.equal(iso('2026-10-25T02:30:00+02:00', ZONE), '2026-10-25T00:30:00.000Z');
  t.equal(iso('2026-10-25T02:30:00+01:00', ZONE), '2026-10-25T01:30:00.000Z');
  t.equal(iso('2026-07-01T12:00:00+02:00', 'Europe/Vilnius'), '2026-07-01T09:00:00.000Z');
  t.equal(iso('2026-01-01T12:00:00+01:00', 'Europe/Vilnius'), '2026-01-01T10:00:00.000Z');
  t.equal(iso('2026-07-01T12:00:00+02:00', 'Europe/Dublin'), '2026-07-01T11:00:00.000Z');
  t.equal(
    iso('2026-07-01T12:00:00+01:00', 'Europe/Stockholm'),
    '2026-07-01T11:00:00.000Z',
    'Sweden says W all year',
  );
});

test('the clock: drift, agreement, season', async (t) => {
  const say = sensor();
  const drift = ({ measurements }: Sense) =>
    measurements.find((m) => m.point.quantity === 'clockDrift')?.value;
  const first = say([CLOCK]);
  t.equal(drift(first), 0);
  t.same(codes(first), []);
  const late = say(['0-0:1.0.0(260115130000W)'], NOON + 120_000);
  t.same(codes(late), ['CLOCK_DRIFT']);
  t.equal(drift(late), undefined, 'stored every quarter of an hour only');
  t.same(codes(say(['0-0:1.0.0(260115130210W)'], NOON + 120_000)), ['CLOCK_RIGHT']);
  const summer = Date.UTC(2026, 6, 1, 12);
  t.same(codes(say(['0-0:1.0.0(260701140000S)'], summer)), ['SEASON_CHANGED']);
  t.same(codes(say(['0-0:1.0.0(260115130000W)'], 0)), [], 'nothing is judged by a clock that is not set');
});

test('the peaks of past months (Belgium) are history, and given once', async (t) => {
  const say = sensor('Europe/Brussels');
  const month = '(260101000000W)(251223192538W)(03.695*kW)';
  const list = (rest: string) => [
    `0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)${rest}`,
    '1-0:1.6.0(260109112500W)(04.124*kW)',
  ];
  const peaks = (sensed: Sense) =>
    (sensed.history ?? []).map((m) => [m.point.quantity, m.value, new Date(m.receivedMs).toISOString()]);
  const first = say(list(month));
  t.same(peaks(first), [['activeDemandPeak', 3695, '2025-12-23T18:25:38.000Z']]);
  t.equal(first.measurements.find((m) => m.point.quantity === 'activeDemandPeak')?.value, 4124);
  t.same(peaks(say(list(month))), []);
  t.same(peaks(say(list(`${month}(260201000000W)(632525252525S)(00.000*kW)`))), [], 'no value yet');
});

test('national forms: normal time all the year, other zones, reactive values, many tariffs', async (t) => {
  const july = Date.UTC(2026, 6, 1, 10);
  const sweden = sensor('Europe/Stockholm')(
    [
      '0-0:1.0.0(260701110000W)',
      '1-0:1.8.0(00001.5*kWh)',
      '1-0:3.8.0(00000.2*kVArh)',
      '1-0:23.7.0(0000.1*kVAr)',
    ],
    july,
  );
  t.same(codes(sweden), [], 'Sweden: right by normal time');
  t.same(
    sweden.measurements.map((m) => [m.point.quantity, m.point.phase, m.value, m.meterTimeMs]),
    [
      ['activeEnergyImport', 0, 1500, july],
      ['reactiveEnergyImport', 0, 200, july],
      ['reactivePowerImport', 1, 100, july],
      ['clockDrift', 0, 0, july],
    ],
  );
  const wrong = sensor('Europe/Stockholm')(['0-0:1.0.0(260701120000W)'], july);
  t.same(codes(wrong), ['CLOCK_DRIFT', 'SEASON_WRONG'], 'an hour ahead by the same flag is none');
  const lithuania = sensor('Europe/Vilnius')(['0-0:1.0.0(260701130000S)', '1-0:1.8.4(000002.5*kWh)'], july);
  t.same(codes(lithuania), []);
  t.match(lithuania.measurements[0], { point: { tariff: 4 }, value: 2500, meterTimeMs: july });
});

test('encrypted ports of Luxembourg, Austria and Lithuania, with their keys', async (t) => {
  const key = Buffer.alloc(16, 0xaa);
  const own = Buffer.alloc(16, 0xbb);
  const luxembourg = Buffer.from('00112233445566778899aabbccddeeff', 'hex');
  const plain = p1Frame(['/SAG5METER', '', '0-0:1.0.0(260115130000W)', '1-0:1.8.0(000001.234*kWh)']);
  const cases: readonly [string, number, Buffer, { authKey?: Buffer; key?: Buffer }, string | null][] = [
    ['Luxembourg: the authentication key of the country', 0x30, luxembourg, { key }, null],
    ['Lithuania: one of the meter', 0x30, own, { key, authKey: own }, null],
    ['Austria: ciphered without tag, its CRC proves it', 0x20, own, { key }, null],
    ['the wrong authentication key', 0x30, own, { key }, 'BAD_AUTHENTICATION'],
    ['the wrong key, without tag', 0x20, own, { key: own }, 'KEY_WRONG'],
    ['no key', 0x30, luxembourg, {}, 'KEY_MISSING'],
  ];
  for (const [name, securityControl, authKey, keys, refusal] of cases) {
    const clock = new SimulatedClock(NOON);
    const { link, twin } = simulatedLine(clock, 'p1');
    const config = { id: 'm', address: '', intervalMs: 1000, timeZone: 'Europe/Vienna', ...keys };
    const meter = METER_PROTOCOLS['dsmr-p1'](config, link, clock);
    const values: (number | null)[] = [];
    const faults: string[] = [];
    meter.open({
      measured: (m) =>
        void values.push(...m.flatMap((x) => (x.point.quantity === 'clockDrift' ? [] : [x.value]))),
      flexibility: () => {},
      status: () => {},
      health: () => {},
      fault: (f) => void faults.push(f.code),
    });
    const systemTitle = Buffer.from('5341473500000001', 'hex');
    for (let i = 1; i <= 3; i++) {
      await clock.advanceTo(i * 10_000);
      const sealed = encodeCiphered(plain, {
        systemTitle,
        securityControl,
        invocationCounter: i,
        key,
        authKey,
      });
      // The second one loses a byte on the way.
      twin.write(i === 2 ? Buffer.concat([sealed.subarray(0, 60), sealed.subarray(61)]) : sealed);
    }
    await clock.advanceTo(31_000);
    if (refusal === null)
      t.same(values, [1234, 1234], `${name}: the third is read although the second was cut`);
    else {
      t.same(values, [], name);
      t.ok(faults.includes(refusal), `${name}: ${faults}`);
    }
    await meter.close();
  }
});

test('the request line is raised while the port is open and released before it is closed', async (t) => {
  const clock = systemClock();
  const spec = { kind: 'serial', baudRate: 115200, dataBits: 8, parity: 'none', stopBits: 1 } as const;
  const set: object[] = [];
  class Port extends SerialPortMock {
    override set(options: object, done?: (error: Error | null) => void): void {
      set.push(options);
      super.set(options, done);
    }
  }
  SerialPortMock.binding.createPort('/dev/P1');
  const events = { bytes: () => {}, gone: () => {} };
  const link = serialLink(
    { ...spec, path: '/dev/P1', lines: { rts: true, dtr: false } },
    clock,
    Port as unknown as Parameters<typeof serialLink>[2],
  );
  await link.open(events);
  t.same(set, [{ dtr: false, rts: true }]);
  await link.close();
  t.same(set[1], { rts: false });
  // A pseudo terminal has no such lines: said so, and the port is free again.
  const pty = await ptyCarrier();
  const without = serialLink({ ...spec, path: pty.path, lines: { rts: true } }, clock);
  await t.rejects(without.open(events), { code: 'LINK_REFUSED', message: /control lines/ });
  const plain = serialLink({ ...spec, path: pty.path }, clock);
  await plain.open(events);
  await plain.close();
  await pty.close();
});
