/** What is particular to a meter that is asked over DLMS, and what follows from it for link, carrier and client. */
import { createHash } from 'node:crypto';
import {
  clientAddress,
  type Security,
  type SessionOptions,
  serverAddress,
} from '../../../codecs/dlms/index.ts';
import { fault, ok, type Result, refuse } from '../../../domain/errors.ts';
import type { Random } from '../../../domain/random.ts';
import type { Settings } from '../../../domain/storage.ts';

export interface DlmsProfile {
  /** Logical name of the load profile: `1-0:99.1.0`. */
  readonly code: string;
  readonly periodMs: number;
  /** How many periods back from now are wanted at the first reading. */
  readonly periods: number;
}

export interface DlmsOptions {
  readonly carrier: 'hdlc' | 'wrapper';
  /** Whether the optical port is opened with the sign-on of IEC 62056-21, and its first speed. */
  readonly modeE: boolean;
  readonly baudRate: number;
  /** Client address: 16 public, 1 management, 2 reader, as the operator gives it. */
  readonly client: number;
  readonly logicalDevice: number;
  /** Of HDLC; null for an address of one byte. */
  readonly physicalDevice: number | null;
  readonly addressBytes: 1 | 2 | 4;
  readonly mechanism: 'none' | 'low' | 'gmac';
  readonly protection: 'none' | 'authenticated' | 'encrypted' | 'both';
  readonly suite: 0 | 1 | 2;
  /** Ours, eight bytes; null for one made from the id of the meter. */
  readonly systemTitle: Uint8Array | null;
  /** Object with our counter as the meter knows it, read as public client: `0-0:43.1.0`. */
  readonly counterCode: string | null;
  /** Codes of registers, `4/1-0:1.6.0` for another class than 3; without any the meter says what it has. */
  readonly registers: readonly string[];
  readonly profile: DlmsProfile | null;
  readonly answerMs: number;
  /** How often a request is made anew where what carries it may lose it (UDP). */
  readonly repeats: number;
}

export const DLMS_DEFAULTS: DlmsOptions = {
  carrier: 'hdlc',
  modeE: false,
  baudRate: 300,
  client: 16,
  logicalDevice: 1,
  physicalDevice: 17,
  addressBytes: 2,
  mechanism: 'none',
  protection: 'none',
  suite: 0,
  systemTitle: null,
  counterCode: null,
  registers: [],
  profile: null,
  answerMs: 3000,
  repeats: 0,
};

interface DlmsKeys {
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
  readonly password?: string;
}

export interface DlmsConfig extends DlmsKeys {
  readonly id: string;
  /** Of the sign-on; empty asks whoever is there. */
  readonly address: string;
  readonly intervalMs: number;
  readonly timeZone: string;
  readonly dlms: DlmsOptions;
  readonly random: Pick<Random, 'bytes'>;
  readonly settings: Pick<Settings, 'get' | 'set'> | null;
}

const CONTROL = { none: 0, authenticated: 0x10, encrypted: 0x20, both: 0x30 };
const PUBLIC_CLIENT = 16;
const CHALLENGE_BYTES = 16;
const OLD_FRAME_BYTES = 128;
const FRAME_BYTES = 1024;

/** Null without ciphering. Suites 1 and 2 agree keys with elliptic curves, which is not built. */
export function securityOf({ id, dlms, key, authKey }: DlmsConfig): Result<Security | null> {
  const { protection, suite, mechanism } = dlms;
  if (protection === 'none' && mechanism !== 'gmac') return ok(null);
  if (suite !== 0)
    return refuse(
      'UNSUPPORTED',
      `security suite ${suite} (elliptic curves) is not supported in a dialogue, only 0`,
    );
  if (!key || !authKey)
    return refuse('KEY_MISSING', 'a ciphered dialogue needs the encryption key and the authentication key');
  const systemTitle = dlms.systemTitle ?? titleOf(id);
  return ok({ systemTitle, key, authKey, control: CONTROL[protection] || CONTROL.both });
}

/** Always the same for a meter: counters belong to a title and a key. */
function titleOf(id: string): Uint8Array {
  const hash = createHash('sha256').update('hearth title').update(id).digest();
  return Uint8Array.from([...Buffer.from('HRT', 'latin1'), ...hash.subarray(0, 5)]);
}

/** `plain`: nothing is proposed for the HDLC link, for old meters that answer no proposal. */
export function sessionOptions(
  { dlms, password, random }: DlmsConfig,
  security: Security | null,
  lastCounter: (systemTitle: Uint8Array) => number,
  plain: boolean,
): Result<SessionOptions> {
  if (dlms.mechanism === 'low' && password === undefined)
    return { ok: false, error: fault('SECRET_MISSING', 'low level security needs a password') };
  const carrier = carrierOf(dlms, dlms.client, plain);
  if (!carrier.ok) return carrier;
  const client = {
    mechanism: dlms.mechanism,
    password: password === undefined ? null : Uint8Array.from(Buffer.from(password, 'latin1')),
    security,
    challenge: random.bytes(CHALLENGE_BYTES),
    answerMs: dlms.answerMs,
    repeats: dlms.repeats,
    lastCounter,
  };
  return ok({ carrier: carrier.value, client });
}

/** The public client asks without any security. */
export function publicOptions({ carrier, client }: SessionOptions): SessionOptions {
  return {
    carrier:
      carrier.kind === 'hdlc'
        ? { ...carrier, link: { ...carrier.link, client: clientAddress(PUBLIC_CLIENT) } }
        : { ...carrier, client: PUBLIC_CLIENT },
    client: { ...client, mechanism: 'none', password: null, security: null },
  };
}

function carrierOf(dlms: DlmsOptions, client: number, plain: boolean): Result<SessionOptions['carrier']> {
  const { logicalDevice, physicalDevice, addressBytes, answerMs } = dlms;
  if (dlms.carrier === 'wrapper') return ok({ kind: 'wrapper', client, server: logicalDevice });
  const server = serverAddress(logicalDevice, addressBytes === 1 ? null : physicalDevice, addressBytes);
  if (!server) return refuse('CONFIG_INVALID', 'the HDLC address of the meter does not fit its bytes');
  const size = plain ? OLD_FRAME_BYTES : FRAME_BYTES;
  const propose = plain ? null : { maxInfoSend: size, maxInfoReceive: size, windowSend: 1, windowReceive: 7 };
  return ok({ kind: 'hdlc', link: { client: clientAddress(client), server, propose, answerMs } });
}
