/**
 * What takes messages to a meter and back: an HDLC link or the wrapper. One face for both, as a pure machine: bytes
 * and silence in, bytes and whole messages out.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { joined, NOTHING } from '../bytes.ts';
import { FLAG, type HdlcFrame, scanHdlc } from '../hdlc/frame.ts';
import { CLOSED_LINK, type LinkInput, type LinkOptions, type LinkState, stepLink } from '../hdlc/link.ts';
import type { Scan } from '../scan.ts';
import { encodeWrapper, scanWrapper, type WrapperFrame } from './wrapper.ts';

export type CarrierOptions =
  | { readonly kind: 'hdlc'; readonly link: LinkOptions }
  /** Client and logical device as wrapper ports (IEC 62056-47, 5.2). */
  | { readonly kind: 'wrapper'; readonly client: number; readonly server: number };

export interface CarrierState {
  readonly name: 'closed' | 'open' | 'failed';
  readonly reason: Fault | null;
  /** What came and is no whole frame yet. */
  readonly held: Uint8Array;
  /** Of HDLC only. */
  readonly link: LinkState;
}

export type CarrierInput =
  | { readonly type: 'open' }
  | { readonly type: 'send'; readonly apdu: Uint8Array }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'timeout' }
  | { readonly type: 'close' };

type CarrierEffect =
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  | { readonly do: 'await'; readonly ms: number }
  | { readonly do: 'deliver'; readonly apdu: Uint8Array }
  /** Bytes that were no frame; count it. */
  | { readonly do: 'drop'; readonly reason: Fault }
  /** The carrier waits for nothing: the silence is the dialogue's. */
  | { readonly do: 'silence' };

interface CarrierStep {
  readonly state: CarrierState;
  readonly effects: readonly CarrierEffect[];
}

/** Before it is opened. */
export const CLOSED_CARRIER: CarrierState = {
  name: 'closed',
  reason: null,
  held: NOTHING,
  link: CLOSED_LINK,
};

export function stepCarrier(state: CarrierState, input: CarrierInput, options: CarrierOptions): CarrierStep {
  return options.kind === 'hdlc' ? stepHdlc(state, input, options.link) : stepWrapper(state, input, options);
}

function stepHdlc(state: CarrierState, input: CarrierInput, options: LinkOptions): CarrierStep {
  if (input.type === 'open') return throughLink(CLOSED_CARRIER, [{ type: 'connect' }], options);
  if (input.type === 'close') return throughLink(state, [{ type: 'disconnect' }], options);
  if (input.type === 'send') return throughLink(state, [{ type: 'send', apdu: input.apdu }], options);
  const ended = input.type === 'timeout';
  const held = input.type === 'bytes' ? joined(state.held, input.bytes) : state.held;
  const { whole, bad, rest } = cut<HdlcFrame>(held, scanHdlc, FLAG, ended);
  const drops = bad.map((reason) => ({ do: 'drop', reason }) as const);
  // In silence what looked like the beginning of a frame was noise; behind it the answer may stand.
  if (ended && whole.length === 0) {
    const { link } = state;
    const waits = link.waiting || link.name === 'connecting' || link.name === 'closing';
    if (!waits) return { state: { ...state, held: NOTHING }, effects: [...drops, { do: 'silence' }] };
    return throughLink({ ...state, held: NOTHING }, [{ type: 'timeout' }], options, drops);
  }
  const frames = whole.map((frame) => ({ type: 'frame', frame }) as const);
  return throughLink({ ...state, held: rest }, frames, options, drops);
}

function throughLink(
  state: CarrierState,
  inputs: readonly LinkInput[],
  options: LinkOptions,
  before: readonly CarrierEffect[] = [],
): CarrierStep {
  const effects: CarrierEffect[] = [...before];
  let { link } = state;
  for (const input of inputs) {
    const step = stepLink(link, input, options);
    link = step.state;
    effects.push(...step.effects);
  }
  const name = link.name === 'connected' ? 'open' : link.name === 'failed' ? 'failed' : 'closed';
  return { state: { ...state, link, name, reason: link.reason }, effects };
}

function stepWrapper(
  state: CarrierState,
  input: CarrierInput,
  { client, server }: Extract<CarrierOptions, { kind: 'wrapper' }>,
): CarrierStep {
  if (input.type === 'open') return { state: { ...CLOSED_CARRIER, name: 'open' }, effects: [] };
  if (input.type === 'close') return { state: { ...state, name: 'closed' }, effects: [] };
  if (input.type === 'timeout') return { state: { ...state, held: NOTHING }, effects: [{ do: 'silence' }] };
  if (input.type === 'send') {
    const bytes = encodeWrapper({ source: client, destination: server, apdu: input.apdu });
    return { state, effects: [{ do: 'send', bytes }] };
  }
  const scan = (bytes: Uint8Array, at: number, end: number): Scan<WrapperFrame> =>
    scanWrapper(bytes, at, end, LIMITS.dlmsApdu_bytes);
  const { whole, bad, rest } = cut(joined(state.held, input.bytes), scan, null, false);
  const effects: CarrierEffect[] = bad.map((reason) => ({ do: 'drop', reason }));
  for (const { source, destination, apdu } of whole) {
    const ours = source === server && destination === client;
    effects.push(ours ? { do: 'deliver', apdu } : { do: 'drop', reason: FOREIGN });
  }
  return { state: { ...state, held: rest }, effects };
}

const FOREIGN = fault('WRONG_ANSWER', 'a wrapper between other ports');

/** All whole frames, one fault for each piece that was none, and what may become a frame yet. */
function cut<T>(
  bytes: Uint8Array,
  scan: (bytes: Uint8Array, at: number, end: number) => Scan<T>,
  filler: number | null,
  ended: boolean,
): { readonly whole: readonly T[]; readonly bad: readonly Fault[]; readonly rest: Uint8Array } {
  const whole: T[] = [];
  const bad: Fault[] = [];
  let at = 0;
  let noise = false;
  while (at < bytes.length) {
    const found = scan(bytes, at, bytes.length);
    if (found.found === 'more' && !ended) break;
    if (found.found === 'whole') {
      whole.push(found.value);
      at += found.length;
      noise = false;
      continue;
    }
    if (found.found === 'bad') bad.push(found.error);
    else if (bytes[at] !== filler && !noise) bad.push(fault('NO_TELEGRAM', 'noise between the frames'));
    noise ||= bytes[at] !== filler;
    at++;
  }
  return { whole, bad, rest: bytes.slice(at) };
}
