/**
 * X.509 certificates for tests of TLS, made here with node:crypto (ECDSA on P-256 with SHA-256), so that no tool has
 * to be installed: node:crypto signs, the DER around it (ITU-T X.690, RFC 5280) is written below.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

interface CertificateOptions {
  readonly name: string;
  /** Who signs; itself when absent. */
  readonly issuer?: { readonly name: string; readonly key: string };
  readonly authority?: boolean;
  readonly fromMs?: number;
  readonly untilMs?: number;
}

const DAY_MS = 86_400_000;

const tlv = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]): Buffer => tlv(0x31, ...parts);
const integer = (bytes: Uint8Array): Buffer => tlv(0x02, bytes);
const bitString = (bytes: Uint8Array): Buffer => tlv(0x03, Buffer.of(0), bytes);
const octets = (bytes: Uint8Array): Buffer => tlv(0x04, bytes);
const truth = tlv(0x01, Buffer.of(0xff));

function oid(dotted: string): Buffer {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [a * 40 + b];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let x = part >> 7; x > 0; x >>= 7) groups.unshift((x & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

/** GeneralizedTime: YYYYMMDDHHMMSSZ. */
const time = (ms: number): Buffer =>
  tlv(0x18, Buffer.from(`${new Date(ms).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`));
const nameOf = (common: string): Buffer =>
  sequence(set(sequence(oid('2.5.4.3'), tlv(0x0c, Buffer.from(common)))));
const extension = (id: string, critical: boolean, value: Uint8Array): Buffer =>
  sequence(oid(id), ...(critical ? [truth] : []), octets(value));
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

const pem = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`;

/** Good for 127.0.0.1 and localhost unless it is an authority. */
export function certificate({
  name,
  issuer,
  authority = false,
  fromMs,
  untilMs,
}: CertificateOptions): Certificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const extensions = authority
    ? [
        extension('2.5.29.19', true, sequence(truth)),
        extension('2.5.29.15', true, tlv(0x03, Buffer.of(1, 0x06))),
      ]
    : [
        extension(
          '2.5.29.17',
          false,
          sequence(tlv(0x82, Buffer.from('localhost')), tlv(0x87, Buffer.of(127, 0, 0, 1))),
        ),
      ];
  const body = sequence(
    tlv(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(0x01), randomBytes(8)])),
    ECDSA_SHA256,
    nameOf(issuer?.name ?? name),
    sequence(time(fromMs ?? Date.now() - DAY_MS), time(untilMs ?? Date.now() + DAY_MS)),
    nameOf(name),
    spki,
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, createPrivateKey(issuer?.key ?? key));
  return { cert: pem(sequence(body, ECDSA_SHA256, bitString(signature))), key };
}

/** An authority and what it signs. */
export function authority(name: string) {
  const ca = certificate({ name, authority: true });
  return {
    cert: ca.cert,
    issue: (options: Omit<CertificateOptions, 'issuer' | 'authority'>): Certificate =>
      certificate({ ...options, issuer: { name, key: ca.key } }),
  };
}
