/** Why the broker cannot be had, as a code of the catalogue. What a library says may hold a host, never a secret. */
import { type ErrorCode, type Fault, fault, HearthError } from '../domain/errors.ts';

/** By the code that Node or OpenSSL gives. */
const BY_CODE: readonly (readonly [RegExp, ErrorCode])[] = [
  [/^CERT_HAS_EXPIRED|^CERT_NOT_YET_VALID|ALERT_CERTIFICATE_EXPIRED/, 'CERTIFICATE_EXPIRED'],
  [
    /ALERT_(CERTIFICATE|UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED)/,
    'CERTIFICATE_REFUSED',
  ],
  [/ALERT_HANDSHAKE_FAILURE/, 'CERTIFICATE_REFUSED'],
  [
    /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)|^CERT_|^ERR_TLS_CERT_ALTNAME|INVALID_CA|INVALID_PURPOSE/,
    'CERTIFICATE_UNTRUSTED',
  ],
  [/^ERR_SSL|^ERR_TLS|^EPROTO/, 'LINK_REFUSED'],
  [/^ECONNREFUSED|^ENOTFOUND|^EAI_|^EHOSTUNREACH|^ENETUNREACH|^EACCES/, 'LINK_REFUSED'],
  [/^ETIMEDOUT/, 'TIMEOUT'],
];

/** By the reason code of MQTT 5 (3.2.2.2) or the return code of 3.1.1 (3.2.2.3); they do not overlap. */
const BY_REASON: Readonly<Record<number, ErrorCode>> = {
  1: 'UNSUPPORTED',
  2: 'REFUSED',
  3: 'LINK_BUSY',
  4: 'CREDENTIALS_REFUSED',
  5: 'CREDENTIALS_REFUSED',
  132: 'UNSUPPORTED',
  134: 'CREDENTIALS_REFUSED',
  135: 'CREDENTIALS_REFUSED',
  136: 'LINK_BUSY',
  137: 'LINK_BUSY',
  151: 'TOO_MANY',
  159: 'TOO_MANY',
};

export const reasonFault = (reason: number): Fault =>
  BY_REASON[reason] === undefined
    ? fault('REFUSED', `the broker refused with reason ${reason}`)
    : fault(BY_REASON[reason]);

export function brokerFault(error: unknown): Fault {
  if (error instanceof HearthError) return fault(error.code, error.message);
  const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
  if (typeof code === 'number') return reasonFault(code);
  if (error instanceof Error && error.message === 'connack timeout') return fault('TIMEOUT');
  const known = typeof code === 'string' ? BY_CODE.find(([form]) => form.test(code)) : undefined;
  return fault(known?.[1] ?? 'LINK_GONE');
}
