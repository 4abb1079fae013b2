/**
 * From first contact to the speed and the way of talking that follow: wake-up, request, identification, option
 * select, hand-over (IEC 62056-21, 6.4 and annexes A, B). What comes after the hand-over is another machine's.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import type { LineSettings } from '../../domain/link.ts';
import { ascii, joined, NOTHING } from '../bytes.ts';
import type { Exchange, ExchangeEffect, ExchangeInput, Step } from '../exchange.ts';
import {
  acknowledgement,
  type Identification,
  NAK,
  type Option,
  readIdentification,
  request,
  SIGN_ON,
  sevenBits,
  TIMES,
  wakeUp,
} from './messages.ts';

export interface SignOnOptions {
  /** Device address, up to 32 characters; empty asks whoever is there (broadcast). */
  readonly address: string;
  /** Speed of the first contact; 300 unless a fixed-speed line (RS-485) says otherwise. */
  readonly baudRate: number;
  /** A battery meter sleeps until it is woken. */
  readonly wakeUp: boolean;
  /** Whether the line can change its speed; a raw TCP stream cannot. */
  readonly canChangeSpeed: boolean;
  /** Acknowledge with the speed of the first contact although more was offered (L+G ZMD120 offers and stays). */
  readonly stay: boolean;
  readonly want: Option;
  /** How often the request is sent before the meter counts as silent. */
  readonly attempts: number;
}

/** Where the sign-on has led. The line is already set when it is given out. */
export interface SignedOn {
  readonly identification: Identification;
  readonly line: LineSettings;
  /** Bytes that came behind the identification and belong to what follows (modes A and B). */
  readonly rest: Uint8Array;
  /** For HDLC: whether the meter confirmed with the same six bytes. Some change without a word. */
  readonly confirmed: boolean;
}

type SignOnState =
  | { readonly name: 'asking'; readonly held: Uint8Array; readonly attempt: number; readonly echo: boolean }
  | {
      readonly name: 'confirming';
      readonly held: Uint8Array;
      readonly result: SignedOn;
      readonly echo: boolean;
    }
  | { readonly name: 'done'; readonly result: SignedOn }
  | { readonly name: 'failed'; readonly reason: Fault };

const HELD_MAX = 512;
const FIRST_ANSWER_MS = TIMES.reactionMaxMs + TIMES.patienceMs;
const GAP_MS = TIMES.gapMs + TIMES.patienceMs;

export function signOn(options: SignOnOptions): Exchange<SignOnState> {
  return {
    start: () => ask(options, 1),
    step: (state, input) => step(state, input, options),
    over: (state) => state.name === 'done' || state.name === 'failed',
  };
}

function step(state: SignOnState, input: ExchangeInput, options: SignOnOptions): Step<SignOnState> {
  if (state.name === 'asking') {
    if (input.type === 'timeout') return silence(state, options);
    return heard({ ...state, held: joined(state.held, input.bytes) }, options);
  }
  if (state.name === 'confirming') {
    const held = input.type === 'timeout' ? null : joined(state.held, input.bytes);
    return confirm(state, held);
  }
  return { state, effects: [] };
}

function ask(options: SignOnOptions, attempt: number): Step<SignOnState> {
  const rouse: readonly ExchangeEffect[] = options.wakeUp
    ? [
        { do: 'send', bytes: wakeUp(options.baudRate) },
        { do: 'pause', ms: TIMES.wakeUpPauseMs },
      ]
    : [];
  return {
    state: { name: 'asking', held: NOTHING, attempt, echo: false },
    effects: [
      { do: 'configure', line: { ...SIGN_ON, baudRate: options.baudRate } },
      ...rouse,
      { do: 'send', bytes: request(options.address) },
      { do: 'await', ms: FIRST_ANSWER_MS },
    ],
  };
}

function silence(state: Extract<SignOnState, { name: 'asking' }>, options: SignOnOptions): Step<SignOnState> {
  if (state.attempt < options.attempts) return ask(options, state.attempt + 1);
  const said = withoutEcho(text(state.held));
  return failed(
    said === ''
      ? fault('TIMEOUT', 'the meter does not answer the sign-on')
      : fault('CUT_FRAME', 'the identification is incomplete or unreadable'),
  );
}

const text = (bytes: Uint8Array): string => ascii(sevenBits(bytes));
/** An optical head may return what was sent: `/?…!` is never a meter's identification. */
const withoutEcho = (said: string): string => said.replace(/\/\?[^!]*!\r?\n/, '');

function heard(state: Extract<SignOnState, { name: 'asking' }>, options: SignOnOptions): Step<SignOnState> {
  if (state.held.length > HELD_MAX)
    return failed(fault('BAD_FRAME', 'no identification in what the meter sends'));
  const said = text(state.held);
  const own = withoutEcho(said);
  const m = /\/[A-Za-z]{3}[^\r\n]*\r?\n/.exec(own);
  if (!m) return { state, effects: [{ do: 'await', ms: GAP_MS }] };
  const identification = readIdentification(m[0].trimEnd());
  if (!identification.ok) return failed(identification.error);
  const rest = state.held.slice(said.length - (own.length - m.index - m[0].length));
  const echo = own.length !== said.length;
  return identification.value.mode === 'C'
    ? select(identification.value, rest, echo, options)
    : follow(identification.value, rest, options);
}

/** Modes A and B: the readout follows by itself, in mode B at the speed that the identification names. */
function follow(identification: Identification, rest: Uint8Array, options: SignOnOptions): Step<SignOnState> {
  if (options.want !== 'readout')
    return failed(fault('UNSUPPORTED', `a meter of mode ${identification.mode} offers its readout only`));
  const change = identification.mode === 'B' && options.canChangeSpeed;
  const line = { ...SIGN_ON, baudRate: change ? identification.baudRate : options.baudRate };
  return {
    state: { name: 'done', result: { identification, line, rest, confirmed: true } },
    effects: change ? [{ do: 'configure', line }] : [],
  };
}

/** Modes C and E: `ACK V Z Y` at the speed of the first contact, then both change (6.4.3, annex B). */
function select(
  identification: Identification,
  rest: Uint8Array,
  echo: boolean,
  options: SignOnOptions,
): Step<SignOnState> {
  const { want } = options;
  const baudRate = options.canChangeSpeed && !options.stay ? identification.baudRate : options.baudRate;
  const effects: ExchangeEffect[] = [
    { do: 'pause', ms: identification.reactionMinMs },
    { do: 'send', bytes: acknowledgement(want, baudRate) },
  ];
  if (want === 'hdlc') {
    const line: LineSettings = { baudRate, dataBits: 8, parity: 'none', stopBits: 1 };
    const result = { identification, line, rest: NOTHING, confirmed: false };
    effects.push({ do: 'await', ms: FIRST_ANSWER_MS });
    return { state: { name: 'confirming', held: NOTHING, result, echo }, effects };
  }
  const line = { ...SIGN_ON, baudRate };
  if (baudRate !== options.baudRate) effects.push({ do: 'configure', line });
  return { state: { name: 'done', result: { identification, line, rest, confirmed: true } }, effects };
}

/** The meter repeats the acknowledgement; where the head echoes, ours comes back first. */
function confirm(
  state: Extract<SignOnState, { name: 'confirming' }>,
  held: Uint8Array | null,
): Step<SignOnState> {
  const { result } = state;
  const change: ExchangeEffect = { do: 'configure', line: result.line };
  if (held === null) return { state: { name: 'done', result }, effects: [change] };
  if (held.includes(NAK)) return failed(fault('REFUSED', 'the meter refuses to speak HDLC (mode E)'));
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ACK is how an option is confirmed
  const times = [...text(held).matchAll(/\x062[0-6]2\r\n/g)].length;
  if (times >= (state.echo ? 2 : 1))
    return { state: { name: 'done', result: { ...result, confirmed: true } }, effects: [change] };
  if (held.length > HELD_MAX) return failed(fault('BAD_FRAME', 'the meter does not confirm mode E'));
  return { state: { ...state, held }, effects: [{ do: 'await', ms: GAP_MS }] };
}

const failed = (reason: Fault): Step<SignOnState> => ({ state: { name: 'failed', reason }, effects: [] });
