/**
 * The client's side of a COSEM dialogue (IEC 62056-5-3) as a pure machine above whatever carries it: association
 * without security, with a password (LLS) or with proofs of the keys (HLS 5, GMAC); GET, long answers in blocks,
 * ciphering of security suite 0; release.
 */
import { fault, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { joined, NOTHING } from '../bytes.ts';
import { CONFORMANCE, RLRE_TAG, RLRQ, supports } from './association.ts';
import { isCiphered, type Security, unprotect } from './cipher.ts';
import { answered, associate, exception, proven } from './client-opening.ts';
import {
  type Asking,
  type ClientInput,
  type ClientOptions,
  type ClientState,
  type ClientStep,
  dropped,
  failed,
  IDLE,
  nextInvoke,
  OLD,
  request,
  sent,
  still,
} from './client-state.ts';
import {
  type Answer,
  type Asked,
  getNext,
  getRequest,
  type Response,
  readLong,
  readResponse,
} from './services.ts';

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

function get(state: ClientState, asked: readonly Asked[], options: ClientOptions): ClientStep {
  const invoke = nextInvoke(state);
  const asking: Asking = { asked, raw: NOTHING, block: 1 };
  return request({ ...state, name: 'asking', invoke, asking }, getRequest(asked, invoke), options);
}

function release(state: ClientState, options: ClientOptions): ClientStep {
  if (state.name !== 'ready' && state.name !== 'asking') return still({ ...state, name: 'released' });
  return sent({ ...state, name: 'releasing' }, RLRQ, options);
}

function timedOut(state: ClientState, options: ClientOptions): ClientStep {
  if (state.name === 'releasing') return still({ ...state, name: 'released' });
  const waits = state.name === 'associating' || state.name === 'proving' || state.name === 'asking';
  if (waits && state.repeated < options.repeats) {
    const repeated = state.repeated + 1;
    if (state.asking) return get({ ...state, repeated }, state.asking.asked, options);
    // A counter that was named in clear is no truer for the silence that followed.
    const { counter, corrected } = state;
    return associate({ ...IDLE, counter, corrected, repeated }, options);
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

function answers(state: ClientState, list: readonly Answer[]): ClientStep {
  if (!state.asking || list.length !== state.asking.asked.length)
    return failed(state, fault('WRONG_ANSWER', 'the meter answers another number of questions'));
  return { state: { ...state, name: 'ready', asking: null }, effects: [{ do: 'answers', answers: list }] };
}

/** One block of a long answer: join, ask for the next, and read the whole at the end. */
function block(
  state: ClientState,
  { number, last, raw, error }: Extract<Response, { kind: 'block' }>,
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
