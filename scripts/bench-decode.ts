/**
 * Telegrams decoded a CPU second, by kind, and beside other decoders on the same telegrams in the same run:
 *
 *   node scripts/bench-decode.ts [--peer KIND=NAME=COMMAND]…
 *
 * A peer's command is given the name of a file with one telegram a line in hexadecimal, decodes them over and over
 * for some seconds, and prints {"telegrams": how many, "cpu_s": in how much CPU time}.
 */
import '../firmware/node-guard.ts';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PushDecoder, readPush } from '../firmware/codecs/dlms/index.ts';
import { P1Decoder, readP1 } from '../firmware/codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../firmware/codecs/iec62056-21/index.ts';
import { readSml, SmlDecoder } from '../firmware/codecs/sml/index.ts';
import type { Result } from '../firmware/domain/errors.ts';
import type { Decoder, Telegram } from '../firmware/domain/telegram.ts';
import { aidon, inHdlc, kaifa, kamstrup, VALUES } from '../test/twins/dlms-telegram.ts';
import { p1Telegram } from '../test/twins/p1-telegram.ts';
import { ENTRIES, file, transport } from '../test/twins/sml-telegram.ts';

const ROUNDS = 3;
const ROUND_MS = 2_000;
const CORPUS = path.resolve(import.meta.dirname, '../../shared/corpus/meter');

/** Decodes all telegrams as one stream, as a live meter's decoder does; counts those that were read. */
type Pass = (telegrams: readonly Uint8Array[]) => number;

function passOf<F>(decoder: () => Decoder<F>, read: (frame: F) => Result<Telegram>): Pass {
  return (telegrams) => {
    const one = decoder();
    let count = 0;
    for (const bytes of telegrams)
      for (const decoded of one.push(bytes)) if (decoded.ok && read(decoded.frame).ok) count += 1;
    return count;
  };
}

const P1 = p1Telegram({
  wallMs: Date.UTC(2026, 0, 15),
  importEnergy_Wh: 1e6,
  exportEnergy_Wh: 1,
  net_W: 500,
});

const KINDS: Readonly<Record<string, { readonly pass: Pass; readonly own: readonly Uint8Array[] }>> = {
  sml: { pass: passOf(() => new SmlDecoder(), readSml), own: [transport(file(ENTRIES))] },
  p1: { pass: passOf(() => new P1Decoder(), readP1), own: [P1] },
  'iec62056-21-readout': { pass: passOf(() => new ReadoutDecoder(), readReadout), own: [P1] },
  'dlms-push': {
    pass: passOf(() => new PushDecoder(), readPush),
    own: [aidon(VALUES), kaifa(VALUES), kamstrup(VALUES)].map((apdu) => inHdlc(apdu)),
  },
};

interface Peer {
  readonly kind: string;
  readonly name: string;
  readonly command: string;
}

const peers = process.argv.slice(2).flatMap((argument, i, all): Peer[] => {
  const [kind, name, command] = all[i - 1] === '--peer' ? argument.split('=') : [];
  return kind && name && command ? [{ kind, name, command }] : [];
});

/** Recorded ones that are whole and in clear where there are any, else those that are made here. */
function telegramsOf(kind: string, pass: Pass, own: readonly Uint8Array[]): readonly Uint8Array[] {
  const name = path.join(CORPUS, `${kind}.jsonl`);
  if (!existsSync(name)) return own;
  const recorded = readFileSync(name, 'utf8').trim().split('\n');
  const whole = recorded
    .map((line) => Uint8Array.from(Buffer.from(String(JSON.parse(line).raw_hex), 'hex')))
    .filter((bytes) => pass([bytes]) === 1);
  return whole.length > 0 ? whole : own;
}

/** Decoded a CPU second. */
function rateOf(pass: Pass, telegrams: readonly Uint8Array[]): number {
  const before = process.cpuUsage();
  const end = performance.now() + ROUND_MS;
  let count = 0;
  while (performance.now() < end) count += pass(telegrams);
  const { user, system } = process.cpuUsage(before);
  return (count * 1e6) / (user + system);
}

function peerRate({ command }: Peer, list: string): number {
  const [program = '', ...rest] = command.split(' ');
  const said = execFileSync(program, [...rest, list], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { telegrams, cpu_s } = JSON.parse(said) as { telegrams: number; cpu_s: number };
  return telegrams / cpu_s;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const row = (...cells: readonly (string | number)[]): void =>
  void process.stdout.write(
    `${cells.map((cell, i) => (i < 2 ? String(cell).padEnd(22) : String(cell).padStart(12))).join('')}\n`,
  );

const dir = mkdtempSync(path.join(tmpdir(), 'hearth-bench-'));
row('kind', 'decoder', 'telegrams', 'mean bytes', 'a CPU s', 'hearth ÷ it');
for (const [kind, { pass, own }] of Object.entries(KINDS)) {
  const telegrams = telegramsOf(kind, pass, own);
  const list = path.join(dir, kind);
  writeFileSync(list, telegrams.map((t) => `${Buffer.from(t).toString('hex')}\n`).join(''));
  const beside = peers.filter((peer) => peer.kind === kind);
  rateOf(pass, telegrams);
  const ours: number[] = [];
  const theirs = beside.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(rateOf(pass, telegrams));
    for (const [i, peer] of beside.entries()) theirs[i]?.push(peerRate(peer, list));
  }
  const mean_bytes = telegrams.reduce((n, t) => n + t.length, 0) / telegrams.length;
  const own_rate = median(ours);
  row(kind, 'hearth', telegrams.length, Math.round(mean_bytes), Math.round(own_rate), '');
  beside.forEach(({ name }, i) => {
    const rate = median(theirs[i] ?? []);
    row(kind, name, telegrams.length, '', Math.round(rate), (own_rate / rate).toFixed(2));
  });
}
rmSync(dir, { recursive: true });
