/** The operator's messages over real brokers: aedes (3.1.1) always, Mosquitto (5, TLS, sessions) where it is. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Test, test } from 'tap';
import type { Clock } from '../../firmware/domain/time.ts';
import type { SignalTransport } from '../../firmware/domain/transport.ts';
import { systemClock, systemRandom } from '../../firmware/hal/clock.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { backoffMs, type MqttOptions, mqttTransport } from '../../firmware/signals/mqtt.ts';
import { fits } from '../../firmware/signals/topic.ts';
import { type Broker, demoBroker, MOSQUITTO, type MosquittoOptions, mosquitto } from '../twins/broker.ts';
import { authority } from '../twins/certificates.ts';
import { limitEvent } from '../twins/operator.ts';
import { until } from '../twins/until.ts';

const DAY_MS = 86_400_000;

test('the machine that must find everything has Mosquitto', async (t) => {
  t.ok(MOSQUITTO !== null || !process.env.CI, 'CI without Mosquitto would leave MQTT 5 untested');
});

/** A gateway's ear: what came, what was refused, and why the link is down. */
function listen(
  t: Test,
  { port, tls = false, clock = systemClock(), keep = () => true, ...options }: Ear,
): Heard {
  const url = `${tls ? 'mqtts' : 'mqtt'}://127.0.0.1:${port}`;
  const transport = mqttTransport({ clientId: 'ear', topics: ['dso/#'], ...options, url }, clock, {
    ...systemRandom(),
    next: () => 0,
  });
  const heard: Heard = { transport, messages: [], refused: [], states: [], connected: false };
  transport.open({
    message(topic, bytes) {
      heard.messages.push(`${topic} ${Buffer.from(bytes).toString().slice(0, 20)}`);
      return keep();
    },
    refused: (topic, { code }) => void heard.refused.push(`${topic} ${code}`),
    state(connected, reason) {
      heard.connected = connected;
      heard.states.push(connected ? 'up' : (reason?.code ?? 'down'));
    },
  });
  t.teardown(() => transport.close());
  return heard;
}
interface Ear extends Partial<MqttOptions> {
  readonly port: number;
  readonly tls?: boolean;
  readonly clock?: Clock;
  readonly keep?: () => boolean;
}
interface Heard {
  readonly transport: SignalTransport;
  readonly messages: string[];
  readonly refused: string[];
  readonly states: string[];
  connected: boolean;
}

type Kind = readonly [name: string, open: (options?: MosquittoOptions) => Promise<Broker>];
const KINDS: readonly Kind[] = [
  ['aedes, MQTT 3.1.1', (options) => demoBroker(0, options)],
  ...(MOSQUITTO ? [['Mosquitto, MQTT 5', mosquitto] as const] : []),
];

for (const [name, open] of KINDS) {
  test(`${name}: what is retained, what comes, what is sent`, async (t) => {
    const broker = await open();
    t.teardown(() => broker.close());
    await broker.publish('dso/limit', Buffer.from('kept'));
    const gateway = listen(t, broker);
    const operator = listen(t, { ...broker, clientId: 'operator', topics: ['home/+/report'] });
    await until('the retained message is there', () => gateway.messages.includes('dso/limit kept'));
    await broker.publish('dso/price', Buffer.from('live'), { retain: false });
    await until('the live one is there', () => gateway.messages.includes('dso/price live'));
    await until('the operator listens', () => operator.connected);
    await gateway.transport.publish('home/4711/report', Buffer.from('met'));
    await until('the report is there', () => operator.messages.includes('home/4711/report met'));
    t.same(gateway.states, ['up'], 'the fall-back costs no attempt that anybody would see');
  });

  test(`${name}: a packet that is too long is skipped, what follows is heard`, async (t) => {
    const broker = await open();
    t.teardown(() => broker.close());
    const gateway = listen(t, broker);
    await until('connected', () => gateway.connected);
    await broker.publish('dso/huge', Buffer.alloc(1_000_000, 'x'));
    await broker.publish('dso/next', Buffer.from('small'));
    await until('the next one is there', () => gateway.messages.includes('dso/next small'));
    t.same(gateway.messages, ['dso/next small']);
    t.same(gateway.states, ['up'], 'and nobody hung up');
  });

  test(`${name}: certificates of both sides, and what is wrong with them`, async (t) => {
    const ours = authority('Operator');
    const soon = { fromMs: Date.now() - 2 * DAY_MS, untilMs: Date.now() - DAY_MS };
    const client = ours.issue({ name: 'home-4711' });
    const tls = { server: ours.issue({ name: 'broker' }), clients: ours.cert };
    const [good, expired] = await Promise.all([
      open({ tls }),
      open({ tls: { server: ours.issue({ name: 'broker', ...soon }) } }),
    ]);
    t.teardown(() => Promise.all([good.close(), expired.close()]));
    const mine = { tls: true, ca: ours.cert, cert: client.cert, key: client.key };
    const cases: readonly [string, Ear][] = [
      ['up', { ...mine, port: good.port }],
      ['CERTIFICATE_UNTRUSTED', { ...mine, ca: authority('Somebody').cert, port: good.port }],
      ['CERTIFICATE_UNTRUSTED', { tls: true, port: good.port }],
      ['CERTIFICATE_EXPIRED', { ...mine, port: expired.port }],
      ['CERTIFICATE_REFUSED', { tls: true, ca: ours.cert, port: good.port }],
    ];
    for (const [code, ear] of cases) {
      const gateway = listen(t, ear);
      await until(`${code}: it has said so`, () => gateway.states.length > 0);
      t.equal(gateway.states[0], code);
      await gateway.transport.close();
    }
  });
}

test('a flood is read at a pace, and nothing of it is lost', async (t) => {
  const broker = await demoBroker();
  t.teardown(() => broker.close());
  const clock = systemClock();
  let waits = 0;
  const paced: Clock = {
    ...clock,
    elapsedMs: () => 0,
    after: (delayMs, task) => {
      waits += delayMs <= 20 * 1000 ? 1 : 0;
      return clock.after(0, task);
    },
  };
  const gateway = listen(t, { ...broker, clock: paced });
  await until('connected', () => gateway.connected);
  waits = 0;
  for (let i = 0; i < 500; i++) await broker.publish('dso/flood', Buffer.from(`${i}`), { retain: false });
  await until('all are there', () => gateway.messages.length === 500);
  t.ok(waits >= 290, `${waits} of 500 had to wait`);
});

test('what comes on a topic that nobody asked for is refused', async (t) => {
  const rows: readonly [string, string, boolean][] = [
    ['dso/#', 'dso', true],
    ['dso/#', 'dso/a/b', true],
    ['dso/+', 'dso/a', true],
    ['dso/+', 'dso/a/b', false],
    ['dso/+/x', 'dso/a/x', true],
    ['dso', 'dso/a', false],
    ['#', '$SYS/uptime', false],
    ['+/a', 'b/a', true],
  ];
  for (const [filter, topic, yes] of rows) t.equal(fits(filter, topic), yes, `${filter} ${topic}`);
});

test('the back-off doubles, is bounded and is never the same for a street', async (t) => {
  const random = seededRandom(1);
  const waits = Array.from({ length: 12 }, (_, n) => backoffMs(n, random));
  t.ok(waits.every((ms, n) => ms >= Math.min(60_000, 1000 * 2 ** n) / 2 && ms <= 60_000));
  t.equal(new Set(Array.from({ length: 50 }, () => Math.round(backoffMs(10, random)))).size, 50);
});

test('what is sent while nobody listens waits, is bounded, and does not come too late', async (t) => {
  const broker = await demoBroker();
  const { port } = broker;
  await broker.close();
  const gateway = listen(t, { port });
  const sent = gateway.transport.publish('dso/echo', Buffer.from('waited'));
  const late = t.rejects(gateway.transport.publish('dso/echo', Buffer.from('late'), 100), {
    code: 'TIMEOUT',
  });
  const crowd = Promise.allSettled(
    Array.from({ length: 300 }, () => gateway.transport.publish('x/y', Buffer.from('z'))),
  );
  await until('it has tried', () => gateway.states.includes('LINK_REFUSED'));
  const again = await demoBroker(port);
  t.teardown(() => again.close());
  await sent;
  await until('the echo is there', () => gateway.messages.includes('dso/echo waited'));
  await late;
  const refused = (await crowd).filter((r) => r.status === 'rejected');
  t.equal(refused.length, 102, '200 wait, the rest is told');
});

if (MOSQUITTO) {
  test('a signal that was sent while the gateway was down arrives', async (t) => {
    const broker = await mosquitto();
    t.teardown(() => broker.close());
    const before = listen(t, { ...broker, topics: ['old/#', 'dso/#'] });
    await until('the session is there', () => before.connected);
    await before.transport.close();
    await broker.publish('dso/limit', Buffer.from('queued'), { retain: false });
    await broker.publish('old/limit', Buffer.from('queued'), { retain: false });
    const after = listen(t, broker);
    await until('both came', () => after.messages.length === 1 && after.refused.length === 1);
    t.same(after.messages, ['dso/limit queued']);
    t.same(after.refused, ['old/limit SIGNAL_UNKNOWN_TOPIC'], 'of a subscription that is no longer ours');
  });

  test('what could not be written down comes again; what was written down does not', async (t) => {
    const broker = await mosquitto();
    t.teardown(() => broker.close());
    const clock = systemClock();
    const hasty: Clock = { ...clock, after: (ms, task) => clock.after(ms / 50, task) };
    let room = false;
    const gateway = listen(t, { ...broker, clock: hasty, keep: () => room });
    await until('connected', () => gateway.connected);
    await broker.publish('dso/limit', Buffer.from('once'), { retain: false });
    await until('it came twice', () => gateway.messages.length >= 2);
    room = true;
    const seen = gateway.messages.length;
    await until('it came once more', () => gateway.messages.length > seen);
    await gateway.transport.close();
    const after = listen(t, broker);
    await until('connected again', () => after.connected);
    await broker.publish('dso/end', Buffer.from('end'), { retain: false });
    await until('the end is there', () => after.messages.includes('dso/end end'));
    t.same(after.messages, ['dso/end end']);
  });

  test('the broker restarts, is killed, refuses: the gateway comes back and nothing is lost', async (t) => {
    const broker = await mosquitto();
    t.teardown(() => broker.close());
    const gateway = listen(t, broker);
    for (const how of ['SIGTERM', 'SIGKILL'] as const) {
      await until('connected', () => gateway.connected);
      await broker.stop(how);
      await until('the loss is noticed', () => !gateway.connected);
      await broker.start();
      await broker.publish('dso/limit', Buffer.from(how), { retain: false });
      await until('the signal is there', () => gateway.messages.includes(`dso/limit ${how}`));
    }
    t.ok(gateway.states.includes('LINK_GONE'));
  });

  test('name and password: a wrong one is said so, and none is ever written', async (t) => {
    const secret = 'correct-horse-battery-staple';
    const broker = await mosquitto({ user: ['home', secret] });
    const dir = mkdtempSync(path.join(tmpdir(), 'hearth-secret-'));
    t.teardown(async () => {
      await broker.close();
      rmSync(dir, { recursive: true, force: true });
    });
    const wrong = listen(t, { ...broker, username: 'home', password: 'guess' });
    await until('it is refused', () => wrong.states.length > 0);
    t.equal(wrong.states[0], 'CREDENTIALS_REFUSED');
    await wrong.transport.close();

    const file = path.join(dir, 'hearth.json');
    writeFileSync(path.join(dir, 'secret'), `${secret}\n`);
    writeFileSync(file, JSON.stringify(minimalConfig(broker.port)));
    const now = Date.now();
    await broker.publish(
      'dso/limit',
      limitEvent({ id: 'e', programID: 'l', modifiedMs: now }, now, 60_000, 4.2),
    );
    const main = path.resolve(import.meta.dirname, '../../firmware/main.ts');
    const gateway = spawn(process.execPath, [main, 'run', file], { env: { ...process.env, DEBUG: '*' } });
    let said = '';
    for (const stream of [gateway.stdout, gateway.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    const kept = (): string =>
      readdirSync(dir)
        .filter((name) => name.startsWith('hearth.sqlite'))
        .map((name) => readFileSync(path.join(dir, name), 'latin1'))
        .join('');
    await until('it came in and has the limit', () => kept().includes('openadr3/l/e'));
    const ended = new Promise((resolve) => gateway.once('exit', resolve));
    gateway.kill('SIGTERM');
    await ended;
    t.match(said, /the page is at/);
    t.notOk(said.includes(secret), 'not in what it says');
    t.notOk(kept().includes(secret), 'not in what it keeps');
  });
}

const minimalConfig = (port: number) => ({
  site: { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 35, phases: 3 },
  store: { path: 'hearth.sqlite' },
  web: { host: '127.0.0.1', port: 0 },
  mqtt: {
    url: `mqtt://127.0.0.1:${port}`,
    clientId: 'secret',
    username: 'home',
    password: { file: 'secret' },
    topics: ['dso/#'],
    programs: [{ id: 'l', name: 'DSO', binding: 'commandable' }],
  },
  meters: [],
  devices: [],
});
