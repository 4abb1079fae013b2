/**
 * Wired M-Bus telegrams per CPU second and resident memory, each reader in a process of its own, one after the other on
 * the same telegrams:
 *   node scripts/bench-mbus.ts FILE.jsonl [--libmbus SOURCES] [--typescript MODULE]
 * SOURCES is a checkout of rscada/libmbus, compiled here with cc -O2; MODULE is lvogt/wireless-mbus-parser bundled into
 * one ES module. That one reads no whole wired frame: it gets the same header and records as a wireless telegram.
 * A reader is measured on the telegrams that it reads.
 */
import '../firmware/node-guard.ts';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readWired } from '../firmware/codecs/mbus/kind.ts';
import { readLink } from '../firmware/codecs/mbus/link.ts';
import { readHeader } from '../firmware/codecs/mbus/transport.ts';
import { parse } from '../firmware/codecs/mbus-parser/index.ts';

const CPU_S = 3;
/** V8 has seen the code so often that what follows is the steady state. */
const WARM_UP_S = 1;
/** To ask for the time costs as much as a telegram. */
const ROUNDS = 50;

interface Outcome {
  readonly telegrams: number;
  /** Of the telegrams given, how many it reads. */
  readonly read: number;
  /** Of all telegrams once. */
  readonly records: number;
  readonly cpu_s: number;
  readonly rss_kB: number;
}

interface Reader {
  /** The telegram as this reader takes it; null when it cannot be put so. Not measured. */
  prepare(telegram: Buffer): Buffer | null;
  /** Gives the number of records, 0 when it refuses. */
  read(telegram: Buffer): number | Promise<number>;
}

const READERS: Readonly<Record<string, (module: string) => Promise<Reader>>> = {
  records: async () => ({
    prepare: (telegram) => telegram,
    read(telegram) {
      const link = readLink(telegram, 0);
      if (!link.ok || link.frame.kind !== 'long') return 0;
      const { ci, payload } = link.frame;
      if (ci === 0x73) return parse(payload, true).records.length;
      const header = readHeader(ci === 0x72 ? 'long' : ci === 0x7a ? 'short' : 'none', payload);
      return header.ok ? parse(payload.subarray(header.value.length)).records.length : 0;
    },
  }),
  telegram: async () => ({
    prepare: (telegram) => telegram,
    read(telegram) {
      const link = readLink(telegram, 0);
      if (!link.ok) return 0;
      const read = readWired(link.frame);
      return read.ok ? (read.value.records?.length ?? 0) : 0;
    },
  }),
  typescript: async (module) => {
    const { WirelessMbusParser } = await import(path.resolve(module));
    const parser = new WirelessMbusParser();
    return {
      prepare: asWireless,
      read: (telegram) =>
        parser.parse(telegram, { containsCrc: false }).then(
          (result: { data?: unknown[] }) => result.data?.length ?? 0,
          () => 0,
        ),
    };
  },
};

/** L 44h manufacturer address CI header records. */
function asWireless(telegram: Buffer): Buffer | null {
  const ci = telegram[6] ?? 0;
  const layer = telegram.subarray(6, -2);
  const length = layer.length + 9;
  if (ci !== 0x72 || length > 255) return null;
  const [number, maker, rest] = [layer.subarray(1, 5), layer.subarray(5, 7), layer.subarray(7, 9)];
  return Buffer.concat([Buffer.of(length, 0x44), maker, number, rest, layer]);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { libmbus: { type: 'string' }, typescript: { type: 'string' }, reader: { type: 'string' } },
});
const telegrams = readFileSync(positionals[0] ?? 0, 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => Buffer.from(line.startsWith('{') ? JSON.parse(line).hex : line, 'hex'));

if (values.reader) console.log(JSON.stringify(await measure(values.reader)));
else compare();

async function measure(name: string): Promise<Outcome> {
  const reader = await READERS[name]?.(values.typescript ?? '');
  if (!reader) throw new Error(`no reader ${name}`);
  const taken: Buffer[] = [];
  let records = 0;
  for (const telegram of telegrams.flatMap((t) => reader.prepare(t) ?? [])) {
    const ofThis = await reader.read(telegram);
    records += ofThis;
    if (ofThis > 0) taken.push(telegram);
  }
  await spend(reader, taken, WARM_UP_S);
  const spent = await spend(reader, taken, CPU_S);
  return { read: taken.length, records, ...spent, rss_kB: process.resourceUsage().maxRSS };
}

async function spend(
  reader: Reader,
  taken: readonly Buffer[],
  budget_s: number,
): Promise<Pick<Outcome, 'telegrams' | 'cpu_s'>> {
  const from = process.cpuUsage();
  const spent_s = (): number => {
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1e6;
  };
  let rounds = 0;
  while (rounds % ROUNDS !== 0 || spent_s() < budget_s) {
    for (const telegram of taken) {
      const result = reader.read(telegram);
      // Only who answers later is waited for: an await costs as much as a short telegram.
      if (typeof result !== 'number') await result;
    }
    rounds += 1;
  }
  return { telegrams: rounds * taken.length, cpu_s: spent_s() };
}

function compare(): void {
  const rows: (readonly [string, Outcome])[] = [
    ['Hearth, to records', inProcess('records')],
    ['Hearth, to readings and records', inProcess('telegram')],
  ];
  if (values.libmbus) {
    rows.push(['libmbus, to records', libmbus(values.libmbus)]);
    rows.push(['libmbus, to XML', libmbus(values.libmbus, ['xml'])]);
  }
  if (values.typescript) rows.push(['TypeScript parser, to records', inProcess('typescript')]);
  console.log(`${telegrams.length} telegrams`);
  for (const [name, { telegrams: done, read, records, cpu_s, rss_kB }] of rows) {
    const rate = Math.round(done / cpu_s).toLocaleString('en');
    const ofRound = `${read} read, ${name.endsWith('XML') ? '' : `${records} records, `}`;
    console.log(`  ${name.padEnd(34)}${rate.padStart(10)} telegrams/s of CPU  ${ofRound}${rss_kB >> 10} MB`);
  }
}

function inProcess(reader: string): Outcome {
  const args = [import.meta.filename, '--reader', reader, '--typescript', values.typescript ?? ''];
  const input = telegrams.map((telegram) => telegram.toString('hex')).join('\n');
  return JSON.parse(execFileSync(process.execPath, args, { input, encoding: 'utf8' }));
}

function libmbus(sources: string, how: string[] = []): Outcome {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
  try {
    const binary = path.join(dir, 'bench-libmbus');
    writeFileSync(path.join(dir, 'config.h'), '');
    const theirs = ['mbus-protocol', 'mbus-protocol-aux', 'mbus-serial', 'mbus-tcp'];
    const files = theirs.map((name) => path.join(sources, 'mbus', `${name}.c`));
    const own = path.join(import.meta.dirname, 'bench-libmbus.c');
    execFileSync('cc', ['-O2', '-w', `-I${dir}`, `-I${sources}`, own, ...files, '-o', binary, '-lm']);
    const input = `${telegrams.map((telegram) => telegram.toString('hex')).join('\n')}\n`;
    return JSON.parse(execFileSync(binary, [String(CPU_S), ...how], { input, encoding: 'utf8' }));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
