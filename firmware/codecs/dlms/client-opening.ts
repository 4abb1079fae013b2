/** How the client opens an association: AARQ and AARE, and the proofs of the keys with HLS 5 (IEC 62056-5-3, 9.4). */
import { fault } from '../../domain/errors.ts';
import { NOTHING } from '../bytes.ts';
import {
  encodeAarq,
  initiateRequest,
  readAare,
  readException,
  readInitiateResponse,
  refusalOf,
} from './association.ts';
import { isCiphered, proofOf, protect, proves, type Security, unprotect } from './cipher.ts';
import {
  type ClientOptions,
  type ClientState,
  type ClientStep,
  failed,
  IDLE,
  nextInvoke,
  OLD,
  request,
  sent,
  still,
} from './client-state.ts';
import { octets } from './encode.ts';
import { actionRequest, type Response } from './services.ts';

const MAX_PDU_BYTES = 0xffff;
/** Of 32 bits; behind it they would begin again. */
const LAST_COUNTER = 0xffff_ffff;

/** AARQ; `state` holds the counter that it may use. */
export function associate(state: ClientState, options: ClientOptions): ClientStep {
  const { mechanism, security } = options;
  if (mechanism === 'gmac' && !security)
    return failed(state, fault('KEY_MISSING', 'authentication with GMAC needs the keys of the meter'));
  const initiate = initiateRequest(MAX_PDU_BYTES);
  const apdu = encodeAarq({
    mechanism,
    authentication: mechanism === 'low' ? options.password : mechanism === 'gmac' ? options.challenge : null,
    systemTitle: security?.systemTitle ?? null,
    ciphered: security !== null,
    initiate: security ? protect(initiate, security, state.counter) : initiate,
  });
  const counter = state.counter + (security ? 1 : 0);
  return sent({ ...state, name: 'associating', counter }, apdu, options);
}

/** The meter knows our counter better: the association is tried once more with the one it expects. */
export function exception(state: ClientState, apdu: Uint8Array, options: ClientOptions): ClientStep {
  const { code, message, counter } = readException(apdu);
  const better = counter !== null && counter >= state.counter && counter < LAST_COUNTER;
  if (state.name === 'associating' && better && !state.corrected)
    return associate({ ...IDLE, counter: counter + 1, corrected: true }, options);
  return failed(state, fault(code, message));
}

/** The answer to AARQ. */
export function answered(state: ClientState, apdu: Uint8Array, options: ClientOptions): ClientStep {
  const aare = readAare(apdu);
  if (!aare.ok) return failed(state, aare.error);
  const accepted = refusalOf(aare.value);
  if (!accepted.ok) return failed(state, accepted.error);
  const { security } = options;
  const meterTitle = aare.value.systemTitle ?? NOTHING;
  if (security && meterTitle.length !== 8)
    return failed(state, fault('WRONG_ANSWER', 'the meter ciphers and does not give its system title'));
  let initiate = aare.value.userInformation ?? NOTHING;
  const known = security ? options.lastCounter(meterTitle) : -1;
  let meterCounter = known;
  if (security && isCiphered(initiate)) {
    const opened = unprotect(initiate, security, meterTitle);
    if (!opened.ok) return failed(state, opened.error);
    if (opened.value.counter <= meterCounter) return failed(state, OLD);
    initiate = opened.value.plain;
    meterCounter = opened.value.counter;
  }
  // The counter was named in clear, by anybody: only a ciphered response shows that it was the meter.
  if (state.corrected && meterCounter <= known)
    return failed(state, fault('NOT_ENCRYPTED', 'the meter answers in clear'));
  const negotiated = readInitiateResponse(initiate);
  if (!negotiated.ok) return failed(state, negotiated.error);
  const after = { ...state, corrected: false, negotiated: negotiated.value, meterTitle, meterCounter };
  if (options.mechanism !== 'gmac' || !security) return still({ ...after, name: 'ready' });
  const { challenge } = aare.value;
  if (!challenge) return failed(state, fault('WRONG_ANSWER', 'the meter gives no challenge'));
  return prove(after, challenge, security, options);
}

/** The association object, class 15: method 1 takes the answer to the meter's challenge. */
const ASSOCIATION = { classId: 15, obis: Uint8Array.of(0, 0, 40, 0, 0, 255), attribute: 1 };

function prove(
  state: ClientState,
  challenge: Uint8Array,
  security: Security,
  options: ClientOptions,
): ClientStep {
  const invoke = nextInvoke(state);
  const proof = proofOf(challenge, security, state.counter);
  const after: ClientState = { ...state, name: 'proving', invoke, counter: state.counter + 1 };
  return request(after, actionRequest(ASSOCIATION, invoke, octets(proof)), options);
}

/** The meter's answer to our proof, and its own. */
export function proven(
  state: ClientState,
  { result, data }: Extract<Response, { kind: 'action' }>,
  { challenge, security }: ClientOptions,
): ClientStep {
  if (state.name !== 'proving' || !security) return still(state);
  if (result !== 0)
    return failed(
      state,
      fault('KEY_WRONG', 'the meter does not accept our proof: wrong key, or wrong client'),
    );
  const verdict = proves(
    data?.kind === 'octets' ? data.bytes : NOTHING,
    challenge,
    security,
    state.meterTitle,
  );
  return verdict.ok ? still({ ...state, name: 'ready' }) : failed(state, verdict.error);
}
