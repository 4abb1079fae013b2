/**
 * The operator on the other side of a real broker: it is asked before a large load starts and says "later", yes, or
 * nothing; and it hears what became of its limits. The gateway is whole, the wallbox speaks Modbus.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import mqtt from 'mqtt';
import { type Test, test } from 'tap';
import { composeHouse } from '../../firmware/compose.ts';
import { checkConfig } from '../../firmware/config/check.ts';
import type { CommandReport } from '../../firmware/domain/command-report.ts';
import { systemClock, systemRandom } from '../../firmware/hal/clock.ts';
import { realLink } from '../../firmware/hal/links/open.ts';
import { mqttTransport } from '../../firmware/signals/mqtt.ts';
import { reportOf } from '../../firmware/signals/reporter.ts';
import { openStore } from '../../firmware/store/index.ts';
import { journalSentence } from '../../firmware/web/journal-words.ts';
import { reasonSentence } from '../../firmware/web/sentences.ts';
import { type Broker, demoBroker, MOSQUITTO, mosquitto } from '../twins/broker.ts';
import { modbusTcp, tcpCarrier } from '../twins/carriers.ts';
import { demoHome } from '../twins/home.ts';
import { limitEvent, message } from '../twins/operator.ts';
import { until } from '../twins/until.ts';

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-operator-'));
process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
let serial = 0;

type Said = Record<string, unknown>;

/** A home of one wallbox on a broker, and the operator as another client of it. */
async function begin(t: Test, broker: Broker, waitMs: number) {
  const home = demoHome(7, () => Date.UTC(2026, 0, 15, 1));
  const [wallbox, meter] = await Promise.all([modbusTcp(home.wallbox), tcpCarrier(() => {})]);
  const tcp = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port });
  const admission = { name: 'Grid', requestTopic: 'home/ask', answerTopic: 'dso/answer', waitMs };
  const checked = checkConfig({
    site: { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 35, phases: 3 },
    store: { path: 'x' },
    mqtt: {
      url: `mqtt://127.0.0.1:${broker.port}`,
      clientId: `operator-${serial}`,
      topics: ['dso/#'],
      programs: [{ id: 'limits', name: 'DSO', binding: 'commandable' }],
      reports: { topic: 'home/report', clientName: 'home-4711' },
      admission,
    },
    meters: [{ id: 'grid', name: 'Meter', protocol: 'dsmr-p1', link: tcp(meter.port) }],
    devices: [{ id: 'car', name: 'Car', profile: 'wallbox-current', link: tcp(wallbox.port), priority: 4 }],
  });
  if (!checked.ok) throw new Error(JSON.stringify(checked.mistakes));
  const clock = systemClock();
  const storage = openStore(path.join(dir, `${serial++}.sqlite`), { clock, timeZone: 'Europe/Berlin' });
  const options = { url: `mqtt://127.0.0.1:${broker.port}`, clientId: `o${serial}`, topics: ['dso/#'] };
  const house = composeHouse(checked.config, {
    clock,
    random: systemRandom(),
    storage,
    link: (spec) => realLink(spec, clock),
    transport: mqttTransport(options, clock, systemRandom()),
    feedWatchdog: () => {},
    keys: new Map(),
  });
  const operator = await mqtt.connectAsync(options.url, { clientId: `dso${serial}` });
  const asked: Said[] = [];
  const reports: Said[] = [];
  operator.on('message', (topic, bytes) => {
    (topic === 'home/ask' ? asked : reports).push(JSON.parse(bytes.toString()) as Said);
  });
  await operator.subscribeAsync(['home/ask', 'home/report'], { qos: 1 });
  house.start();
  await until('the broker is there', () => house.gateway.snapshot().broker.connected);
  const telegrams = setInterval(() => meter.write(home.telegram()), 100);
  t.teardown(async () => {
    clearInterval(telegrams);
    await house.stop();
    storage.close();
    await operator.endAsync();
    await Promise.all([wallbox.close(), meter.close(), broker.close()]);
  });
  const answer = (body: Said): Promise<unknown> =>
    operator.publishAsync('dso/answer', Buffer.from(message(body)), { qos: 1 });
  const register = (): number => home.wallbox.registers.holding.get(1000) ?? 0;
  const reason = () => house.gateway.snapshot().decision?.devices[0]?.reasons[0];
  const rejected = () => storage.journal.read({ limit: 20, kind: 'rejected' }).map((e) => e.code);
  return { asked, reports, answer, register, reason, rejected, broker };
}

const brokers = [
  ['aedes, 3.1.1', () => demoBroker()] as const,
  ...(MOSQUITTO ? [['Mosquitto, 5', () => mosquitto()] as const] : []),
];

for (const [name, open] of brokers) {
  test(`${name}: "later" is waited for, then asked again, then granted; what became of a limit is told`, async (t) => {
    const { asked, reports, answer, register, reason, rejected, broker } = await begin(
      t,
      await open(),
      20_000,
    );
    await until('it asks', () => asked.length === 1);
    t.match(asked[0], {
      objectType: 'ADMISSION_REQUEST',
      clientName: 'Home',
      resourceName: 'car',
      power: 11.04,
      priority: 4,
      energy: null,
    });
    t.match(reason(), { code: 'ADMISSION_ASKED', values: { source: 'Grid' } });
    await answer({ id: 'another', verdict: 'GRANTED' });
    await answer({ nonsense: true });
    await until('both are refused', () => rejected().length === 2);
    t.same(rejected().sort(), ['SIGNAL_INVALID', 'SIGNAL_STALE']);
    t.equal(register(), 0, 'it has not started');

    const notBefore = Date.now() + 700;
    await answer({ id: asked[0]?.id, verdict: 'LATER', notBefore: new Date(notBefore).toISOString() });
    await until('it waits', () => reason()?.code === 'ADMISSION_LATER');
    await until('it asks again', () => asked.length === 2);
    t.ok(Date.now() >= notBefore, 'not before that');
    t.equal(register(), 0, 'and has not started');
    await answer({ id: asked[1]?.id, verdict: 'GRANTED' });
    await until('it runs', () => register() === 160);

    const now = Date.now();
    await broker.publish(
      'dso/limit',
      limitEvent({ id: 'a', programID: 'limits', modifiedMs: now }, now - 1000, 60_000, 6),
    );
    const told = (state: string) => reports.find((r) => JSON.stringify(r).includes(`"${state}"`));
    await until('its limit is met, and it is told so', () => told('REACHED') !== undefined);
    t.match(told('BEGUN'), {
      objectType: 'REPORT',
      programID: 'limits',
      eventID: 'a',
      clientName: 'home-4711',
    });
    t.equal(asked.length, 2, 'what runs does not ask');
  });
}

test('nobody answers: it starts all the same', async (t) => {
  const { asked, register, reason } = await begin(t, await demoBroker(), 300);
  await until('it asks', () => asked.length === 1);
  await until('it runs', () => register() === 160);
  t.not(reason()?.code, 'ADMISSION_ASKED');
  t.equal(asked.length, 1, 'once');
});

test('a report as OpenADR 3.1 has it', async (t) => {
  const atMs = Date.UTC(2026, 0, 15, 17);
  const report: CommandReport = {
    state: 'EXCEEDED',
    atMs,
    signalId: 'openadr3/limits/evt-91/IMPORT_CAPACITY_LIMIT',
    source: 'DSO',
    direction: 'import',
    scope: 'controllable',
    limit_W: 4200,
    guaranteed_W: 7560,
    receivedMs: atMs - 60_000,
    reachedMs: null,
    power_W: 5000,
    shortfall: { excess_W: 800, reason: 'DEVICE_MINIMUM' },
  };
  const { payloads } = (
    reportOf(report, 'home-4711') as { resources: { intervals: { payloads: Said[] }[] }[] }
  ).resources[0]?.intervals[0] ?? { payloads: [] };
  const said = Object.fromEntries(payloads.map((p) => [p.type, (p.values as unknown[])[0]]));
  t.same(said, {
    DEMAND: 5,
    DATA_QUALITY: 'OK',
    OPERATING_STATE: 'VARIABLE_NOT_FOLLOWING',
    LIMIT_STATE: 'EXCEEDED',
    LIMIT: 4.2,
    SHORTFALL_REASON: 'DEVICE_MINIMUM',
    SHORTFALL: 0.8,
    RECEIVED_AT: '2026-01-15T16:59:00.000Z',
  });
  const unknown = JSON.stringify(reportOf({ ...report, power_W: null }, 'x'));
  t.match(unknown, /"MISSING"/, 'unknown is not 0');
  t.notMatch(unknown, /DEMAND","values/);
  t.equal(reportOf({ ...report, signalId: 'failsafe' }, 'x'), null, 'the failsafe limit is nobody’s event');
});

test('and what the owner reads of it', async (t) => {
  const place = { nowMs: Date.UTC(2026, 0, 15, 17), timeZone: 'Europe/Berlin', currency: 'EUR' };
  const words = (code: string, detail: Said): string =>
    journalSentence({ kind: 'limit', subject: 'DSO', code, detail }, (id) => id, place);
  const limit = { source: 'DSO', direction: 'import', limit_W: 4200, guaranteed_W: 7560 };
  t.equal(
    words('BEGUN', limit),
    'The limit of DSO for power from the grid (4.2 kW) holds from now on.' +
      ' It has to leave 7.6 kW to the controllable devices.',
  );
  t.equal(words('REACHED', limit), 'The limit of DSO for power from the grid (4.2 kW) is met.');
  t.equal(
    words('EXCEEDED', { ...limit, shortfall: { reason: 'DEVICE_LOST', excess_W: 800 } }),
    'The limit of DSO for power from the grid (4.2 kW) cannot be met: a device does not answer.',
  );
  t.equal(
    words('OVER', { ...limit, direction: 'export' }),
    'The limit of DSO for feeding in (4.2 kW) is over.',
  );
  const wait = { code: 'PRICE_WAIT' as const, values: { price: 0.00052, startingNowCosts: 0.84 } };
  t.match(reasonSentence(wait, place), /Starting now would cost 0\.84 EUR more\.$/);
});
