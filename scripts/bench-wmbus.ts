/**
 * Wireless M-Bus telegrams per CPU second, buffer in → records and readings out, of one meter: telegrams made here,
 * each another one, in clear and encrypted. Then through a receiver with 1 and 300 meters, as in the gateway.
 *
 *   node scripts/bench-wmbus.ts [--peer FILE.mjs] [--wmbusmeters BINARY]
 *
 * A peer is a bundle of lvogt's wireless-mbus-parser. wmbusmeters reads the same telegrams from a file and prints
 * JSON; what it takes to start is taken off.
 */
import '../firmware/node-guard.ts';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { WirelessReceiver } from '../firmware/adapters/meters/wmbus/receiver.ts';
import { WirelessMeterSeat } from '../firmware/adapters/meters/wmbus/wireless-meter.ts';
import { joined } from '../firmware/codecs/bytes.ts';
import { WirelessMeter } from '../firmware/codecs/wmbus/kind.ts';
import type { Link, LinkEvents } from '../firmware/domain/link.ts';
import { SimulatedClock } from '../firmware/hal/simulated/clock.ts';
import { counterMode, hex, mode5, mode7, wireless } from '../test/twins/wmbus-telegram.ts';

const COUNT = 10_000;
const ROUNDS = 5;
const KEY = hex('000102030405060708090A0B0C0D0E0F');
/** An Elster water meter, V200 by its radio. */
const ADDRESS = hex('9215 78563412 0D 07');

/** Total, time, due-date value and date, flow, temperature, error flags, battery: what a water meter sends. */
function records(n: number): Uint8Array {
  const total = new Uint8Array(4);
  new DataView(total.buffer).setUint32(0, n, true);
  const others = hex('046D 1A0ECD13 4413 64000000 426C DF2C 023B 1200 0259 1D07 02FD17 0000 02FD74 2A0E');
  return joined(hex('0413'), total, others);
}

const KINDS: readonly (readonly [name: string, key: Uint8Array | null, make: (n: number) => Uint8Array])[] = [
  ['in clear', null, (n) => wireless(ADDRESS, Uint8Array.of(0x7a, n & 255, 0, 0, 0), records(n))],
  ['mode 5, AES-CBC', KEY, (n) => mode5(ADDRESS, KEY, n & 255, records(n))],
  ['mode 7, AES-CBC and CMAC', KEY, (n) => mode7(ADDRESS, KEY, n, records(n))],
  ['extended link layer, AES-CTR', KEY, (n) => counterMode(ADDRESS, KEY, n, joined(hex('78'), records(n)))],
];

type Telegrams = readonly Uint8Array[];

async function cpuSeconds(run: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** The median of some rounds, the first one left out. `prepare` is not timed. */
async function rateOf(
  telegrams: Telegrams,
  prepare: () => Promise<() => void | Promise<void>>,
): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round++)
    rates.push(telegrams.length / (await cpuSeconds(await prepare())));
  const warm = rates.slice(1).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 2)] ?? 0;
}

const codecRate = (telegrams: Telegrams, key: Uint8Array | null): Promise<number> => {
  const meter = new WirelessMeter(key);
  return rateOf(telegrams, async () => () => {
    for (const bytes of telegrams) {
      const telegram = meter.read(bytes);
      if (!telegram.ok || telegram.value.records?.length !== 8) throw new Error('a telegram was not read');
    }
  });
};

/** The receiver RC1180 passes telegrams on as they are. A new house each round: counters must grow. */
const receiverRate = (telegrams: Telegrams, key: Uint8Array | null, meters: number): Promise<number> =>
  rateOf(telegrams, async () => {
    const clock = new SimulatedClock(Date.UTC(2026, 0, 15));
    const far: { events: LinkEvents | null } = { events: null };
    const link: Link = {
      name: 'memory',
      open: async (events) => {
        far.events = events;
      },
      write: async () => {},
      configure: async () => true,
      close: async () => {},
    };
    const receiver = new WirelessReceiver({ receiver: 'rc1180', mode: 'T1' }, link, clock);
    let measured = 0;
    const events = {
      measured: () => void measured++,
      ...{ flexibility: () => {}, status: () => {}, health: () => {}, fault: () => {} },
    };
    for (let n = 0; n < meters; n++) {
      const address = n === 0 ? '12345678' : String(20_000_000 + n);
      const options = { id: `m${n}`, address, timeZone: 'Europe/Berlin', ...(key && { key }) };
      new WirelessMeterSeat(options, receiver, clock).open(events);
    }
    await clock.advanceTo(2_000);
    return () => {
      for (const bytes of telegrams) far.events?.bytes(bytes, clock.elapsedMs());
      if (measured !== telegrams.length) throw new Error(`${measured} of ${telegrams.length} were taken`);
    };
  });

interface Peer {
  readonly WirelessMbusParser: new () => {
    parse(bytes: Buffer, options: object): Promise<{ readonly data: readonly unknown[] }>;
  };
}

async function peerRate(file: string, telegrams: Telegrams, key: Uint8Array | null): Promise<number> {
  const { WirelessMbusParser } = (await import(path.resolve(file))) as Peer;
  const parser = new WirelessMbusParser();
  const buffers = telegrams.map((bytes) => Buffer.from(bytes));
  return rateOf(telegrams, async () => async () => {
    for (const bytes of buffers) {
      const { data } = await parser.parse(bytes, {
        containsCrc: false,
        ...(key && { key: Buffer.from(key) }),
      });
      if (data.length !== 8) throw new Error('the peer did not read a telegram');
    }
  });
}

/** Runs a command; prints its user and system seconds, and how many readings it printed. */
const TIMED = `
import resource, subprocess, sys
run = subprocess.run(sys.argv[1:], capture_output=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, run.stdout.count(b'total_m3'))`;

/** User and system time of a run over a file of telegrams. */
function wmbusmetersSeconds(
  binary: string,
  telegrams: Telegrams,
  key: Uint8Array | null,
  meters: number,
): number {
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-wmbus-'));
  const file = path.join(folder, 'simulation_bench.txt');
  const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();
  writeFileSync(file, telegrams.map((bytes) => `telegram=|${hexOf(bytes)}|\n`).join(''));
  const secret = key ? hexOf(key) : 'NOKEY';
  const all = Array.from({ length: meters }, (_, n) => [
    `Meter${n}`,
    'ev200',
    n === 0 ? '12345678' : String(20_000_000 + n),
    secret,
  ]);
  const command = [binary, '--format=json', '--ignoreduplicates=false', file, ...all.flat()];
  const run = spawnSync('python3', ['-c', TIMED, ...command], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  const [seconds = Number.NaN, read = 0] = run.stdout.trim().split(' ').map(Number);
  if (read !== telegrams.length) throw new Error(`wmbusmeters read ${read} of ${telegrams.length}`);
  return seconds;
}

function wmbusmetersRate(binary: string, telegrams: Telegrams, key: Uint8Array | null, meters = 1): number {
  const start = wmbusmetersSeconds(binary, telegrams.slice(0, 1), key, meters);
  return telegrams.length / (wmbusmetersSeconds(binary, telegrams, key, meters) - start);
}

const { values } = parseArgs({
  options: { peer: { type: 'string' }, wmbusmeters: { type: 'string' } },
});

const rounded = (rate: number): string => Math.round(rate).toLocaleString('en').padStart(9);
console.log('telegrams per CPU second');
for (const [name, key, make] of KINDS) {
  const telegrams = Array.from({ length: COUNT }, (_, n) => make(n));
  const row = [`codec ${rounded(await codecRate(telegrams, key))}`];
  for (const meters of [1, 300])
    row.push(`receiver, ${meters} configured ${rounded(await receiverRate(telegrams, key, meters))}`);
  if (values.peer) row.push(`lvogt ${rounded(await peerRate(values.peer, telegrams, key))}`);
  if (values.wmbusmeters)
    for (const meters of [1, 300])
      row.push(
        `wmbusmeters, ${meters} configured ${rounded(wmbusmetersRate(values.wmbusmeters, telegrams, key, meters))}`,
      );
  console.log(`${name.padEnd(30)} ${row.join('   ')}`);
}
console.log(`resident ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
