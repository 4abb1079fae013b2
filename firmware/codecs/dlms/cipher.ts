/** Ciphered messages of a dialogue (IEC 62056-5-3, 9.2.7): service-specific glo and general-glo, security suite 0. */
import { timingSafeEqual } from 'node:crypto';
import { fault, ok, type Result, refuse } from '../../domain/errors.ts';
import { encodeLength } from '../bytes.ts';
import {
  GENERAL_DED,
  GENERAL_GLO,
  openCiphered,
  readCiphered,
  SECURITY_CONTROL,
  seal,
} from '../security/gcm.ts';
import { AxdrReader } from './axdr.ts';
import { concat } from './encode.ts';

export interface Security {
  /** Ours: eight bytes, the first three letters of a maker. */
  readonly systemTitle: Uint8Array;
  /** Global unicast encryption key and authentication key, 16 bytes each. */
  readonly key: Uint8Array;
  readonly authKey: Uint8Array;
  /** What is done to messages, both ways: authenticated 10h, encrypted 20h, both 30h. */
  readonly control: number;
}

/** Tags of the ciphered services by those in clear: initiate, GET and ACTION request. */
const GLO: Readonly<Record<number, number>> = {
  1: 0x21,
  8: 0x28,
  192: 0xc8,
  195: 0xcb,
  196: 0xcc,
  199: 0xcf,
};
const CIPHERED = new Set([GENERAL_GLO, GENERAL_DED, ...Object.values(GLO)]);

export const isCiphered = (apdu: Uint8Array): boolean => CIPHERED.has(apdu[0] ?? 0);

/** The message in its service-specific ciphered form. */
export function protect(apdu: Uint8Array, security: Security, invocationCounter: number): Uint8Array {
  const { systemTitle, key, authKey, control } = security;
  const payload = seal(apdu, { systemTitle, key, authKey, securityControl: control, invocationCounter });
  return concat(Uint8Array.of(GLO[apdu[0] ?? 0] ?? 0), encodeLength(payload.length), payload);
}

interface Unprotected {
  readonly plain: Uint8Array;
  readonly counter: number;
}

/** Opens a message of the meter; one that is protected less than ours is refused. */
export function unprotect(apdu: Uint8Array, security: Security, meterTitle: Uint8Array): Result<Unprotected> {
  const ciphered = partsOf(apdu, meterTitle);
  if (!ciphered.ok) return ciphered;
  const { systemTitle, payload } = ciphered.value;
  const control = payload[0] ?? 0;
  if ((control & 0x0f) !== 0)
    return refuse('UNSUPPORTED', `security suite ${control & 0x0f} is not supported in a dialogue, only 0`);
  if ((control & security.control & 0x30) !== (security.control & 0x30))
    return refuse('NOT_ENCRYPTED', 'the meter protects its answer less than it was asked to');
  if (Buffer.compare(systemTitle, meterTitle) !== 0)
    return refuse('BAD_AUTHENTICATION', 'the answer comes from another system title');
  const opened = openCiphered({ systemTitle, payload }, security.key, security.authKey);
  if (!opened.ok) return opened;
  const counter = new DataView(payload.buffer, payload.byteOffset).getUint32(1);
  return ok({ plain: opened.value.plain, counter });
}

function partsOf(
  apdu: Uint8Array,
  meterTitle: Uint8Array,
): Result<{ readonly systemTitle: Uint8Array; readonly payload: Uint8Array }> {
  if (apdu[0] === GENERAL_GLO || apdu[0] === GENERAL_DED)
    return readCiphered(apdu, apdu.length) ?? refuse('CUT_FRAME', 'the ciphered part is cut');
  const reader = new AxdrReader(apdu, 1);
  const payload = reader.take(reader.length());
  if (!payload || payload.length < 5 || reader.at < apdu.length)
    return refuse('CUT_FRAME', 'the ciphered part is cut');
  return ok({ systemTitle: meterTitle, payload });
}

/** HLS mechanism 5: SC ‖ IC ‖ GMAC over SC ‖ authentication key ‖ challenge (IEC 62056-5-3, 9.2.7.4). */
export function proofOf(
  challenge: Uint8Array,
  { systemTitle, key, authKey }: Omit<Security, 'control'>,
  invocationCounter: number,
): Uint8Array {
  const securityControl = SECURITY_CONTROL.authenticated;
  const sealed = seal(challenge, { systemTitle, key, authKey, securityControl, invocationCounter });
  return concat(sealed.subarray(0, 5), sealed.subarray(sealed.length - 12));
}

/** Whether the meter's answer proves that it knows the keys. */
export function proves(
  proof: Uint8Array,
  challenge: Uint8Array,
  security: Security,
  meterTitle: Uint8Array,
): Result<null> {
  if (proof.length !== 17 || proof[0] !== SECURITY_CONTROL.authenticated)
    return refuse('WRONG_ANSWER', "the meter's answer to our challenge has another form");
  const counter = new DataView(proof.buffer, proof.byteOffset).getUint32(1);
  const expected = proofOf(challenge, { ...security, systemTitle: meterTitle }, counter);
  if (timingSafeEqual(expected, proof)) return ok(null);
  return { ok: false, error: fault('BAD_AUTHENTICATION', 'the meter does not prove that it knows the keys') };
}
