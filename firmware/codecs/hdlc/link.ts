/**
 * The client's side of the HDLC data link (IEC 62056-46, 6.4: unbalanced, normal response mode) as a pure machine:
 * inputs in, effects out; a timeout is an input. Set-up with negotiation, numbered frames with windows, segments,
 * acknowledgements, receive-not-ready, repeats by polling, disconnection.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { joined, NOTHING } from '../bytes.ts';
import { encodeHdlc, type HdlcFrame } from './frame.ts';
import { LLC_SEND, withoutLlc } from './llc.ts';
import {
  DEFAULT_PARAMETERS,
  encodeParameters,
  type LinkParameters,
  readParameters,
  settle,
} from './parameters.ts';

/** Control bytes with the poll/final bit set. */
export const CONTROL = {
  snrm: 0x93,
  ua: 0x73,
  disc: 0x53,
  dm: 0x1f,
  frmr: 0x97,
  rr: 0x11,
  rnr: 0x15,
} as const;
const POLL = 0x10;

export interface LinkOptions {
  /** Our address and the meter's, as on the line. */
  readonly client: Uint8Array;
  readonly server: Uint8Array;
  /** What is proposed; null proposes nothing, for old meters that do not take it. */
  readonly propose: LinkParameters | null;
  /** How long an answer may take. */
  readonly answerMs: number;
}

interface Sent {
  readonly number: number;
  readonly segmented: boolean;
  readonly information: Uint8Array;
}

export interface LinkState {
  readonly name: 'closed' | 'connecting' | 'connected' | 'closing' | 'failed';
  readonly reason: Fault | null;
  readonly parameters: LinkParameters;
  /** V(S) and V(R), modulo 8. */
  readonly sendNumber: number;
  readonly receiveNumber: number;
  /** Segments that wait for their turn, and frames that wait for their acknowledgement. */
  readonly queue: readonly Uint8Array[];
  readonly unacknowledged: readonly Sent[];
  /** Segments of the answer so far. */
  readonly received: Uint8Array;
  /** Whether a message was sent and its answer is not complete. */
  readonly waiting: boolean;
  /** Polls and repeats in a row without progress. */
  readonly repeats: number;
  readonly busy: number;
}

export type LinkInput =
  | { readonly type: 'connect' }
  | { readonly type: 'send'; readonly apdu: Uint8Array }
  | { readonly type: 'frame'; readonly frame: HdlcFrame }
  | { readonly type: 'timeout' }
  | { readonly type: 'disconnect' };

type LinkEffect =
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  | { readonly do: 'await'; readonly ms: number }
  | { readonly do: 'deliver'; readonly apdu: Uint8Array };

interface LinkStep {
  readonly state: LinkState;
  readonly effects: readonly LinkEffect[];
}

/** Before it is connected. */
export const CLOSED_LINK: LinkState = {
  name: 'closed',
  reason: null,
  parameters: DEFAULT_PARAMETERS,
  sendNumber: 0,
  receiveNumber: 0,
  queue: [],
  unacknowledged: [],
  received: NOTHING,
  waiting: false,
  repeats: 0,
  busy: 0,
};

const still = (state: LinkState): LinkStep => ({ state, effects: [] });
const failed = (state: LinkState, reason: Fault): LinkStep => still({ ...state, name: 'failed', reason });

export function stepLink(state: LinkState, input: LinkInput, options: LinkOptions): LinkStep {
  switch (input.type) {
    case 'connect':
      return connect(CLOSED_LINK, options);
    case 'disconnect':
      return disconnect(state, options);
    case 'timeout':
      return timedOut(state, options);
    case 'send':
      return state.name === 'connected' ? send(state, input.apdu, options) : still(state);
    case 'frame':
      return same(input.frame.source, options.server) && same(input.frame.destination, options.client)
        ? received(state, input.frame, options)
        : still(state);
  }
}

function connect(state: LinkState, options: LinkOptions): LinkStep {
  const information = options.propose ? encodeParameters(options.propose) : NOTHING;
  return {
    state: { ...state, name: 'connecting' },
    effects: [transmit(options, CONTROL.snrm, information), { do: 'await', ms: options.answerMs }],
  };
}

function disconnect(state: LinkState, options: LinkOptions): LinkStep {
  if (state.name !== 'connected' && state.name !== 'connecting') return still({ ...state, name: 'closed' });
  return {
    state: { ...state, name: 'closing', repeats: 0 },
    effects: [transmit(options, CONTROL.disc), { do: 'await', ms: options.answerMs }],
  };
}

/** Silence: ask again. In a dialogue a poll finds out whether our frame or the answer was lost. */
function timedOut(state: LinkState, options: LinkOptions): LinkStep {
  if (state.name === 'closed' || state.name === 'failed') return still(state);
  if (state.name === 'closing') return still({ ...state, name: 'closed' });
  const repeats = state.repeats + 1;
  if (state.name === 'connected') return state.waiting ? pollAgain(state, options) : still(state);
  return repeats > LIMITS.hdlcRepeats ? failed(state, SILENT) : connect({ ...state, repeats }, options);
}

const SILENT = fault('TIMEOUT', 'the meter does not answer on the HDLC link');

/** Asks for the frame that is next; `pollAgain` where nothing has moved since the last time. */
const poll = (state: LinkState, options: LinkOptions): LinkStep => ({
  state,
  effects: [
    transmit(options, (state.receiveNumber << 5) | CONTROL.rr),
    { do: 'await', ms: options.answerMs },
  ],
});

function pollAgain(state: LinkState, options: LinkOptions): LinkStep {
  const repeats = state.repeats + 1;
  return repeats > LIMITS.hdlcRepeats ? failed(state, SILENT) : poll({ ...state, repeats }, options);
}

/** A message in as many segments as it takes. */
function send(state: LinkState, apdu: Uint8Array, options: LinkOptions): LinkStep {
  const whole = joined(LLC_SEND, apdu);
  const most = state.parameters.maxInfoSend;
  const queue: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += most) queue.push(whole.slice(at, at + most));
  return sendWindow({ ...state, queue, received: NOTHING, waiting: true, repeats: 0, busy: 0 }, options);
}

/** Up to a window of frames; the last one polls. */
function sendWindow(state: LinkState, options: LinkOptions): LinkStep {
  const count = Math.min(state.queue.length, state.parameters.windowSend - state.unacknowledged.length);
  const sent = state.queue.slice(0, count).map((information, i) => ({
    number: (state.sendNumber + i) & 7,
    segmented: i < state.queue.length - 1,
    information,
  }));
  const after: LinkState = {
    ...state,
    sendNumber: (state.sendNumber + count) & 7,
    queue: state.queue.slice(count),
    unacknowledged: [...state.unacknowledged, ...sent],
  };
  return {
    state: after,
    effects: [...numbered(after, sent, options), { do: 'await', ms: options.answerMs }],
  };
}

function numbered(state: LinkState, frames: readonly Sent[], options: LinkOptions): LinkEffect[] {
  return frames.map(({ number, segmented, information }, i) => {
    const last = i === frames.length - 1 ? POLL : 0;
    const control = (state.receiveNumber << 5) | last | (number << 1);
    return transmit(options, control, information, segmented);
  });
}

function received(state: LinkState, frame: HdlcFrame, options: LinkOptions): LinkStep {
  const { control } = frame;
  if (state.name === 'closing') {
    const over = control === CONTROL.ua || control === CONTROL.dm;
    return over ? still({ ...state, name: 'closed' }) : still(state);
  }
  if (state.name === 'connecting') return answered(state, frame, options);
  if (state.name !== 'connected') return still(state);
  if (control === CONTROL.dm) return failed(state, fault('LINK_GONE', 'the meter has ended the HDLC link'));
  if ((control | POLL) === CONTROL.frmr)
    return failed(state, fault('WRONG_ANSWER', 'the meter rejects a frame of the HDLC link (FRMR)'));
  if (!state.waiting) return still(state);
  if ((control & 1) === 0) return information(acknowledge(state, control >> 5), frame, options);
  if ((control & 0x0f) === 0x01) return ready(acknowledge(state, control >> 5), options);
  if ((control & 0x0f) === 0x05) return notReady(acknowledge(state, control >> 5));
  return still(state);
}

/** UA, or a refusal of the connection. */
function answered(
  state: LinkState,
  { control, information: given }: HdlcFrame,
  options: LinkOptions,
): LinkStep {
  if (control === CONTROL.dm) return failed(state, fault('REFUSED', 'the meter refuses the HDLC link (DM)'));
  if (control !== CONTROL.ua) return still(state);
  const theirs = readParameters(given);
  if (!theirs) return failed(state, fault('WRONG_ANSWER', 'the parameters of the HDLC link cannot be read'));
  const ours = options.propose ?? DEFAULT_PARAMETERS;
  return still({ ...CLOSED_LINK, name: 'connected', parameters: settle(ours, theirs) });
}

/** N(R) acknowledges all frames before it; one that was never sent acknowledges nothing. */
function acknowledge(state: LinkState, next: number): LinkState {
  const index = state.unacknowledged.findIndex((sent) => sent.number === next);
  const count = index >= 0 ? index : next === state.sendNumber ? state.unacknowledged.length : 0;
  return count === 0 ? state : { ...state, unacknowledged: state.unacknowledged.slice(count), repeats: 0 };
}

function information(state: LinkState, frame: HdlcFrame, options: LinkOptions): LinkStep {
  const expected = ((frame.control >> 1) & 7) === state.receiveNumber;
  const final = (frame.control & POLL) !== 0;
  // One out of turn is repeated by the meter when the poll names the one we wait for.
  if (!expected) return final ? pollAgain(state, options) : still(state);
  const all = joined(state.received, frame.information);
  if (all.length > LIMITS.dlmsApdu_bytes + LLC_SEND.length)
    return failed(state, fault('OVERSIZED', 'the answer is longer than the stated limit'));
  const after = { ...state, receiveNumber: (state.receiveNumber + 1) & 7, repeats: 0, busy: 0 };
  if (!frame.segmented) {
    const apdu = withoutLlc(all);
    return { state: { ...after, received: NOTHING, waiting: false }, effects: [{ do: 'deliver', apdu }] };
  }
  const more = { ...after, received: all };
  return final ? poll(more, options) : { state: more, effects: [{ do: 'await', ms: options.answerMs }] };
}

/** Receive ready: our next segments, what was lost, or patience while the meter thinks. */
function ready(state: LinkState, options: LinkOptions): LinkStep {
  if (state.unacknowledged.length > 0) {
    const repeats = state.repeats + 1;
    if (repeats > LIMITS.hdlcRepeats) return failed(state, SILENT);
    const effects = numbered(state, state.unacknowledged, options);
    return { state: { ...state, repeats }, effects: [...effects, { do: 'await', ms: options.answerMs }] };
  }
  if (state.queue.length > 0) return sendWindow(state, options);
  return { state, effects: [{ do: 'await', ms: options.answerMs }] };
}

/** How long a meter that is not ready is left alone; after so many times it is given up. */
const BUSY_MS = 500;

function notReady(state: LinkState): LinkStep {
  if (state.busy >= LIMITS.hdlcBusy)
    return failed(state, fault('TIMEOUT', 'the meter stays not ready (RNR)'));
  // The poll after the wait is not counted as a repeat.
  return { state: { ...state, busy: state.busy + 1, repeats: -1 }, effects: [{ do: 'await', ms: BUSY_MS }] };
}

function transmit(
  { client, server }: LinkOptions,
  control: number,
  information: Uint8Array = NOTHING,
  segmented = false,
): LinkEffect {
  const frame = { destination: server, source: client, control, segmented, information };
  return { do: 'send', bytes: encodeHdlc(frame) };
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
