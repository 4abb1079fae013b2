/** Opening and closing of an application association: AARQ, AARE, RLRQ (IEC 62056-5-3, 9.4 and annex; BER). */
import { type ErrorCode, ok, type Result, refuse } from '../../domain/errors.ts';
import { encodeLength } from '../bytes.ts';
import { AxdrReader } from './axdr.ts';
import { concat, word16 } from './encode.ts';

/** Authentication mechanisms by their number in the mechanism name (IEC 62056-5-3, table of mechanisms). */
const MECHANISMS = {
  none: 0,
  low: 1,
  manufacturer: 2,
  md5: 3,
  sha1: 4,
  gmac: 5,
  sha256: 6,
  ecdsa: 7,
} as const;
type Mechanism = keyof typeof MECHANISMS;

/** Conformance: 24 bits, the first is bit 0. */
export const CONFORMANCE = {
  generalProtection: 1,
  generalBlockTransfer: 2,
  attribute0Get: 10,
  blockGet: 11,
  blockSet: 12,
  blockAction: 13,
  multipleReferences: 14,
  dataNotification: 16,
  get: 19,
  selectiveAccess: 21,
  action: 23,
} as const;
const bit = (n: number): number => 1 << (23 - n);
const OFFERED =
  bit(CONFORMANCE.blockGet) |
  bit(CONFORMANCE.multipleReferences) |
  bit(CONFORMANCE.get) |
  bit(CONFORMANCE.selectiveAccess) |
  bit(CONFORMANCE.action);

/** Object identifier 2.16.756.5.8, of the DLMS user association. */
const DLMS_UA = [0x60, 0x85, 0x74, 0x05, 0x08];
/** Logical names, without and with ciphering. */
const CONTEXT = { plain: 1, ciphered: 3 };

interface AarqOptions {
  readonly mechanism: Mechanism;
  /** The password (LLS) or the challenge to the meter (HLS). */
  readonly authentication: Uint8Array | null;
  readonly systemTitle: Uint8Array | null;
  readonly ciphered: boolean;
  /** InitiateRequest, ciphered where the context asks for it. */
  readonly initiate: Uint8Array;
}

const tlv = (tag: number, ...content: readonly (Uint8Array | readonly number[])[]): Uint8Array => {
  const body = concat(...content.map((c) => Uint8Array.from(c)));
  return concat(Uint8Array.of(tag), encodeLength(body.length), body);
};

export function encodeAarq({
  mechanism,
  authentication,
  systemTitle,
  ciphered,
  initiate,
}: AarqOptions): Uint8Array {
  const context = [...DLMS_UA, 1, ciphered ? CONTEXT.ciphered : CONTEXT.plain];
  const fields = [
    tlv(0xa1, tlv(0x06, context)),
    ...(systemTitle ? [tlv(0xa6, tlv(0x04, systemTitle))] : []),
    ...(mechanism === 'none'
      ? []
      : [
          Uint8Array.of(0x8a, 0x02, 0x07, 0x80),
          tlv(0x8b, [...DLMS_UA, 2, MECHANISMS[mechanism]]),
          ...(authentication ? [tlv(0xac, tlv(0x80, authentication))] : []),
        ]),
    tlv(0xbe, tlv(0x04, initiate)),
  ];
  return tlv(0x60, ...fields);
}

/** InitiateRequest: no dedicated key, response allowed, DLMS version 6 (IEC 62056-5-3, 9.1.2.2). */
export function initiateRequest(maxPdu_bytes: number): Uint8Array {
  const conformance = [OFFERED >> 16, (OFFERED >> 8) & 0xff, OFFERED & 0xff];
  return Uint8Array.from([0x01, 0, 0, 0, 6, 0x5f, 0x1f, 0x04, 0, ...conformance, ...word16(maxPdu_bytes)]);
}

interface Aare {
  readonly result: number;
  readonly diagnostic: number;
  /** Of the meter, where it ciphers. */
  readonly systemTitle: Uint8Array | null;
  readonly mechanism: number | null;
  /** Challenge to the client. */
  readonly challenge: Uint8Array | null;
  /** InitiateResponse, or its ciphered form. */
  readonly userInformation: Uint8Array | null;
}

export function readAare(apdu: Uint8Array): Result<Aare> {
  if (apdu[0] !== 0x61) return refuse('WRONG_ANSWER', 'the meter does not answer with an AARE');
  const inside = readFields(apdu)?.get(0x61);
  const parts = inside && readFields(inside);
  if (!parts) return refuse('BAD_FRAME', 'the AARE cannot be read');
  const inner = (tag: number, ...tags: number[]): Uint8Array | null => {
    let bytes = parts.get(tag) ?? null;
    for (const t of tags) bytes = bytes ? (readFields(bytes)?.get(t) ?? null) : null;
    return bytes;
  };
  const diagnostic = inner(0xa3, 0xa1, 0x02) ?? inner(0xa3, 0xa2, 0x02);
  return ok({
    result: inner(0xa2, 0x02)?.at(-1) ?? 1,
    diagnostic: diagnostic?.at(-1) ?? 0,
    systemTitle: inner(0xa4, 0x04),
    mechanism: parts.get(0x89)?.at(-1) ?? null,
    challenge: inner(0xaa, 0x80),
    userInformation: inner(0xbe, 0x04),
  });
}

/** BER fields one after the other by their tag; null when a length leads out of the bytes. */
function readFields(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> | null {
  const fields = new Map<number, Uint8Array>();
  for (const reader = new AxdrReader(bytes); reader.at < bytes.length; ) {
    const tag = bytes[reader.at++] ?? 0;
    // A length is written in BER as in A-XDR.
    const content = reader.take(reader.length());
    if (!content) return null;
    if (!fields.has(tag)) fields.set(tag, content);
  }
  return fields;
}

const DIAGNOSTICS: Readonly<Record<number, string>> = {
  1: 'no reason given',
  2: 'the application context is not supported (ciphering or not)',
  3: 'the calling title is not recognized',
  11: 'the authentication mechanism is not recognized',
  12: 'an authentication mechanism is required',
  13: 'authentication failure: wrong password or key',
  14: 'authentication is required',
};

/** Null when the association stands, or does once HLS is passed. */
export function refusalOf({ result, diagnostic }: Aare): Result<null> {
  if (result === 0) return ok(null);
  const why = DIAGNOSTICS[diagnostic] ?? `diagnostic ${diagnostic}`;
  const code = diagnostic === 13 ? 'PASSWORD_WRONG' : 'ASSOCIATION_REFUSED';
  return refuse(code, `the meter refuses the association${result === 2 ? ' for now' : ''}: ${why}`);
}

export interface Negotiated {
  readonly conformance: number;
  readonly maxPdu_bytes: number;
}

export const supports = ({ conformance }: Negotiated, n: number): boolean => (conformance & bit(n)) !== 0;

/** InitiateResponse `08 | qos | 06 | 5F 1F 04 00 conformance 3 | max PDU 2 | 0007`, or a refusal `0E`. */
export function readInitiateResponse(bytes: Uint8Array): Result<Negotiated> {
  if (bytes[0] === 0x0e)
    return refuse(
      'ASSOCIATION_REFUSED',
      `the meter refuses the initiation: service error ${bytes[1] ?? 0}/${bytes[2] ?? 0}/${bytes[3] ?? 0}`,
    );
  if (bytes[0] !== 0x08) return refuse('WRONG_ANSWER', 'the AARE holds no initiate response');
  const at = bytes[1] === 1 ? 3 : 2;
  const tag = bytes[at + 1] === 0x5f ? (bytes[at + 2] === 0x1f ? at + 3 : at + 2) : -1;
  if (bytes[at] !== 6 || tag < 0 || bytes[tag] !== 4 || bytes.length < tag + 7)
    return refuse('BAD_FRAME', 'the initiate response cannot be read');
  const byte = (i: number): number => bytes[tag + i] ?? 0;
  return ok({
    conformance: (byte(2) << 16) | (byte(3) << 8) | byte(4),
    maxPdu_bytes: (byte(5) << 8) | byte(6),
  });
}

/** Release request, reason normal. */
export const RLRQ = Uint8Array.of(0x62, 0x03, 0x80, 0x01, 0x00);
export const RLRE_TAG = 0x63;

const STATE_ERRORS = ['', 'the service is not allowed', 'the service is unknown'];
const SERVICE_ERRORS = [
  '',
  'the operation is not possible',
  'the service is not supported',
  'another reason',
  'the PDU is too long',
  'deciphering failed: wrong key',
  'the invocation counter is wrong',
];

/** `D8 state service [counter 4]`; `counter` is the one that the meter expects (service error 6). */
export function readException(apdu: Uint8Array): {
  readonly code: ErrorCode;
  readonly message: string;
  readonly counter: number | null;
} {
  const [, state = 0, service = 0] = apdu;
  const parts = [
    STATE_ERRORS[state] || `state error ${state}`,
    SERVICE_ERRORS[service] || `service error ${service}`,
  ];
  const counter =
    service === 6 && apdu.length >= 7 ? new DataView(apdu.buffer, apdu.byteOffset).getUint32(3) : null;
  const code = service === 5 ? 'KEY_WRONG' : 'REFUSED';
  return { code, message: `exception: ${parts.join(', ')}`, counter };
}
