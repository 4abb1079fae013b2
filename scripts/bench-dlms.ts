/**
 * DLMS pushes in HDLC frames per CPU second, plain and encrypted, beside other readers, each in a process of its own
 * on exactly the telegrams that both it and Hearth read:
 *   node scripts/bench-dlms.ts [FILE.jsonl] [--gurux SOURCES] [--typescript MODULE]
 * FILE holds lines with `raw_hex` or `hex` and `key`; without it, telegrams made here are used. SOURCES is a checkout of
 * Gurux/GuruxDLMS.c, compiled here with cc -O2; MODULE is athombv/node-dsmr-parser bundled into one ES module. Then a
 * month of load profile, fetched from a twin over TCP with GMAC and ciphering, the link cut ten times.
 */
import '../firmware/node-guard.ts';
import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PushDecoder, readPush } from '../firmware/codecs/dlms/index.ts';
import { encodeCiphered } from '../firmware/codecs/security/gcm.ts';
import { aidon, inBlocks, inHdlc, kaifa, kamstrup, landisGyr, VALUES } from '../test/twins/dlms-telegram.ts';
import { interruptedMonth } from '../test/twins/interrupted-month.ts';

const CPU_S = 3;
/** V8 has seen the code so often that what follows is the steady state. */
const WARM_UP_S = 1;
const CUTS = 10;

interface Push {
  readonly hex: string;
  readonly key: string | null;
}

interface Outcome {
  readonly telegrams: number;
  /** A digit for each telegram, 1 where it is read. */
  readonly good: string;
  readonly cpu_s: number;
  readonly rss_kB: number;
}

/** Gives the number of values, 0 when it refuses. */
type Reader = (push: Push) => () => number;

const READERS: Readonly<Record<string, (module: string) => Promise<Reader>>> = {
  hearth: async () => (push) => {
    const bytes = Buffer.from(push.hex, 'hex');
    const decoder = new PushDecoder(push.key === null ? {} : { key: Buffer.from(push.key, 'hex') });
    return () => {
      let values = 0;
      for (const decoded of decoder.push(bytes)) {
        const telegram = decoded.ok ? readPush(decoded.frame) : decoded;
        if (telegram.ok) values += telegram.value.readings.length;
      }
      return values;
    };
  },
  typescript: async (module) => {
    const { DlmsStreamParser } = await import(path.resolve(module));
    return (push) => {
      const bytes = Buffer.from(push.hex, 'hex');
      const stream = new EventEmitter();
      let values = 0;
      new DlmsStreamParser({
        stream,
        ...(push.key !== null && { decryptionKey: Buffer.from(push.key, 'hex') }),
        callback: (error: unknown, result: { cosem: { knownObjects: unknown[] } } | undefined) => {
          if (!error && result) values += result.cosem.knownObjects.length;
        },
      });
      return () => {
        values = 0;
        stream.emit('data', bytes);
        return values;
      };
    };
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { gurux: { type: 'string' }, typescript: { type: 'string' }, reader: { type: 'string' } },
});

async function measure(name: string): Promise<Outcome> {
  const make = await READERS[name]?.(values.typescript ?? '');
  if (!make) throw new Error(`no reader ${name}`);
  const reads = pushesOf(readFileSync(0, 'utf8')).map(make);
  const found = reads.map((read) => read());
  const taken = reads.filter((_, i) => (found[i] ?? 0) > 0);
  spend(taken, WARM_UP_S);
  return {
    ...spend(taken, CPU_S),
    good: found.map((n) => (n > 0 ? '1' : '0')).join(''),
    rss_kB: process.resourceUsage().maxRSS,
  };
}

function spend(reads: readonly (() => number)[], budget_s: number): Pick<Outcome, 'telegrams' | 'cpu_s'> {
  const from = process.cpuUsage();
  const spent_s = (): number => {
    const { user, system } = process.cpuUsage(from);
    return (user + system) / 1e6;
  };
  let rounds = 0;
  while (reads.length > 0 && spent_s() < budget_s) {
    for (let i = 0; i < 20; i++) for (const read of reads) read();
    rounds += 20;
  }
  return { telegrams: rounds * reads.length, cpu_s: spent_s() };
}

async function compare(): Promise<void> {
  const pushes = positionals[0] ? pushesOf(readFileSync(positionals[0], 'utf8')) : madeHere();
  const binary = values.gurux ? guruxBinary(values.gurux) : null;
  for (const [name, set] of [
    ['plain', pushes.filter((p) => p.key === null)],
    ['encrypted', pushes.filter((p) => p.key !== null)],
  ] as const) {
    const own = inProcess('hearth', set);
    const ours = set.filter((_, i) => own.good[i] === '1');
    console.log(`${name}: ${set.length} pushes`);
    show('Hearth', own);
    if (binary) beside('Gurux C', ours, (on) => native(binary, on));
    if (values.typescript) beside('TypeScript parser', ours, (on) => inProcess('typescript', on));
  }
  if (binary) rmSync(path.dirname(binary), { recursive: true });
  const month = await interruptedMonth(CUTS, 7);
  console.log(
    `a month of load profile, the link cut ${CUTS} times: ${month.right} of ${month.periods} periods right, ` +
      `${month.handedOn - month.right} twice or wrong, ${month.sent_bytes} bytes in ${month.connections} connections`,
  );
}

function beside(name: string, pushes: readonly Push[], run: (pushes: readonly Push[]) => Outcome): void {
  const { good } = run(pushes);
  const both = pushes.filter((_, i) => good[i] === '1');
  if (both.length === 0) {
    console.log(`  ${name} reads none of them`);
    return;
  }
  show(`${name}, the ${both.length} that it reads`, run(both));
  show('Hearth on the same', inProcess('hearth', both));
}

function show(name: string, { telegrams, good, cpu_s, rss_kB }: Outcome): void {
  const rate = Math.round(telegrams / cpu_s).toLocaleString('en');
  const read = good.replaceAll('0', '').length;
  console.log(
    `  ${name.padEnd(38)}${rate.padStart(9)} pushes/s of CPU, ${read} of ${good.length} read, ${rss_kB >> 10} MB`,
  );
}

const asLines = (pushes: readonly Push[]): string =>
  pushes.map(({ hex, key }) => `${hex}${key === null ? '' : ` ${key}`}\n`).join('');

function inProcess(reader: string, pushes: readonly Push[]): Outcome {
  const args = [import.meta.filename, '--reader', reader, '--typescript', values.typescript ?? ''];
  return JSON.parse(execFileSync(process.execPath, args, { input: asLines(pushes), encoding: 'utf8' }));
}

const native = (binary: string, pushes: readonly Push[]): Outcome =>
  JSON.parse(execFileSync(binary, [String(CPU_S)], { input: asLines(pushes), encoding: 'utf8' }));

function guruxBinary(sources: string): string {
  const binary = path.join(mkdtempSync(path.join(tmpdir(), 'hearth-bench-')), 'bench-gurux');
  const dir = path.join(sources, 'development', 'src');
  const theirs = readdirSync(dir)
    .filter((name) => name.endsWith('.c'))
    .map((name) => path.join(dir, name));
  const own = path.join(import.meta.dirname, 'bench-gurux.c');
  const flags = ['-O2', '-w', '-DDLMS_IGNORE_SERVER', `-I${path.join(sources, 'development', 'include')}`];
  execFileSync('cc', [...flags, own, ...theirs, '-o', binary, '-lm']);
  return binary;
}

/** Lines of JSON, or `HEX` and `HEX KEY`. Only what begins with an HDLC frame. */
function pushesOf(text: string): Push[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Push => {
      if (!line.startsWith('{')) {
        const [hex = '', key = null] = line.split(' ');
        return { hex, key };
      }
      const { raw_hex, hex = raw_hex, key = null } = JSON.parse(line);
      return { hex, key };
    })
    .filter(({ hex }) => hex.startsWith('7e'));
}

function madeHere(): Push[] {
  const key = Buffer.from('000102030405060708090A0B0C0D0E0F', 'hex');
  const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return [aidon, kaifa, kamstrup, landisGyr].flatMap((make) => {
    const apdu = make(VALUES);
    const sealed = encodeCiphered(apdu, {
      systemTitle: Buffer.from('4B464D1010000001', 'hex'),
      securityControl: 0x20,
      invocationCounter: 7,
      key,
      authKey: key,
    });
    return [
      { hex: hexOf(inHdlc(apdu)), key: null },
      { hex: hexOf(inHdlc(apdu, 110)), key: null },
      { hex: hexOf(Buffer.concat(inBlocks(apdu))), key: null },
      { hex: hexOf(inHdlc(sealed)), key: hexOf(key) },
      { hex: hexOf(inHdlc(sealed, 110)), key: hexOf(key) },
    ];
  });
}

if (values.reader) console.log(JSON.stringify(await measure(values.reader)));
else await compare();
