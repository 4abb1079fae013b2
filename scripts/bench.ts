/**
 * `npm run bench`: a limit and a price published on a broker → first byte of the Modbus write at the device, over
 * real brokers (aedes, and Mosquitto where it is installed) and real TCP; resident memory of the gateway's process and
 * seconds to its first reading, in the same run.
 */
import '../firmware/node-guard.ts';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '../firmware/hal/clock.ts';
import { readOpenAdr3 } from '../firmware/signals/openadr3.ts';
import { openStore } from '../firmware/store/index.ts';
import { type Broker, demoBroker, MOSQUITTO, mosquitto } from '../test/twins/broker.ts';
import { modbusTcp, tcpCarrier } from '../test/twins/carriers.ts';
import { ModbusTwin } from '../test/twins/modbus-device.ts';
import { message } from '../test/twins/operator.ts';
import { p1Telegram } from '../test/twins/p1-telegram.ts';
import { sunspecInverter } from '../test/twins/sunspec.ts';
import { spawnGateway } from './gateway-process.ts';

const LIMIT_RUNS = 200;
/** Each wallbox wants a little more energy than the one before, so that each step of the price moves just one. */
const WALLBOXES = 30;
const WALLBOX_W = 3680;
const SLOT_MS = 900_000;
/** Nothing is turned up before the meter has been read since the last command. */
const SETTLED_MS = 2_600;
const ANSWER_MS = 1_500;
/** So long after a write the next limit is published. */
const PAUSE_MS = 30;
/** So often prices come while a plan is being made. */
const REPUBLISH_MS = 100;
const ZONE = 'Etc/UTC';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Home = Awaited<ReturnType<typeof begin>>;

async function bench(broker: Broker): Promise<void> {
  const small = await begin(broker, 1);
  const limits: number[] = [];
  await sleep(4000);
  limits.push(...(await limitRuns(broker, small.writes, LIMIT_RUNS)));
  const rss_MB = memory_MB(small.gateway);
  const whilePlanning = await limitRunsWhilePlanning(broker, small);
  await small.end();
  const large = await begin(broker, WALLBOXES);
  await sleep(4000);
  const prices = await pricePass(broker, large.writes);
  await large.end();
  await broker.close();
  print('limit', limits, LIMIT_RUNS);
  print(`limit, while ${whilePlanning.plans} plans were made,`, whilePlanning.limits, LIMIT_RUNS);
  print(`price (among ${WALLBOXES} wallboxes)`, prices, 2 * WALLBOXES);
  console.log(`  process start → first command at a device: ${(small.firstWriteMs / 1000).toFixed(2)} s`);
  console.log(`  resident memory of the gateway: ${rss_MB.toFixed(0)} MB`);
}

/** A home with a roof and some wallboxes, and the gateway as a process of its own, after its first command. */
async function begin(broker: Broker, wallboxes: number) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
  const twins = Array.from({ length: wallboxes + 1 }, () => new ModbusTwin());
  if (twins[0]) sunspecInverter(twins[0]);
  const meter = await tcpCarrier(() => {});
  const carriers = await Promise.all(twins.map((twin) => modbusTcp(twin)));
  const timer = setInterval(() => meter.write(telegram()), 250);
  const file = path.join(dir, 'hearth.json');
  const ports = carriers.map((c) => c.port);
  writeFileSync(file, JSON.stringify(configOf(broker.port, meter.port, ports)));
  rememberPrices(path.join(dir, 'hearth.sqlite'));
  const writes = new Writes(twins);
  const written = writes.next(false);
  const startedAt = performance.now();
  const gateway = spawnGateway(file, 'ignore');
  return {
    writes,
    gateway,
    firstWriteMs: (await written) - startedAt,
    async end() {
      clearInterval(timer);
      const ended = new Promise((resolve) => gateway.once('exit', resolve));
      gateway.kill();
      await ended;
      await Promise.all([meter.close(), ...carriers.map((c) => c.close())]);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** The current price climbs down the ranks of the coming slots and up again: one wallbox starts or stops each time. */
async function pricePass(broker: Broker, writes: Writes): Promise<number[]> {
  const ranks = Array.from({ length: WALLBOXES }, (_, i) => WALLBOXES - i);
  const all = [...ranks, ...ranks.toReversed().map((rank) => rank + 1)];
  const latencies: number[] = [];
  for (const rank of all)
    latencies.push(
      ...(await timed(writes, () => broker.publish('dso/p', message(priceEvent(rank))), SETTLED_MS)),
    );
  return latencies;
}

/** Another export limit each time: the inverter's percentage has to be written at once, up or down. */
async function limitRuns(broker: Broker, writes: Writes, runs: number): Promise<number[]> {
  const latencies: number[] = [];
  for (let run = 0; run < runs; run++) {
    const event = {
      id: 'e',
      programID: 'l',
      modificationDateTime: new Date().toISOString(),
      intervalPeriod: { start: new Date(Date.now() - 1000).toISOString(), duration: 'PT1H' },
      intervals: [{ payloads: [{ type: 'EXPORT_CAPACITY_LIMIT', values: [0.5 + (run % 36) / 10] }] }],
    };
    latencies.push(...(await timed(writes, () => broker.publish('dso/l', message(event)))));
  }
  return latencies;
}

/** The same while prices come again and again: each time the house is planned anew. */
async function limitRunsWhilePlanning(broker: Broker, { writes, gateway }: Home) {
  let plans = 0;
  const planners = new Set<number>();
  const timer = setInterval(() => {
    void broker.publish('dso/p', message(priceEvent(WALLBOXES + 5)));
    for (const pid of childrenOf(gateway)) planners.add(pid);
    plans = planners.size;
  }, REPUBLISH_MS);
  const limits = await limitRuns(broker, writes, LIMIT_RUNS);
  clearInterval(timer);
  return { limits, plans };
}

const childrenOf = ({ pid }: ChildProcess): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);

/** Milliseconds from the call to the next write at any device; none when nothing was written. */
async function timed(writes: Writes, publish: () => Promise<void>, pauseMs = PAUSE_MS): Promise<number[]> {
  const written = writes.next();
  const at = performance.now();
  await publish();
  const first = await Promise.race([written, sleep(ANSWER_MS).then(() => null)]);
  await sleep(pauseMs);
  return first === null ? [] : [first - at];
}

class Writes {
  private waiting: (atMs: number) => void = () => {};
  private onlyChanges = true;

  constructor(twins: readonly ModbusTwin[]) {
    for (const twin of twins) {
      const held = new Map<number, number>();
      twin.onWrite = ({ address, value }) => {
        // A set-point that is written again, so that the device does not fall back, is no answer.
        const changed = (held.get(address) ?? 0) !== value;
        held.set(address, value);
        if (changed || !this.onlyChanges) this.waiting(performance.now());
      };
    }
  }

  /** When the next value is written; `onlyChanges` false takes one that was there before, too. */
  next(onlyChanges = true): Promise<number> {
    this.onlyChanges = onlyChanges;
    return new Promise((resolve) => {
      this.waiting = resolve;
    });
  }
}

/** This quarter hour and the next have a price between those of the `rank − 1` cheapest others and the rest. */
function priceEvent(rank: number) {
  const from = Math.floor(Date.now() / SLOT_MS) * SLOT_MS;
  const values = Array.from({ length: 2 * WALLBOXES }, (_, k) =>
    k < 2 ? 0.2 + (rank + 1) / 1000 - 0.0005 : 0.2 + k / 1000,
  );
  return {
    id: 'day',
    programID: 'p',
    modificationDateTime: new Date().toISOString(),
    payloadDescriptors: [{ payloadType: 'PRICE', units: 'KWH', currency: 'EUR' }],
    intervalPeriod: { start: new Date(from).toISOString(), duration: 'PT15M' },
    intervals: values.map((value, id) => ({ id, payloads: [{ type: 'PRICE', values: [value] }] })),
  };
}

/** Known from the start, or every wallbox would run until the broker is there. */
function rememberPrices(file: string): void {
  const read = readOpenAdr3(message(priceEvent(WALLBOXES + 5)), {
    programs: [{ id: 'p', name: 'Market', binding: 'informational', scope: 'site' }],
    receivedMs: Date.now(),
    draw: () => 0,
  });
  if (!read.ok) throw new Error(read.error.message);
  const store = openStore(file, { clock: systemClock(), timeZone: ZONE });
  for (const signal of read.value.keep) store.signals.save(signal);
  store.close();
}

function configOf(broker: number, meter: number, [roof = 0, ...boxes]: readonly number[]) {
  const tcp = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port });
  const time = new Date(Date.now() + 11 * 3_600_000).toISOString().slice(11, 16);
  return {
    site: { timeZone: ZONE, currency: 'EUR', fuse_A: 400, phases: 3 },
    store: { path: 'hearth.sqlite' },
    web: { host: '127.0.0.1', port: 0 },
    mqtt: {
      url: `mqtt://127.0.0.1:${broker}`,
      clientId: 'bench',
      topics: ['dso/#'],
      programs: [
        { id: 'l', name: 'DSO', binding: 'commandable' },
        { id: 'p', name: 'Market', binding: 'informational' },
      ],
    },
    meters: [{ id: 'grid', name: 'Meter', protocol: 'dsmr-p1', link: tcp(meter) }],
    devices: [
      { id: 'roof', name: 'Roof', profile: 'inverter-sunspec', link: tcp(roof) },
      ...boxes.map((port, i) => ({
        id: `box-${i}`,
        name: `Box ${i}`,
        profile: 'wallbox-current',
        phases: [(i % 3) + 1],
        link: tcp(port),
        mode: 'cheap',
        deadline: { time, energy_Wh: ((i + 0.5) * WALLBOX_W * 0.25) / 1.1 },
      })),
    ],
  };
}

const telegram = (): Uint8Array =>
  p1Telegram({ wallMs: Date.now(), net_W: 800, importEnergy_Wh: 4_000_000, exportEnergy_Wh: 0 });

/** A price that the plan takes longer over, or that moves nothing, has no write in its time. */
function print(what: string, latencies: number[], published: number): void {
  latencies.sort((a, b) => a - b);
  const at = (share: number): string =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN).toFixed(
      1,
    );
  console.log(
    `  ${what} published → write at the device: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms ` +
      `(${latencies.length} of ${published} within ${ANSWER_MS} ms)`,
  );
}

const memory_MB = ({ pid }: ChildProcess): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

for (const [name, open] of [
  ['aedes, MQTT 3.1.1', () => demoBroker()] as const,
  ...(MOSQUITTO ? [['Mosquitto, MQTT 5', () => mosquitto()] as const] : []),
]) {
  console.log(`${name}:`);
  await bench(await open());
}
await import('./bench-iec.ts');
process.exit(0);
