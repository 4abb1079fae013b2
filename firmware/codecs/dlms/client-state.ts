/** What the client's side of a COSEM dialogue knows and says: its options, state, inputs and effects. */
import { type Fault, fault } from '../../domain/errors.ts';
import { NOTHING } from '../bytes.ts';
import type { Negotiated } from './association.ts';
import { protect, type Security } from './cipher.ts';
import type { Answer, Asked } from './services.ts';

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

export interface Asking {
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
  /** The counter was named in clear, by the meter or by anybody: until the meter has answered to it. */
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

/** Before the association. */
export const IDLE: ClientState = {
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
export const still = (state: ClientState): ClientStep => ({ state, effects: [] });
export const failed = (state: ClientState, reason: Fault): ClientStep =>
  still({ ...state, name: 'failed', reason });
export const dropped = (state: ClientState, reason: Fault): ClientStep => ({
  state,
  effects: [{ do: 'drop', reason }],
});
export const sent = (state: ClientState, apdu: Uint8Array, { answerMs }: ClientOptions): ClientStep => ({
  state,
  effects: [
    { do: 'send', apdu },
    { do: 'await', ms: answerMs },
  ],
});

/** Sends a request, ciphered where that was agreed. */
export function request(state: ClientState, plain: Uint8Array, options: ClientOptions): ClientStep {
  const { security } = options;
  const apdu = security ? protect(plain, security, state.counter) : plain;
  return sent({ ...state, counter: state.counter + (security ? 1 : 0) }, apdu, options);
}

/** Ids of requests run from 1 to 15. */
export const nextInvoke = ({ invoke }: ClientState): number => (invoke % 15) + 1;

/** A message of the meter that was recorded and is sent again. */
export const OLD = fault('REPLAYED', "the meter's message counter does not grow");
