/** Where the signature of a message is checked, before anybody reads its content. */
import { ok, type Result, refuse } from '../domain/errors.ts';

export interface Envelope {
  readonly payload: Uint8Array;
  /** Name of the key that signed, null for a message without signature. */
  readonly signedBy: string | null;
}

export interface EnvelopePolicy {
  /** True refuses every message that is not signed. No signature scheme is implemented yet: then nothing passes. */
  readonly signed: boolean;
}

export function openEnvelope(bytes: Uint8Array, policy: EnvelopePolicy): Result<Envelope> {
  if (policy.signed) return refuse('SIGNAL_UNSIGNED');
  return ok({ payload: bytes, signedBy: null });
}
