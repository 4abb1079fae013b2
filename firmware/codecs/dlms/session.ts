/**
 * A dialogue with a meter in three kinds of exchange over one open line: opening (link and association), asking, and
 * closing. Pure: the state of one is the beginning of the next.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import type { Exchange, ExchangeEffect, Step } from '../exchange.ts';
import {
  type CarrierInput,
  type CarrierOptions,
  type CarrierState,
  CLOSED_CARRIER,
  stepCarrier,
} from './carrier.ts';
import { stepClient } from './client.ts';
import { type ClientInput, type ClientOptions, type ClientState, IDLE } from './client-state.ts';
import type { Answer, Asked } from './services.ts';

export interface SessionOptions {
  readonly carrier: CarrierOptions;
  readonly client: ClientOptions;
}

export interface SessionState {
  readonly carrier: CarrierState;
  readonly client: ClientState;
  /** To the last question; null while there are none. */
  readonly answers: readonly Answer[] | null;
  /** What came and was dropped in this exchange. */
  readonly dropped: readonly Fault[];
}

/** Why the dialogue is over; what was dropped says more than the silence that followed. */
export function failureOf({ carrier, client, dropped }: SessionState): Fault | null {
  const reason = carrier.reason ?? client.reason;
  return reason?.code === 'TIMEOUT' ? (dropped.findLast(isTelling) ?? reason) : reason;
}

const isTelling = ({ code }: Fault): boolean => code !== 'NO_TELEGRAM' && code !== 'BAD_FRAME';

/** `counter`: the next invocation counter that was never used. */
export function opening(options: SessionOptions, counter: number): Exchange<SessionState> {
  const begin: SessionState = { carrier: CLOSED_CARRIER, client: IDLE, answers: null, dropped: [] };
  const associate = (turn: Turn): void => {
    const { carrier, client } = turn.state;
    if (carrier.name === 'open' && client.name === 'idle') turn.client({ type: 'associate', counter });
  };
  return exchange(
    options,
    begin,
    (turn) => {
      turn.carrier({ type: 'open' });
      associate(turn);
    },
    associate,
    ({ client }) => client.name === 'ready',
  );
}

export function asking(
  options: SessionOptions,
  state: SessionState,
  asked: readonly Asked[],
): Exchange<SessionState> {
  return exchange(
    options,
    { ...state, answers: null, dropped: [] },
    (turn) => turn.client({ type: 'get', asked }),
    () => {},
    ({ answers }) => answers !== null,
  );
}

export function closing(options: SessionOptions, state: SessionState): Exchange<SessionState> {
  const close = (turn: Turn): void => {
    const { client, carrier } = turn.state;
    if (client.name === 'released' && carrier.name === 'open') turn.carrier({ type: 'close' });
  };
  // Of an association that failed there is nothing left to release; the link below it is still closed.
  const failed = state.client.name === 'failed';
  const client: ClientState = failed ? { ...state.client, name: 'released', reason: null } : state.client;
  return exchange(
    options,
    { ...state, client, answers: null, dropped: [] },
    (turn) => {
      turn.client({ type: 'release' });
      close(turn);
    },
    close,
    ({ carrier, client }) =>
      client.name === 'released' && carrier.name === 'closed' && carrier.link.name !== 'closing',
  );
}

function exchange(
  options: SessionOptions,
  begin: SessionState,
  first: (turn: Turn) => void,
  after: (turn: Turn) => void,
  done: (state: SessionState) => boolean,
): Exchange<SessionState> {
  return {
    start() {
      const turn = new Turn(options, begin);
      first(turn);
      return turn.result();
    },
    step(state, input) {
      const turn = new Turn(options, state);
      turn.carrier(input);
      after(turn);
      return turn.result();
    },
    over: (state) => state.carrier.name === 'failed' || state.client.name === 'failed' || done(state),
  };
}

/** One turn of the dialogue: what one input leads to, through carrier and client and back. */
class Turn {
  state: SessionState;
  private readonly options: SessionOptions;
  private readonly effects: ExchangeEffect[] = [];

  constructor(options: SessionOptions, state: SessionState) {
    this.options = options;
    this.state = state;
  }

  carrier(input: CarrierInput): void {
    const { state, effects } = stepCarrier(this.state.carrier, input, this.options.carrier);
    this.state = { ...this.state, carrier: state };
    for (const effect of effects) {
      if (effect.do === 'send' || effect.do === 'await') this.effects.push(effect);
      else if (effect.do === 'deliver') this.client({ type: 'apdu', apdu: effect.apdu });
      else if (effect.do === 'drop') this.drop(effect.reason);
      else this.client({ type: 'timeout' });
    }
  }

  client(input: ClientInput): void {
    const { state, effects } = stepClient(this.state.client, input, this.options.client);
    this.state = { ...this.state, client: state };
    for (const effect of effects) {
      if (effect.do === 'send') this.carrier({ type: 'send', apdu: effect.apdu });
      else if (effect.do === 'answers') this.state = { ...this.state, answers: effect.answers };
      else if (effect.do === 'drop') this.drop(effect.reason);
      // HDLC knows itself how long each of its frames may take.
      else if (this.options.carrier.kind === 'wrapper') this.effects.push(effect);
    }
  }

  private drop(reason: Fault): void {
    if (this.state.dropped.length < DROPS_MAX)
      this.state = { ...this.state, dropped: [...this.state.dropped, reason] };
    else this.state = { ...this.state, carrier: { ...this.state.carrier, name: 'failed', reason: NOISY } };
  }

  result(): Step<SessionState> {
    return { state: this.state, effects: this.effects };
  }
}

/** More than that in one exchange and the line cannot be used. */
const DROPS_MAX = 64;
const NOISY = fault('BAD_FRAME', 'the line is full of noise');
