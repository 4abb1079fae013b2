/**
 * One request of a wired M-Bus master and its answer, as a pure machine (EN 13757-2, 5): retries, the time-outs of
 * the standard, the echo of level converters, noise. It ends as soon as a good answer is complete.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { joined, NOTHING } from '../bytes.ts';
import { ACK, isStart, type LongFrame, readLink, START_LONG } from './link.ts';

export interface Request {
  readonly bytes: Uint8Array;
  /** `nothing` for what is sent to all: nobody answers. */
  readonly expect: 'ack' | 'data' | 'nothing';
  /** Only a frame with this A field is the answer; null takes any. */
  readonly from: number | null;
  /** How often it is sent at most. */
  readonly attempts: number;
  /** For meters that answer later than the standard allows: the time for the first byte, times this. */
  readonly patience?: number;
}

/** The line as the master knows it. */
export interface Line {
  readonly baudRate: number;
  /** What converters, drivers and networks add to an answer. */
  readonly latencyMs: number;
  /** A converter behind a network hands an answer on only when it has all of it. */
  readonly packets: boolean;
}

/** `garbled`: something was heard and is no answer; where several may answer that is what they sound like together. */
export type Outcome =
  | { readonly kind: 'ack'; readonly noise: number }
  /** `acks`: single characters E5h that were heard before the frame. */
  | { readonly kind: 'frame'; readonly frame: LongFrame; readonly noise: number; readonly acks: number }
  | { readonly kind: 'silent' }
  | { readonly kind: 'garbled'; readonly error: Fault };

export type ExchangeState =
  | { readonly name: 'waiting'; readonly attempt: number; readonly held: Uint8Array }
  | { readonly name: 'done'; readonly outcome: Outcome; readonly attempts: number };

export type ExchangeInput =
  | { readonly type: 'start' }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'timeout' };

export type ExchangeEffect =
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  /** Give `timeout` when so long nothing has come; replaces the wait before. */
  | { readonly do: 'await'; readonly ms: number };

export interface ExchangeStep {
  readonly state: ExchangeState;
  readonly effects: readonly ExchangeEffect[];
}

const BITS_PER_BYTE = 11;
/** A meter answers after 11 to 330 bit times + 50 ms (5.5.2). */
const ANSWER_BITS = 330;
const ANSWER_MS = 50;
/** After a faulty transmission the line must rest for 33 bit times (5.5.2). */
const REST_BITS = 33;
/** Where the echo of the request can start: a converter may put some noise before it. */
const ECHO_WITHIN_BYTES = 8;

export const newExchange = (): ExchangeState => ({ name: 'waiting', attempt: 0, held: NOTHING });

const bitsMs = (bits: number, { baudRate }: Line): number => (bits * 1000) / baudRate;

/** How long to wait for the first byte of an answer, the sending of the request included. */
export function answerMs({ bytes, expect, patience = 1 }: Request, line: Line): number {
  const sending = bitsMs(bytes.length * BITS_PER_BYTE, line);
  if (expect === 'nothing') return sending + restMs(line);
  const whole = line.packets && expect === 'data' ? bitsMs(LIMITS.mbusFrame_bytes * BITS_PER_BYTE, line) : 0;
  return sending + whole + patience * (bitsMs(ANSWER_BITS, line) + ANSWER_MS + line.latencyMs);
}

/** How long the line must be quiet for an answer to be over that is not complete. */
export const restMs = (line: Line): number => bitsMs(REST_BITS, line) + line.latencyMs;

export function step(state: ExchangeState, input: ExchangeInput, request: Request, line: Line): ExchangeStep {
  if (state.name === 'done') return { state, effects: [] };
  if (input.type === 'start') return send(1, request, line);
  if (input.type === 'timeout') return timedOut(state.attempt, state.held, request, line);
  const held = joined(state.held, input.bytes);
  const answer = answerIn(withoutEcho(held, request.bytes), request);
  if (answer) return done(answer, state.attempt);
  if (held.length > LIMITS.mbusHeld_bytes)
    return done(garbled('OVERSIZED', 'the line does not stop talking'), state.attempt);
  const waits = withoutEcho(held, request.bytes).length > 0 ? restMs(line) : answerMs(request, line);
  return { state: { ...state, held }, effects: [{ do: 'await', ms: waits }] };
}

const done = (outcome: Outcome, attempts: number): ExchangeStep => ({
  state: { name: 'done', outcome, attempts },
  effects: [],
});

const garbled = (code: Fault['code'], message: string): Outcome => ({
  kind: 'garbled',
  error: fault(code, message),
});

function send(attempt: number, request: Request, line: Line): ExchangeStep {
  return {
    state: { name: 'waiting', attempt, held: NOTHING },
    effects: [
      { do: 'send', bytes: request.bytes },
      { do: 'await', ms: answerMs(request, line) },
    ],
  };
}

function timedOut(attempt: number, held: Uint8Array, request: Request, line: Line): ExchangeStep {
  const heard = withoutEcho(held, request.bytes);
  // An acknowledgement instead of data: the meter is there and has nothing to say.
  if (request.expect === 'data' && heard.length === 1 && heard[0] === ACK)
    return done({ kind: 'ack', noise: 0 }, attempt);
  if (attempt < request.attempts && request.expect !== 'nothing') return send(attempt + 1, request, line);
  return done(heard.length === 0 ? { kind: 'silent' } : unanswered(heard), attempt);
}

/** Why what was heard is no answer: the reason of the first start character, or that there is none. */
function unanswered(heard: Uint8Array): Outcome {
  const start = heard.findIndex(isStart);
  const link = readLink(heard, Math.max(0, start));
  if (!link.ok) return { kind: 'garbled', error: link.error };
  return garbled('WRONG_ANSWER', 'what was heard does not answer the request');
}

/** Level converters may send back what they are given; one that is not whole yet is nothing yet. */
function withoutEcho(held: Uint8Array, sent: Uint8Array): Uint8Array {
  for (let at = 0; at <= ECHO_WITHIN_BYTES && at < held.length; at++) {
    const length = Math.min(sent.length, held.length - at);
    let same = 0;
    while (same < length && held[at + same] === sent[same]) same++;
    if (same === sent.length) return held.subarray(at + same);
    if (at === 0 && same === held.length) return NOTHING;
  }
  return held;
}

/** The answer, if it is complete. */
function answerIn(heard: Uint8Array, { expect, from }: Request): Outcome | null {
  const found = frameIn(heard, from);
  if (found) return found;
  if (expect !== 'ack') return null;
  // Idle lines and switching converters make 00h and FFh; anything else beside E5h is several at once.
  const start = heard.findIndex((byte) => byte !== 0x00 && byte !== 0xff);
  return start >= 0 && start === heard.length - 1 && heard[start] === ACK
    ? { kind: 'ack', noise: start }
    : null;
}

/** A whole frame of a meter, wherever it starts: length twice, checksum and stop are enough against noise. */
function frameIn(heard: Uint8Array, from: number | null): Outcome | null {
  let acks = 0;
  for (let at = 0; at < heard.length; at++) {
    if (heard[at] === ACK) acks += 1;
    if (heard[at] !== START_LONG) continue;
    const link = readLink(heard, at);
    if (!link.ok || link.frame.kind !== 'long') continue;
    const fromMeter = (link.frame.control & 0x40) === 0;
    if (fromMeter && (from === null || link.frame.address === from))
      return { kind: 'frame', frame: link.frame, noise: at, acks };
    at += link.length - 1;
  }
  return null;
}
