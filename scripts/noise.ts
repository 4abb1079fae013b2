/**
 * Noise into every decoder: random bytes, telegrams with flipped bits that their checksums must find, telegrams cut
 * and drowned. No crash, no value that was not sent, no memory that grows; ends with 1 when there is any.
 *
 *   node scripts/noise.ts [--inputs 1000000] [--seed 1] [KIND…]
 */
import '../firmware/node-guard.ts';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { PushDecoder, readPush } from '../firmware/codecs/dlms/index.ts';
import { P1Decoder, readP1 } from '../firmware/codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../firmware/codecs/iec62056-21/index.ts';
import { readWired } from '../firmware/codecs/mbus/kind.ts';
import { readLink } from '../firmware/codecs/mbus/link.ts';
import { encodeCiphered } from '../firmware/codecs/security/gcm.ts';
import { readSml, SmlDecoder } from '../firmware/codecs/sml/index.ts';
import { WirelessMeter } from '../firmware/codecs/wmbus/kind.ts';
import type { Result } from '../firmware/domain/errors.ts';
import type { Decoder, Telegram } from '../firmware/domain/telegram.ts';
import { seededRandom } from '../firmware/hal/simulated/random.ts';
import { aidon, inBlocks, inHdlc, inMbus, kaifa, kamstrup, VALUES } from '../test/twins/dlms-telegram.ts';
import { p1Telegram } from '../test/twins/p1-telegram.ts';
import { ENTRIES, file, transport } from '../test/twins/sml-telegram.ts';
import { formatA, hex, KAMSTRUP, wireless } from '../test/twins/wmbus-telegram.ts';

/** Telegrams read from some bytes; what is left is kept for the next ones unless the line falls silent behind them. */
type Read = (bytes: Uint8Array, silence: boolean) => readonly Telegram[];

interface Row {
  /** A new one for each round of the table; lives through all inputs. */
  readonly reader: () => Read;
  readonly good: readonly Uint8Array[];
  /** So many flipped bits its checks find with certainty. */
  readonly flips: number;
}

const KEY = hex('000102030405060708090A0B0C0D0E0F');

const TABLE: Readonly<Record<string, Row>> = {
  p1: {
    reader: () => stream(new P1Decoder(), readP1),
    good: [
      p1Telegram({ wallMs: Date.UTC(2026, 0, 15), importEnergy_Wh: 1e6, exportEnergy_Wh: 1, net_W: 500 }),
    ],
    flips: 3,
  },
  'iec62056-21-readout': {
    reader: () => stream(new ReadoutDecoder({ parity: 'none', bccRequired: true }), readReadout),
    good: [readout(['0.0.0(12345678)', '1.8.0(000219.251*kWh)', '2.8.0(000001.000*kWh)', '0.9.1(120000)'])],
    flips: 1,
  },
  sml: {
    reader: () => stream(new SmlDecoder(), readSml),
    good: [transport(file(ENTRIES))],
    flips: 3,
  },
  'dlms-push': {
    reader: () => stream(new PushDecoder(), readPush),
    good: [inHdlc(aidon(VALUES)), inHdlc(kaifa(VALUES), 60), Buffer.concat(inBlocks(kamstrup(VALUES)))],
    flips: 3,
  },
  'dlms-push in M-Bus frames': {
    reader: () => stream(new PushDecoder(), readPush),
    good: [inMbus(aidon(VALUES), 120)],
    flips: 1,
  },
  'dlms-push encrypted': {
    reader: () => stream(new PushDecoder({ key: KEY, authKey: KEY }), readPush),
    good: [0x30, 0x20].map((securityControl) =>
      inHdlc(
        encodeCiphered(kaifa(VALUES), {
          systemTitle: hex('4B464D1010000001'),
          securityControl,
          invocationCounter: 7,
          key: KEY,
          authKey: KEY,
        }),
      ),
    ),
    flips: 3,
  },
  mbus: {
    reader: () => (bytes) => {
      const link = readLink(bytes, 0);
      const telegram = link.ok ? readWired(link.frame) : link;
      return telegram.ok ? [telegram.value] : [];
    },
    good: [wired(hex('72 78563412 2D2C 1B 07 01 00 0000 0413 A2100000 02FD17 0000 0C78 78563412'))],
    flips: 1,
  },
  wmbus: {
    reader: () => {
      const meter = new WirelessMeter(null);
      return (bytes) => {
        const clear = meter.open(bytes, 'A');
        const telegram = clear.ok ? meter.interpret(clear.value) : clear;
        return telegram.ok ? [telegram.value] : [];
      };
    },
    good: [formatA(wireless(KAMSTRUP, hex('7A 01 00 0000'), hex('0413 A2100000 02FD17 0000')))],
    flips: 3,
  },
};

function stream<F>(decoder: Decoder<F>, read: (frame: F) => Result<Telegram>): Read {
  return (bytes, silence) => {
    const telegrams: Telegram[] = [];
    const parts = silence ? [decoder.push(bytes), decoder.end()] : [decoder.push(bytes)];
    for (const part of parts)
      for (const decoded of part) {
        const telegram = decoded.ok ? read(decoded.frame) : decoded;
        if (telegram.ok) telegrams.push(telegram.value);
      }
    return telegrams;
  };
}

function readout(lines: readonly string[]): Uint8Array {
  const block = Buffer.from(`${lines.join('\r\n')}\r\n!\r\n\x03`, 'latin1');
  const bcc = block.reduce((sum, byte) => sum ^ byte, 0);
  return Buffer.concat([Buffer.from('/HRT5METER\r\n\x02', 'latin1'), block, Uint8Array.of(bcc)]);
}

function wired(application: Uint8Array): Uint8Array {
  const body = Buffer.concat([Uint8Array.of(0x08, 0x01), application]);
  const sum = body.reduce((a, b) => a + b, 0) & 0xff;
  return Buffer.concat([Uint8Array.of(0x68, body.length, body.length, 0x68), body, Uint8Array.of(sum, 0x16)]);
}

const RANDOM_BYTES_MAX = 300;
/** A quarter of the inputs each. */
type Shape = 'random' | 'flipped' | 'cut' | 'drowned';
const SHAPES: readonly Shape[] = ['random', 'flipped', 'cut', 'drowned'];

/** `next` is uniform in [0, 1). */
function inputOf(shape: Shape, { good, flips }: Row, next: () => number): Uint8Array {
  const upTo = (n: number): number => Math.floor(next() * n);
  const noise = (): Uint8Array => Uint8Array.from({ length: upTo(RANDOM_BYTES_MAX) }, () => upTo(256));
  const telegram = Uint8Array.from(good[upTo(good.length)] ?? []);
  if (shape === 'random') return noise();
  if (shape === 'drowned') return Buffer.concat([noise(), telegram, noise()]);
  if (shape === 'cut') {
    const from = upTo(telegram.length);
    return telegram.slice(from, from + upTo(telegram.length - from));
  }
  for (let i = 1 + upTo(flips); i > 0; i--) {
    const at = upTo(telegram.length);
    telegram[at] = (telegram[at] ?? 0) ^ (1 << upTo(8));
  }
  return telegram;
}

/** What a telegram claims to have measured. */
const claims = ({ readings, records = [] }: Telegram): string[] =>
  [...readings, ...records].flatMap((r) =>
    [r, ...('values' in r ? (r.values ?? []) : [])]
      .filter((v) => typeof v.value === 'number')
      .map((v) => `${('obis' in r && r.obis) || ''} ${v.value} ${v.unit ?? ''}`),
  );

setFlagsFromString('--expose_gc');
const collect: () => void = runInNewContext('gc');
function held_kB(): number {
  for (let i = 0; i < 3; i++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return Math.round((heapUsed + external) / 1024);
}

interface Verdict {
  readonly telegrams: number;
  readonly invented: readonly string[];
  readonly growth_kB: number;
}

function drown(row: Row, inputs: number, seed: number): Verdict {
  const { next } = seededRandom(seed);
  const fresh = row.reader();
  const sent = new Set(row.good.flatMap((bytes) => fresh(bytes, true)).flatMap(claims));
  if (sent.size === 0) throw new Error('the good telegrams are not read');
  const read = row.reader();
  const invented: string[] = [];
  let telegrams = 0;
  let before_kB = 0;
  for (let i = 0; i < inputs; i++) {
    if (i === Math.floor(inputs / 10)) before_kB = held_kB();
    const shape = SHAPES[i % SHAPES.length] ?? 'random';
    // Two pieces joined by chance have the right checksum once in 256 or 65 536 times: pieces stay apart.
    const apart = shape === 'cut' || shape === 'flipped';
    for (const telegram of read(inputOf(shape, row, next), apart)) {
      telegrams += 1;
      for (const claim of claims(telegram)) if (!sent.has(claim) && invented.length < 5) invented.push(claim);
    }
  }
  return { telegrams, invented, growth_kB: held_kB() - before_kB };
}

const GROWTH_MAX_KB = 1024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const inputs = Number(values.inputs);
let failed = false;
for (const [kind, row] of Object.entries(TABLE)) {
  if (positionals.length > 0 && !positionals.includes(kind)) continue;
  const { telegrams, invented, growth_kB } = drown(row, inputs, Number(values.seed));
  const bad = invented.length > 0 || growth_kB > GROWTH_MAX_KB;
  failed ||= bad;
  const said = invented.length > 0 ? `, INVENTED ${invented.join('; ')}` : '';
  console.log(
    `${kind.padEnd(28)}${inputs} inputs, ${telegrams} telegrams in them, ${growth_kB} kB grown${said}`,
  );
}
process.exitCode = failed ? 1 : 0;
