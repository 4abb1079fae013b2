/**
 * The transport layer of EN 13757-7 / EN 13757-3, 5: long, short and no header, and the security modes of its
 * configuration word. The same for cable and radio.
 */
import { timingSafeEqual } from 'node:crypto';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { joined } from '../bytes.ts';
import { cbcDecrypt, cmac, deriveKey, desDecrypt } from './crypto.ts';
import { type Address, addressInHeader, nameOf } from './identity.ts';

export interface TransportHeader {
  /** From a long header: it, not the link layer, is the meter. */
  readonly address: Address | null;
  readonly accessNumber: number;
  readonly status: number;
  /** Security mode, the five bits of the configuration word. */
  readonly mode: number;
  readonly configuration: number;
  /** Where the payload starts, counted from after CI. */
  readonly length: number;
}

/** What stands between CI and payload. */
export type HeaderForm = 'long' | 'short' | 'none';

const EMPTY: TransportHeader = {
  address: null,
  accessNumber: 0,
  status: 0,
  mode: 0,
  configuration: 0,
  length: 0,
};

/** Modes whose configuration word is followed by one byte more (EN 13757-7, 7.6). */
export const EXTENDED_MODES: ReadonlySet<number> = new Set([7, 8, 9, 10, 13]);

export function readHeader(form: HeaderForm, bytes: Uint8Array): Result<TransportHeader> {
  if (form === 'none') return ok(EMPTY);
  const size = form === 'long' ? 12 : 4;
  if (bytes.length < size) return refuse('CUT_FRAME', `the telegram ends within its ${form} header`);
  const address = form === 'long' ? addressInHeader(bytes) : null;
  const at = (offset: number): number => bytes[size + offset] ?? 0;
  const [accessNumber, status, low, high] = [at(-4), at(-3), at(-2), at(-1)];
  const mode = high & 31;
  const length = size + (EXTENDED_MODES.has(mode) && bytes.length > size ? 1 : 0);
  return ok({ address, accessNumber, status, mode, configuration: low | (high << 8), length });
}

/** What a fragmentation layer says (OMS volume 2, 6): counter and authentication of the message. */
export interface Authentication {
  /** Message counter as transmitted, 4 bytes; empty when there is none. */
  readonly counter: Uint8Array;
  readonly mac: Uint8Array;
  /** MCL ‖ counter ‖ length field where present: what the MAC covers before the transport layer. */
  readonly prefix: Uint8Array;
}

export interface Secured {
  /** The meter: keys and vectors are made from its address. */
  readonly address: Address;
  readonly header: TransportHeader;
  /** After the header. */
  readonly payload: Uint8Array;
  /** From CI on, as received. */
  readonly layer: Uint8Array;
  readonly authentication: Authentication | null;
  readonly key: Uint8Array | null;
}

export interface Opened {
  readonly payload: Uint8Array;
  /** The configuration word names no mode that exists: the payload was taken as it is. */
  readonly doubtful: boolean;
  /** A key opened it, or an authentication code vouches for it. */
  readonly secured: boolean;
  /** An authentication code vouches for it and for its message counter. */
  readonly authentic: boolean;
}

const plain = (payload: Uint8Array, doubtful = false): Result<Opened> =>
  ok({ payload, doubtful, secured: false, authentic: false });
const deciphered = (payload: Uint8Array, authentic: boolean): Result<Opened> =>
  ok({ payload, doubtful: false, secured: true, authentic });

/** Shorter authentication codes are guessed in a day on the air. */
const LEAST_MAC_BYTES = 4;

/** Two idle fillers at the start of every payload to be encrypted, so that a wrong key is seen. */
const startsIdle = (bytes: Uint8Array): boolean => bytes[0] === 0x2f && bytes[1] === 0x2f;

/** The payload in clear, or which check failed. */
export function open(secured: Secured): Result<Opened> {
  switch (secured.header.mode) {
    case 0:
      return plain(secured.payload);
    case 2:
    case 3:
      return openDes(secured);
    case 5:
      return openMode5(secured);
    case 7:
      return openMode7(secured);
    case 1:
    case 4:
    case 8:
    case 9:
    case 10:
    case 13:
      return unsupported(secured);
    default:
      return plain(secured.payload, true);
  }
}

function unsupported({ header, payload, address }: Secured): Result<Opened> {
  if (startsIdle(payload)) return plain(payload);
  return refuse('UNSUPPORTED', `security mode ${header.mode} is not supported; from ${nameOf(address)}`);
}

const missing = (address: Address) =>
  refuse('KEY_MISSING', `encrypted, and no key is configured for ${nameOf(address)}`);
const wrong = (address: Address) =>
  refuse('KEY_WRONG', `the key does not open the telegram of ${nameOf(address)}`);

/** How many bytes the configuration word calls encrypted: blocks of 16, whole ones only. */
function encryptedLength({ configuration }: TransportHeader, payload: Uint8Array): number {
  return Math.min(blocksOf(configuration) * 16, payload.length - (payload.length % 16));
}

const blocksOf = (configuration: number): number => (configuration >> 4) & 15;

function openMode5(secured: Secured): Result<Opened> {
  const { header, payload, address, key } = secured;
  const length = encryptedLength(header, payload);
  if (blocksOf(header.configuration) === 0 || startsIdle(payload)) return plain(payload);
  if (!key) return missing(address);
  if (key.length !== 16) return wrong(address);
  if (length === 0) return refuse('CUT_FRAME', 'the encrypted part is shorter than one block');
  const iv = joined(address.bytes, new Uint8Array(8).fill(header.accessNumber));
  const clear = cbcDecrypt(key, iv, payload.subarray(0, length));
  if (!startsIdle(clear)) return wrong(address);
  return deciphered(joined(clear, payload.subarray(length)), isAuthentic(secured));
}

/** Only its authentication code vouches for a message: the cipher alone proves no more than two idle fillers. */
function openMode7(secured: Secured): Result<Opened> {
  const { header, payload, address, key, authentication } = secured;
  const blocks = blocksOf(header.configuration);
  const codeBytes = authentication?.mac.length ?? 0;
  if (startsIdle(payload) || (blocks === 0 && codeBytes === 0)) return plain(payload);
  if (!key) return missing(address);
  if (key.length !== 16) return wrong(address);
  if (authentication?.counter.length !== 4) {
    return refuse('BAD_FRAME', 'security mode 7 needs the message counter of the fragmentation layer');
  }
  if (codeBytes < LEAST_MAC_BYTES) {
    return refuse('BAD_AUTHENTICATION', `an authentication code of ${codeBytes} bytes proves nothing`);
  }
  const length = encryptedLength(header, payload);
  if (length === 0 && blocks > 0) return refuse('CUT_FRAME', 'the encrypted part is shorter than one block');
  const cipherKey = deriveKey(key, 0, authentication.counter, address.bytes.subarray(2, 6));
  const clear = cbcDecrypt(cipherKey, new Uint8Array(16), payload.subarray(0, length));
  if (length > 0 && !startsIdle(clear)) return wrong(address);
  if (!isAuthentic(secured)) {
    return refuse(
      'BAD_AUTHENTICATION',
      `the authentication code of the telegram of ${nameOf(address)} is wrong`,
    );
  }
  return deciphered(joined(clear, payload.subarray(length)), true);
}

/** Whether an authentication code of at least four bytes vouches for the layer and the message counter. */
function isAuthentic({ authentication, layer, address, key }: Secured): boolean {
  if (key?.length !== 16 || authentication?.counter.length !== 4) return false;
  const { counter, mac, prefix } = authentication;
  if (mac.length < LEAST_MAC_BYTES) return false;
  const macKey = deriveKey(key, 1, counter, address.bytes.subarray(2, 6));
  return timingSafeEqual(cmac(macKey, joined(prefix, layer)).subarray(0, mac.length), mac);
}

/** Modes 2 and 3: withdrawn, but on the air. The vector is zero in mode 2 (EN 13757-3:2004, 5.12). */
function openDes({ header, payload, address, key }: Secured): Result<Opened> {
  if (startsIdle(payload)) return plain(payload);
  const stated = header.configuration & 0xff;
  const length = Math.min(stated || payload.length, payload.length) & ~7;
  if (length === 0) return plain(payload, true);
  if (!key) return missing(address);
  if (key.length !== 8 || header.mode !== 2)
    return unsupported({ header, payload, address, key, layer: payload, authentication: null });
  const clear = desDecrypt(key, new Uint8Array(8), payload.subarray(0, length));
  return deciphered(joined(clear, payload.subarray(length)), false);
}
