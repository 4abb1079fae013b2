/** Bytes of a meter that sends by itself: which protocol they are, by decoding them. */
import { ascii } from '../../codecs/bytes.ts';
import { collect } from '../../codecs/collect.ts';
import { PushDecoder, readPush } from '../../codecs/dlms/index.ts';
import { P1Decoder, readP1 } from '../../codecs/dsmr-p1/index.ts';
import { ReadoutDecoder, readReadout } from '../../codecs/iec62056-21/index.ts';
import { readSml, SmlDecoder } from '../../codecs/sml/index.ts';
import type { Fault } from '../../domain/errors.ts';
import type { LineSettings } from '../../domain/link.ts';
import type { DecodeOutput } from '../../domain/telegram.ts';
import type { MeterProtocol } from '../registry.ts';
import type { Finding } from './finding.ts';

interface Candidate {
  readonly protocol: MeterProtocol;
  readonly speaks: string;
  readonly decode: (bytes: Uint8Array) => DecodeOutput;
  /** What has no checksum can be taken for something else. */
  readonly fits?: (text: string) => boolean;
}

/** Codes that only a P1 port sends: text messages, tariff, switches and meters behind it. */
const P1_ONLY = /[\r\n](?:1-3:0\.2\.8|0-0:(?:96\.(?:14\.0|3\.10|13\.[01])|17\.0\.0)|0-[1-4]:(?:24|96)\.)/;

const CANDIDATES: readonly Candidate[] = [
  { protocol: 'sml', speaks: 'SML', decode: (bytes) => collect(new SmlDecoder(), readSml, bytes) },
  {
    protocol: 'dlms-push',
    speaks: 'DLMS push',
    decode: (bytes) => collect(new PushDecoder(), readPush, bytes),
  },
  {
    protocol: 'dsmr-p1',
    speaks: 'P1',
    decode: (bytes) => collect(new P1Decoder(), readP1, bytes),
    fits: (text) => P1_ONLY.test(text) || /[\r\n]![0-9A-Fa-f]{4}/.test(text),
  },
  {
    protocol: 'iec62056-21-d',
    speaks: 'IEC 62056-21 mode D',
    decode: (bytes) => collect(new ReadoutDecoder({ parity: 'none' }), readReadout, bytes),
  },
];

export interface Heard {
  readonly finding: Finding | null;
  /** Refusals of the decoder that came closest. */
  readonly faults: readonly Fault[];
}

export function judge(bytes: Uint8Array, line: LineSettings): Heard {
  const forms: readonly (readonly [Uint8Array, LineSettings])[] = [
    [bytes, line],
    ...(line.parity === 'none' && isEvenParity(bytes)
      ? [[bytes.map((b) => b & 0x7f), { ...line, dataBits: 7, parity: 'even' } as const] as const]
      : []),
  ];
  const amis = isAmis(bytes, line);
  if (amis) return { finding: amis, faults: [] };
  let faults: readonly Fault[] = [];
  for (const [form, settings] of forms) {
    for (const candidate of CANDIDATES) {
      const { telegrams, faults: refused } = candidate.decode(form);
      const [first] = telegrams;
      if (first && (candidate.fits?.(ascii(form)) ?? true)) {
        const config = { protocol: candidate.protocol, line: settings, needsKey: false };
        const readings = first.readings.length;
        const { speaks } = candidate;
        return { finding: { speaks, meter: first.meter ?? null, config, readings, remarks: [] }, faults: [] };
      }
      if (refused.some(({ code }) => code === 'KEY_MISSING'))
        return { finding: encrypted(candidate, form, settings), faults: refused };
      if (weight(refused) > weight(faults)) faults = refused;
    }
  }
  return { finding: null, faults };
}

/** A failed checksum says more about the protocol than bytes without a beginning. */
const weight = (faults: readonly Fault[]): number =>
  faults.filter(({ code }) => code === 'BAD_CHECKSUM' || code === 'BAD_PARITY').length;

/** General-glo-ciphering and the length of its title. */
const TITLE = '\xdb\x08';

function encrypted({ protocol, speaks }: Candidate, bytes: Uint8Array, line: LineSettings): Finding {
  // The system title begins with the maker's three letters (IEC 62056-5-3, 4.3.4).
  const text = ascii(bytes);
  const maker = text.slice(text.indexOf(TITLE) + TITLE.length).slice(0, 3);
  const meter = /^[A-Z]{3}$/.test(maker) ? { id: '', manufacturer: maker } : null;
  const remarks = ['the telegrams are encrypted: ask the grid operator for the key of this meter'];
  return {
    speaks: `${speaks}, encrypted`,
    meter,
    config: { protocol, line, needsKey: true },
    readings: 0,
    remarks,
  };
}

/** Every character with an even number of ones, and the eighth bit in use. */
function isEvenParity(bytes: Uint8Array): boolean {
  let odd = 0;
  let high = 0;
  for (const byte of bytes) {
    let fold = byte ^ (byte >> 4);
    fold ^= fold >> 2;
    odd += (fold ^ (fold >> 1)) & 1;
    high += byte >> 7;
  }
  return bytes.length > 0 && odd * 20 < bytes.length && high * 10 > bytes.length;
}

const AMIS_SEARCH = '\x10\x40\xf0\x30\x16';

/** The customer interface of Netz OÖ: the meter is the M-Bus master and wants to be answered. */
function isAmis(bytes: Uint8Array, line: LineSettings): Finding | null {
  if (!ascii(bytes).includes(AMIS_SEARCH)) return null;
  const remarks = [
    'the meter looks for a display once a minute (AMIS customer interface) and sends when it is answered; it needs the key of the grid operator',
  ];
  return {
    speaks: `AMIS customer interface at ${line.baudRate} baud`,
    meter: null,
    config: null,
    readings: 0,
    remarks,
  };
}
