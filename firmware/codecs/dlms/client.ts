/**
 * The client's side of a COSEM dialogue (IEC 62056-5-3) as a pure machine above whatever carries it: association
 * without security, with a password (LLS) or with proofs of the keys (HLS 5, GMAC); GET, long answers in blocks,
 * ciphering of security suite 0; release.
 */
import { type Fault, fault, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { joined, NOTHING } from '../bytes.ts';
import {
  CONFORMANCE,
  encodeAarq,
  initiateRequest,
  type Negotiated,
  RLRE_TAG,
  RLRQ,
  readAare,
  readException,
  readInitiateResponse,
  refusalOf,
  supports,
} from './association.ts';
import { isCiphered, proofOf, protect, proves, type Security, unprotect } from './cipher.ts';
import { octets } from './encode.ts';
import {
  type Answer,
  type Asked,
  actionRequest,
  getNext,
  getRequest,
  readLong,
  readResponse,
} from './services.ts';

export interface ClientOptions {
  readonly mechanism: 'none' | 'low' | 'gmac';
  /** For `low`. */
  readonly password: Uint8Array | null;
  /** For ciphered messages; `gmac` needs it. */
  readonly security: Security | null;
  /** At least eight random bytes, new for each association. */
  readonly challenge: Uint8Array;
  readonly answerMs: number;
  /** How often a request is made anew when no answer comes, where what carries it may lose it (UDP). */
  readonly repeats: number;
  /** The last counter heard from a meter by its system title, -1 for none: an older message is a recorded one. */
  readonly lastCounter: (systemTitle: Uint8Array) => number;
}

interface Asking {
  readonly asked: readonly Asked[];
  /** Blocks of a long answer so far, and the number of the next one. */
  readonly raw: Uint8Array;
  readonly block: number;
}

export interface ClientState {
  readonly name:
    | 'idle'
    | 'associating'
    | 'proving'
    | 'ready'
    | 'asking'
    | 'releasing'
    | 'released'
    | 'failed';
  readonly reason: Fault | null;
  readonly negotiated: Negotiated;
  readonly invoke: number;
  /** The next invocation counter of ours; none is ever used twice with the same key. */
  readonly counter: number;
  /** The last one of the meter. */
  readonly meterCounter: number;
  readonly meterTitle: Uint8Array;
  readonly asking: Asking | null;
  /** Whether the meter has told us a better counter already. */
  readonly corrected: boolean;
  /** Requests made anew in a row. */
  readonly repeated: number;
}

export type ClientInput =
  /** `counter`: the next invocation counter that was never used. */
  | { readonly type: 'associate'; readonly counter: number }
  | { readonly type: 'get'; readonly asked: readonly Asked[] }
  | { readonly type: 'apdu'; readonly apdu: Uint8Array }
  | { readonly type: 'timeout' }
  | { readonly type: 'release' };

export type ClientEffect =
  | { readonly do: 'send'; readonly apdu: Uint8Array }
  | { readonly do: 'await'; readonly ms: number }
  | { readonly do: 'answers'; readonly answers: readonly Answer[] }
  /** A message was dropped and nothing is answered; count it. */
  | { readonly do: 'drop'; readonly reason: Fault };

export interface ClientStep {
  readonly state: ClientState;
  readonly effects: readonly ClientEffect[];
}

const IDLE: ClientState = {
  name: 'idle',
  reason: null,
  negotiated: { conformance: 0, maxPdu_bytes: 0 },
  invoke: 0,
  counter: 0,
  meterCounter: -1,
  meterTitle: NOTHING,
  asking: null,
  corrected: false,
  repeated: 0,
};
export const newClient = (): ClientState => IDLE;

const still = (state: ClientState): ClientStep => ({ state, effects: [] });
const failed = (state: ClientState, reason: Fault): ClientStep => still({ ...state, name: 'failed', reason });
const dropped = (state: ClientState, reason: Fault): ClientStep => ({
  state,
  effects: [{ do: 'drop', reason }],
});
const sent = (state: ClientState, apdu: Uint8Array, { answerMs }: ClientOptions): ClientStep => ({
  state,
  effects: [
    { do: 'send', apdu },
    { do: 'await', ms: answerMs },
  ],
});

export function stepClient(state: ClientState, input: ClientInput, options: ClientOptions): ClientStep {
  switch (input.type) {
    case 'associate':
      return associate({ ...IDLE, counter: input.counter }, options);
    case 'get':
      return state.name === 'ready' ? get({ ...state, repeated: 0 }, input.asked, options) : still(state);
    case 'release':
      return release(state, options);
    case 'timeout':
      return timedOut(state, options);
    case 'apdu':
      return received(state, input.apdu, options);
  }
}

/** Whether several attributes may be asked for at once. */
export const takesLists = ({ negotiated }: ClientState): boolean =>
  supports(negotiated, CONFORMANCE.multipleReferences);
/** Whether part of a profile may be asked for. */
export const selects = ({ negotiated }: ClientState): boolean =>
  supports(negotiated, CONFORMANCE.selectiveAccess);

const MAX_PDU_BYTES = 0xffff;

function associate(state: ClientState, options: ClientOptions): ClientStep {
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

function get(state: ClientState, asked: readonly Asked[], options: ClientOptions): ClientStep {
  const invoke = (state.invoke % 15) + 1;
  const asking: Asking = { asked, raw: NOTHING, block: 1 };
  return request({ ...state, name: 'asking', invoke, asking }, getRequest(asked, invoke), options);
}

/** Sends a request, ciphered where that was agreed. */
function request(state: ClientState, plain: Uint8Array, options: ClientOptions): ClientStep {
  const { security } = options;
  const apdu = security ? protect(plain, security, state.counter) : plain;
  return sent({ ...state, counter: state.counter + (security ? 1 : 0) }, apdu, options);
}

function release(state: ClientState, options: ClientOptions): ClientStep {
  if (state.name !== 'ready' && state.name !== 'asking') return still({ ...state, name: 'released' });
  return sent({ ...state, name: 'releasing' }, RLRQ, options);
}

function timedOut(state: ClientState, options: ClientOptions): ClientStep {
  if (state.name === 'releasing') return still({ ...state, name: 'released' });
  const waits = state.name === 'associating' || state.name === 'proving' || state.name === 'asking';
  if (waits && state.repeated < options.repeats) {
    const again = { ...state, repeated: state.repeated + 1 };
    if (state.asking) return get(again, state.asking.asked, options);
    return associate({ ...IDLE, counter: state.counter, repeated: again.repeated }, options);
  }
  return waits ? failed(state, fault('TIMEOUT', 'the meter does not answer the request')) : still(state);
}

const EXCEPTION = 0xd8;
const SERVICE_ERROR = 0x0e;

function received(state: ClientState, apdu: Uint8Array, options: ClientOptions): ClientStep {
  // A ciphering meter may refuse a plain RLRQ; the link is closed next either way.
  if (state.name === 'releasing')
    return apdu[0] === RLRE_TAG || apdu[0] === EXCEPTION
      ? still({ ...state, name: 'released' })
      : still(state);
  if (apdu[0] === EXCEPTION) return exception(state, apdu, options);
  if (apdu[0] === SERVICE_ERROR)
    return failed(state, fault('REFUSED', 'the meter answers with a service error'));
  if (state.name === 'associating') return answered(state, apdu, options);
  if (state.name !== 'proving' && state.name !== 'asking') return still(state);
  const clear = inClear(state, apdu, options.security);
  if (!clear.ok) return dropped(state, clear.error);
  const { plain, counter } = clear.value;
  const read = readResponse(plain);
  if (!read.ok) return dropped({ ...state, meterCounter: counter }, read.error);
  const heard = { ...state, meterCounter: counter };
  if (read.value.invoke !== state.invoke)
    return dropped(heard, fault('WRONG_ANSWER', 'the answer belongs to another request'));
  if (read.value.kind === 'action') return proven(heard, read.value, options);
  if (read.value.kind === 'answers') return answers(heard, read.value.answers);
  return block(heard, read.value, options);
}

const OLD = fault('REPLAYED', "the meter's message counter does not grow");

function inClear(
  state: ClientState,
  apdu: Uint8Array,
  security: Security | null,
): Result<{ readonly plain: Uint8Array; readonly counter: number }> {
  if (!security)
    return isCiphered(apdu)
      ? refuse('KEY_MISSING', 'the meter answers ciphered and no key is configured')
      : { ok: true, value: { plain: apdu, counter: -1 } };
  if (!isCiphered(apdu)) return refuse('NOT_ENCRYPTED', 'the meter answers in clear');
  const opened = unprotect(apdu, security, state.meterTitle);
  if (opened.ok && opened.value.counter <= state.meterCounter) return { ok: false, error: OLD };
  return opened;
}

/** The meter knows our counter better: the association is tried once more with the one it expects. */
function exception(state: ClientState, apdu: Uint8Array, options: ClientOptions): ClientStep {
  const { code, message, counter } = readException(apdu);
  if (state.name === 'associating' && counter !== null && counter >= state.counter && !state.corrected)
    return associate({ ...IDLE, counter: counter + 1, corrected: true }, options);
  return failed(state, fault(code, message));
}

function answered(state: ClientState, apdu: Uint8Array, options: ClientOptions): ClientStep {
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
  const after = { ...state, negotiated: negotiated.value, meterTitle, meterCounter };
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
  const invoke = (state.invoke % 15) + 1;
  const proof = proofOf(challenge, security, state.counter);
  const after: ClientState = { ...state, name: 'proving', invoke, counter: state.counter + 1 };
  return request(after, actionRequest(ASSOCIATION, invoke, octets(proof)), options);
}

function proven(
  state: ClientState,
  { result, data }: { readonly result: number; readonly data: Parameters<typeof bytesOf>[0] },
  { challenge, security }: ClientOptions,
): ClientStep {
  if (state.name !== 'proving' || !security) return still(state);
  if (result !== 0)
    return failed(
      state,
      fault('KEY_WRONG', 'the meter does not accept our proof: wrong key, or wrong client'),
    );
  const verdict = proves(bytesOf(data), challenge, security, state.meterTitle);
  return verdict.ok ? still({ ...state, name: 'ready' }) : failed(state, verdict.error);
}

const bytesOf = (data: { readonly kind: string; readonly bytes?: Uint8Array } | null): Uint8Array =>
  data?.kind === 'octets' ? (data.bytes ?? NOTHING) : NOTHING;

function answers(state: ClientState, list: readonly Answer[]): ClientStep {
  if (!state.asking || list.length !== state.asking.asked.length)
    return failed(state, fault('WRONG_ANSWER', 'the meter answers another number of questions'));
  return { state: { ...state, name: 'ready', asking: null }, effects: [{ do: 'answers', answers: list }] };
}

/** One block of a long answer: join, ask for the next, and read the whole at the end. */
function block(
  state: ClientState,
  {
    number,
    last,
    raw,
    error,
  }: {
    readonly number: number;
    readonly last: boolean;
    readonly raw: Uint8Array | null;
    readonly error: string;
  },
  options: ClientOptions,
): ClientStep {
  const { asking } = state;
  if (!asking) return still(state);
  if (raw === null)
    return answers(
      state,
      asking.asked.map(() => ({ ok: false, error })),
    );
  if (number !== asking.block)
    return failed(state, fault('WRONG_ANSWER', `the meter sends block ${number} instead of ${asking.block}`));
  const whole = joined(asking.raw, raw);
  if (whole.length > LIMITS.dlmsTransfer_bytes || number > LIMITS.dlmsBlocks)
    return failed(state, fault('OVERSIZED', 'a long answer is longer than the stated limit'));
  if (!last) {
    const after = { ...state, asking: { ...asking, raw: whole, block: number + 1 } };
    return request(after, getNext(state.invoke, number), options);
  }
  const read = readLong(whole, asking.asked.length > 1);
  return read.ok ? answers(state, read.value) : failed(state, read.error);
}
