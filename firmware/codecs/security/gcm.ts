/**
 * General-glo-ciphering of DLMS (IEC 62056-5-3, 9.2.7), as encrypted P1 and HAN pushes carry it:
 * `DB | title length | title 8 | BER length | SC | IC 4 | ciphertext | tag 12`, general-ded-ciphering with `DC`.
 * Security suites 0 and 1 cipher with AES-128-GCM, suite 2 with AES-256-GCM.
 */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { type Fault, fault, ok, type Result, refuse } from '../../domain/errors.ts';
import { encodeLength, NOTHING } from '../bytes.ts';

interface CipheredApdu {
  readonly systemTitle: Uint8Array;
  readonly securityControl: number;
  readonly invocationCounter: number;
  /** SC and IC as on the wire, then the ciphertext, then the tag when authenticated. */
  readonly payload: Uint8Array;
  /** Bytes of the whole APDU, tag DB included. */
  readonly length: number;
}

/** Bits of the security control byte; the low four are the security suite. */
export const SECURITY_CONTROL = {
  authenticated: 0x10,
  encrypted: 0x20,
  broadcastKey: 0x40,
  compressed: 0x80,
};

/** Tags of general-glo-ciphering and general-ded-ciphering. */
export const GENERAL_GLO = 0xdb;
export const GENERAL_DED = 0xdc;
const TAG_BYTES = 12;
/** By security suite: the bytes of its key and the cipher. */
const SUITES = [
  { keyBytes: 16, cipher: 'aes-128-gcm' },
  { keyBytes: 16, cipher: 'aes-128-gcm' },
  { keyBytes: 32, cipher: 'aes-256-gcm' },
] as const;

/** The APDU at the start of `bytes`; null while more bytes are needed; refused when it cannot be one. */
export function readCiphered(bytes: Uint8Array, maxBytes: number): Result<CipheredApdu> | null {
  if (bytes.length < 2) return null;
  if ((bytes[0] !== GENERAL_GLO && bytes[0] !== GENERAL_DED) || bytes[1] !== 8)
    return refuse('BAD_FRAME', 'no general-glo-ciphering header');
  if (bytes.length < 11) return null;
  const extent = cipheredExtent(bytes);
  if (!extent) return refuse('OVERSIZED', 'the ciphered part states more than 64 KiB');
  const { from, to } = extent;
  if (bytes.length < from) return null;
  if (to - from < 5) return refuse('BAD_FRAME', 'the ciphered part is too short');
  if (to > maxBytes) return refuse('OVERSIZED');
  if (bytes.length < to) return null;
  const payload = bytes.slice(from, to);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return ok({
    systemTitle: bytes.slice(2, 10),
    securityControl: payload[0] ?? 0,
    invocationCounter: view.getUint32(1),
    payload,
    length: to,
  });
}

/** Where the ciphered part begins and ends by the first 13 bytes of an APDU; null where its length is malformed. */
export function cipheredExtent(head: Uint8Array): { readonly from: number; readonly to: number } | null {
  const [short = 0, high = 0, low = 0] = head.subarray(10, 13);
  if (short < 0x80) return { from: 11, to: 11 + short };
  if (short === 0x81) return { from: 12, to: 12 + high };
  return short === 0x82 ? { from: 13, to: 13 + high * 256 + low } : null;
}

export interface Opened {
  readonly plain: Uint8Array;
  /** False when nothing proved that the key is right: the content must do so. */
  readonly authenticated: boolean;
}

/**
 * Decrypts and, where the sender authenticated and `authKey` is given, verifies the tag. A tag that does not match
 * gives nothing: BAD_AUTHENTICATION. Without `authKey` the plaintext comes unproven.
 */
export function openCiphered(
  apdu: Pick<CipheredApdu, 'systemTitle' | 'payload'>,
  key: Uint8Array,
  authKey: Uint8Array | undefined,
): Result<Opened> {
  const control = apdu.payload[0] ?? 0;
  const suite = SUITES[control & 0x0f];
  if (!suite) return refuse('UNSUPPORTED', `security suite ${control & 0x0f} is not known`);
  if (key.length !== suite.keyBytes)
    return refuse('KEY_WRONG', `security suite ${control & 0x0f} takes a key of ${suite.keyBytes} bytes`);
  if (control & SECURITY_CONTROL.compressed) return refuse('UNSUPPORTED', 'the ciphered part is compressed');
  const hasTag = (control & SECURITY_CONTROL.authenticated) !== 0;
  const encrypted = (control & SECURITY_CONTROL.encrypted) !== 0;
  const end = apdu.payload.length - (hasTag ? TAG_BYTES : 0);
  if (end < 5) return refuse('CUT_FRAME', 'the ciphered part is shorter than its tag');
  const body = apdu.payload.subarray(5, end);
  const nonce = nonceOf(apdu.systemTitle, apdu.payload.subarray(1, 5));
  const gcm = createDecipheriv(suite.cipher, keyObject(key), nonce, { authTagLength: TAG_BYTES });
  const verify = hasTag && authKey !== undefined;
  if (verify) {
    gcm.setAAD(additional(control, authKey, encrypted ? NOTHING : body));
    gcm.setAuthTag(apdu.payload.subarray(end));
  }
  const plain = encrypted ? gcm.update(body) : body;
  if (!verify) return ok({ plain: bytesOf(plain), authenticated: false });
  try {
    gcm.final();
  } catch {
    return refuse(
      'BAD_AUTHENTICATION',
      'the authentication tag does not match: wrong key, or not from this meter',
    );
  }
  return ok({ plain: bytesOf(plain), authenticated: true });
}

/**
 * Why a message that a meter sent by itself is protected less than its configured keys ask for; null when it is not.
 * What is checked is ours to say: the security control byte comes from whoever sent the message. With a key it must
 * be ciphered, with an authentication key of the meter (`tagged`) also bear a tag.
 */
export function lacking(
  { securityControl }: Pick<CipheredApdu, 'securityControl'>,
  tagged: boolean,
): Fault | null {
  if ((securityControl & SECURITY_CONTROL.encrypted) === 0) return fault('NOT_ENCRYPTED');
  return tagged && (securityControl & SECURITY_CONTROL.authenticated) === 0
    ? fault('BAD_AUTHENTICATION', 'an authentication key is set for the meter and the telegram has no tag')
    : null;
}

/** Node gives a Buffer; its memory is the message's alone. */
const bytesOf = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, length);

interface Sealing {
  readonly systemTitle: Uint8Array;
  readonly securityControl: number;
  readonly invocationCounter: number;
  readonly key: Uint8Array;
  readonly authKey: Uint8Array;
}

/** SC, IC, ciphertext and, where authenticated, the tag: the payload that `openCiphered` opens. */
export function seal(plain: Uint8Array, sealing: Sealing): Uint8Array {
  const { securityControl: control, key, authKey } = sealing;
  const counter = new Uint8Array(4);
  new DataView(counter.buffer).setUint32(0, sealing.invocationCounter);
  const encrypted = (control & SECURITY_CONTROL.encrypted) !== 0;
  const cipher = SUITES[control & 0x0f]?.cipher ?? 'aes-128-gcm';
  const gcm = createCipheriv(cipher, keyObject(key), nonceOf(sealing.systemTitle, counter), {
    authTagLength: TAG_BYTES,
  });
  const hasTag = (control & SECURITY_CONTROL.authenticated) !== 0;
  if (hasTag) gcm.setAAD(additional(control, authKey, encrypted ? NOTHING : plain));
  const body = encrypted ? gcm.update(plain) : plain;
  gcm.final();
  const parts = [Uint8Array.of(control), counter, body, ...(hasTag ? [gcm.getAuthTag()] : [])];
  return Uint8Array.from(Buffer.concat(parts));
}

/** A whole general-glo-ciphering APDU. */
export function encodeCiphered(plain: Uint8Array, sealing: Sealing): Uint8Array {
  const payload = seal(plain, sealing);
  const head = [GENERAL_GLO, sealing.systemTitle.length, ...sealing.systemTitle];
  return Uint8Array.from([...head, ...encodeLength(payload.length), ...payload]);
}

/** Of a key's bytes, which never change: to make one takes four times as long as to decipher a telegram with it. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function keyObject(key: Uint8Array): KeyObject {
  const known = keyObjects.get(key);
  if (known) return known;
  const made = createSecretKey(key);
  keyObjects.set(key, made);
  return made;
}

const nonceOf = (systemTitle: Uint8Array, counter: Uint8Array): Uint8Array =>
  Buffer.concat([systemTitle, counter]);

/** What the tag covers besides the ciphertext (IEC 62056-5-3, 9.2.7.2.4.2). */
const additional = (control: number, authKey: Uint8Array, plain: Uint8Array): Uint8Array =>
  Buffer.concat([Uint8Array.of(control), authKey, plain]);
