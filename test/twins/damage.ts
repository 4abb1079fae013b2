/**
 * What a line does to telegrams: cut, flipped bits, pieces of two joined, and noise. Any decoder can be put through it:
 * it must not throw, must not make up readings, must find the next good telegram and must not grow.
 */

import { PushDecoder, readPush } from '../../firmware/codecs/dlms/index.ts';
import { P1Decoder, readP1 } from '../../firmware/codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../../firmware/codecs/iec62056-21/index.ts';
import { decodeMbus } from '../../firmware/codecs/mbus/kind.ts';
import { encodeCiphered } from '../../firmware/codecs/security/gcm.ts';
import { readSml, SmlDecoder } from '../../firmware/codecs/sml/index.ts';
import { decodeWmbus } from '../../firmware/codecs/wmbus/kind.ts';
import type { Result } from '../../firmware/domain/errors.ts';
import type { DecodeKind, Decoder, Telegram } from '../../firmware/domain/telegram.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { aidon, austrian, inHdlc, inMbus, kaifa, kamstrup, VALUES } from './dlms-telegram.ts';
import { p1Telegram } from './p1-telegram.ts';
import { ENTRIES, file, transport } from './sml-telegram.ts';
import { formatA, hex, KAMSTRUP, mode5, wireless } from './wmbus-telegram.ts';

interface NoisyKind {
  readonly name: string;
  /** Good telegrams, no two of them with the same readings. */
  readonly telegrams: readonly Uint8Array[];
  /** A decoder that lives through all inputs; each call is one piece of line traffic, ended or not. */
  readonly open: () => (bytes: Uint8Array, ended: boolean) => readonly Telegram[];
  /**
   * What a check in the telegrams is good for. `crc`: one flipped bit or a cut never gives other readings. `sum`: one
   * flipped bit does not. `none`: not every byte of a telegram is under a check.
   */
  readonly check: 'crc' | 'sum' | 'none';
}

function streamed<F>(decoder: () => Decoder<F>, read: (frame: F) => Result<Telegram>): NoisyKind['open'] {
  return () => {
    const one = decoder();
    return (bytes, ended) => {
      const telegrams: Telegram[] = [];
      for (const part of ended ? [one.push(bytes), one.end()] : [one.push(bytes)])
        for (const decoded of part) {
          const result = decoded.ok ? read(decoded.frame) : null;
          if (result?.ok) telegrams.push(result.value);
        }
      return telegrams;
    };
  };
}

const whole =
  (kind: DecodeKind, key?: Uint8Array): NoisyKind['open'] =>
  () =>
  (bytes) =>
    kind({ bytes, ...(key && { key }) }).telegrams;

const KEY = hex('000102030405060708090A0B0C0D0E0F');
const P1 = p1Telegram({
  wallMs: Date.UTC(2026, 0, 15),
  importEnergy_Wh: 1e6,
  exportEnergy_Wh: 1,
  net_W: 500,
});
const SEALED = encodeCiphered(P1, {
  systemTitle: hex('5341473505000001'),
  securityControl: 0x30,
  invocationCounter: 7,
  key: KEY,
  authKey: KEY,
});
const readout = (text: string): Uint8Array => {
  const body = Buffer.from(`${text}!\r\n\x03`, 'latin1');
  const bcc = body.reduce((x, b) => x ^ b, 0);
  return Buffer.concat([Buffer.from('/HRT5METER-1\r\n\x02'), body, Uint8Array.of(bcc)]);
};
const RECORDS = hex('0C06 45230100 0B3B 200100 0A5A 0202');
const wired = (records: Uint8Array): Uint8Array => {
  const body = Buffer.concat([hex('08 01 72 78563412 2D2C 1B 07 05 00 0000'), records]);
  const sum = body.reduce((total, byte) => (total + byte) & 255, 0);
  return Buffer.concat([Uint8Array.of(0x68, body.length, body.length, 0x68), body, Uint8Array.of(sum, 0x16)]);
};

/** A new codec is one row. */
export const NOISY_KINDS: readonly NoisyKind[] = [
  {
    name: 'sml',
    telegrams: [transport(file(ENTRIES)), transport(file(ENTRIES.slice(2, 5)))],
    open: streamed(() => new SmlDecoder(), readSml),
    check: 'crc',
  },
  { name: 'p1', telegrams: [P1], open: streamed(() => new P1Decoder(), readP1), check: 'crc' },
  {
    name: 'p1, encrypted',
    telegrams: [SEALED],
    open: streamed(() => new P1Decoder({ key: KEY, authKey: KEY }), readP1),
    check: 'crc',
  },
  {
    name: 'iec62056-21 readout',
    telegrams: [readout('1.8.0(000219.251*kWh)\r\n1.6.0(03.120*kW)(2601151215)\r\nF.F(00)\r\n')],
    open: streamed(() => new ReadoutDecoder({ parity: 'none', bccRequired: true }), readReadout),
    check: 'sum',
  },
  {
    name: 'iec62056-21 mode D',
    telegrams: [
      Buffer.from('/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(00001.5*kWh)\r\n1-0:21.7.0*255(0.1*kW)\r\n!\r\n'),
    ],
    open: streamed(() => new ReadoutDecoder({ parity: 'none' }), readReadout),
    check: 'none',
  },
  {
    name: 'dlms push, hdlc',
    telegrams: [aidon, kaifa, kamstrup].map((list) => inHdlc(list(VALUES))),
    open: streamed(() => new PushDecoder(), readPush),
    check: 'crc',
  },
  {
    name: 'dlms push, m-bus',
    telegrams: [inMbus(austrian(VALUES))],
    open: streamed(() => new PushDecoder(), readPush),
    check: 'sum',
  },
  { name: 'm-bus', telegrams: [wired(RECORDS)], open: whole(decodeMbus), check: 'sum' },
  {
    name: 'wireless m-bus',
    telegrams: [
      formatA(wireless(KAMSTRUP, hex('7A 2A 00 0000'), RECORDS)),
      formatA(mode5(KAMSTRUP, KEY, 42, hex('0C06 55230100'))),
    ],
    open: whole(decodeWmbus, KEY),
    check: 'none',
  },
];

type Damage = 'cut' | 'flip' | 'noise' | 'splice';
const DAMAGES: readonly Damage[] = ['cut', 'flip', 'noise', 'splice'];

/** The first bytes of every kind of telegram, so that noise gets further than the first look. */
const STARTS = ['2f48525435', '1b1b1b1b01010101', '7ea0', '68', 'db08', '0f', '02', '01'].map(hex);

interface NoiseReport {
  readonly inputs: number;
  readonly bytes: number;
  /** Readings that no good telegram has, by the damage that they came from. */
  readonly invented: Readonly<Record<Damage, number>>;
  /** How often a good telegram was not found again after damage. */
  readonly lost: number;
  readonly heapBegin_bytes: number;
  readonly heapEnd_bytes: number;
}

interface NoiseOptions {
  readonly inputs: number;
  readonly seed: number;
  /** After so many inputs good telegrams must be found again. */
  readonly checkEvery: number;
  /** Bytes in use after a collection; without it memory is not judged. */
  readonly heap?: () => Promise<number>;
}

const TURN_INPUTS = 1000;

/** A long piece of noise may claim to be a frame of up to 64 KiB: so many good telegrams may go by unseen. */
const GOOD_MAX = 64;

export async function drown(
  kind: NoisyKind,
  { inputs, seed, checkEvery, heap = async () => 0 }: NoiseOptions,
): Promise<NoiseReport> {
  const random = seededRandom(seed);
  const decode = kind.open();
  const known = new Set<string>();
  for (const telegram of kind.telegrams)
    for (const read of kind.open()(telegram, true)) known.add(JSON.stringify(read.readings));
  const invented = { cut: 0, flip: 0, noise: 0, splice: 0 };
  let [bytes, lost, heapBegin_bytes] = [0, 0, 0];
  for (let i = 0; i < inputs; i++) {
    // What native code holds is let go between two turns of the event loop only.
    if (i % TURN_INPUTS === 0) await new Promise((resolve) => setImmediate(resolve));
    if (i === inputs >> 3) heapBegin_bytes = await heap();
    const damage = DAMAGES[Math.floor(random.next() * DAMAGES.length)] ?? 'noise';
    const input = damaged(damage, kind.telegrams, random);
    bytes += input.length;
    for (const read of decode(input, random.next() < 0.5))
      if (!known.has(JSON.stringify(read.readings))) invented[damage] += 1;
    if (i % checkEvery === 0 && !isFound(decode, kind.telegrams[0] ?? input)) lost += 1;
  }
  return { inputs, bytes, invented, lost, heapBegin_bytes, heapEnd_bytes: await heap() };
}

function isFound(decode: ReturnType<NoisyKind['open']>, good: Uint8Array): boolean {
  for (let i = 0; i < GOOD_MAX; i++) if (decode(good, false).length > 0) return true;
  return false;
}

function damaged(
  damage: Damage,
  telegrams: readonly Uint8Array[],
  random: ReturnType<typeof seededRandom>,
): Uint8Array {
  const below = (n: number): number => Math.floor(random.next() * n);
  const one = (): Uint8Array => telegrams[below(telegrams.length)] ?? new Uint8Array(0);
  const bytes = one();
  if (damage === 'cut')
    return below(2) === 0 ? bytes.subarray(0, below(bytes.length)) : bytes.subarray(1 + below(bytes.length));
  if (damage === 'flip') {
    const flipped = Uint8Array.from(bytes);
    const at = below(flipped.length);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8));
    return flipped;
  }
  if (damage === 'splice') {
    const other = one();
    return Buffer.concat([bytes.subarray(0, below(bytes.length)), other.subarray(below(other.length))]);
  }
  const start = STARTS[below(2 * STARTS.length)] ?? new Uint8Array(0);
  return Buffer.concat([start, random.bytes(below(200))]);
}
