/**
 * General-glo-ciphering of DLMS (IEC 62056-5-3, 9.2.7), as encrypted P1 and HAN pushes carry it:
 * `DB | title length | title 8 | BER length | SC | IC 4 | ciphertext | tag 12`. Security suite 0: AES-128-GCM.
 */
import { createDecipheriv } from 'node:crypto';
import { ok, type Result, refuse } from '../../domain/errors.ts';

export interface CipheredApdu {
  readonly systemTitle: Uint8Array;
  readonly securityControl: number;
  readonly invocationCounter: number;
  /** SC and IC as on the wire, then the ciphertext, then the tag when authenticated. */
  readonly payload: Uint8Array;
  /** Bytes of the whole APDU, tag DB included. */
  readonly length: number;
}

const TAG_BYTES = 12;
const AUTHENTICATED = 0x10;
const ENCRYPTED = 0x20;

/** The APDU at the start of `bytes`; null while more bytes are needed; refused when it cannot be one. */
export function readCiphered(bytes: Uint8Array, maxBytes: number): Result<CipheredApdu> | null {
  if (bytes.length < 2) return null;
  if (bytes[0] !== 0xdb || bytes[1] !== 8) return refuse('BAD_FRAME', 'no general-glo-ciphering header');
  if (bytes.length < 11) return null;
  const short = bytes[10] ?? 0;
  const lengthBytes = short < 0x80 ? 0 : short & 0x7f;
  if (lengthBytes > 2) return refuse('OVERSIZED', 'the ciphered part states more than 64 KiB');
  if (bytes.length < 11 + lengthBytes) return null;
  const stated =
    lengthBytes === 0 ? short : bytes.slice(11, 11 + lengthBytes).reduce((n, b) => n * 256 + b, 0);
  const start = 11 + lengthBytes;
  if (stated < 5) return refuse('BAD_FRAME', 'the ciphered part is too short');
  if (start + stated > maxBytes) return refuse('OVERSIZED');
  if (bytes.length < start + stated) return null;
  const payload = bytes.slice(start, start + stated);
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return ok({
    systemTitle: bytes.slice(2, 10),
    securityControl: payload[0] ?? 0,
    invocationCounter: view.getUint32(1),
    payload,
    length: start + stated,
  });
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
  apdu: CipheredApdu,
  key: Uint8Array,
  authKey: Uint8Array | undefined,
): Result<Opened> {
  const suite = apdu.securityControl & 0x0f;
  if (suite !== 0) return refuse('UNSUPPORTED', `security suite ${suite} is not supported`);
  if (key.length !== 16) return refuse('KEY_WRONG', 'an AES-128 key has 16 bytes');
  const hasTag = (apdu.securityControl & AUTHENTICATED) !== 0;
  const end = apdu.payload.length - (hasTag ? TAG_BYTES : 0);
  if (end < 5) return refuse('CUT_FRAME', 'the ciphered part is shorter than its tag');
  const body = apdu.payload.slice(5, end);
  if ((apdu.securityControl & ENCRYPTED) === 0)
    return refuse('UNSUPPORTED', 'authenticated only, not encrypted');
  const nonce = Buffer.concat([apdu.systemTitle, apdu.payload.slice(1, 5)]);
  const gcm = createDecipheriv('aes-128-gcm', key, nonce, { authTagLength: TAG_BYTES });
  const verify = hasTag && authKey !== undefined;
  if (verify) {
    gcm.setAAD(Buffer.concat([apdu.payload.slice(0, 1), authKey]));
    gcm.setAuthTag(apdu.payload.slice(end));
  }
  const plain = gcm.update(body);
  if (!verify) return ok({ plain: Uint8Array.from(plain), authenticated: false });
  try {
    gcm.final();
  } catch {
    return refuse(
      'BAD_AUTHENTICATION',
      'the authentication tag does not match: wrong key, or not from this meter',
    );
  }
  return ok({ plain: Uint8Array.from(plain), authenticated: true });
}
