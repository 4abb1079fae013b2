/**
 * The reader's side of an IEC 62056-21 readout as a pure machine: inputs in, effects out; a timeout is an input.
 * Modes A, B and C (clause 6.3 and annexes): sign-on at 300 baud 7E1, identification, option select, change of
 * speed after the reaction time, readout.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import type { LineSettings } from '../../domain/link.ts';
import { ascii, joined } from '../bytes.ts';

/** First contact of modes A, B and C (6.3.1). */
export const SIGN_ON: LineSettings = { baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 };
/** Reaction time tr: 200 to 1500 ms; 20 ms for a manufacturer code in lower case (6.3.13). */
const REACTION_MAX_MS = 1500;
const REACTION_MIN_MS = 200;
/** Gap between characters ta (6.3.13). */
const GAP_MS = 1500;
/** Battery and slow meters: some answer late; a reader that waits a little longer loses nothing. */
const PATIENCE_MS = 1000;
const BAUDS_C = [300, 600, 1200, 2400, 4800, 9600, 19200];
const ACK = 0x06;

export interface SessionOptions {
  /** Device address, up to 32 characters; empty asks whoever is there. */
  readonly address: string;
  /** Whether the line can change its speed; a raw TCP stream cannot. */
  readonly canChangeSpeed: boolean;
  /** Acknowledge with 300 baud although more was offered: for a meter that offers and stays (L+G ZMD120). */
  readonly stayAt300: boolean;
}

export type SessionState =
  | { readonly name: 'idle' }
  | { readonly name: 'signOn'; readonly held: Uint8Array }
  | { readonly name: 'selecting'; readonly baudRate: number }
  | { readonly name: 'readout'; readonly anything: boolean; readonly baudRate: number }
  | { readonly name: 'done' }
  | { readonly name: 'failed'; readonly reason: Fault };

export type SessionInput =
  | { readonly type: 'start' }
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | { readonly type: 'timeout' }
  /** The readout's decoder has a whole frame, or says why there is none. */
  | { readonly type: 'frame'; readonly reason: Fault | null };

export type SessionEffect =
  | { readonly do: 'configure'; readonly line: LineSettings }
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  | { readonly do: 'pause'; readonly ms: number }
  /** Give these bytes to the readout's decoder. */
  | { readonly do: 'decode'; readonly bytes: Uint8Array }
  | { readonly do: 'await'; readonly ms: number };

export interface Step {
  readonly state: SessionState;
  readonly effects: readonly SessionEffect[];
}

const IDLE: SessionState = { name: 'idle' };
export const newSession = (): SessionState => IDLE;
const failed = (reason: Fault): Step => ({ state: { name: 'failed', reason }, effects: [] });

export function step(state: SessionState, input: SessionInput, options: SessionOptions): Step {
  if (state.name === 'done' || state.name === 'failed') return { state, effects: [] };
  if (input.type === 'start') return signOn(options);
  if (input.type === 'timeout') return timedOut(state);
  if (input.type === 'frame') {
    if (state.name !== 'readout') return { state, effects: [] };
    return input.reason ? failed(input.reason) : { state: { name: 'done' }, effects: [] };
  }
  if (state.name === 'signOn') return identification(joined(state.held, input.bytes), options);
  if (state.name === 'readout') {
    const effects: SessionEffect[] = [
      { do: 'decode', bytes: input.bytes },
      { do: 'await', ms: GAP_MS + PATIENCE_MS },
    ];
    return { state: { ...state, anything: true }, effects };
  }
  return { state, effects: [] };
}

function signOn({ address }: SessionOptions): Step {
  const request = Buffer.from(`/?${address}!\r\n`, 'latin1');
  const effects: SessionEffect[] = [
    { do: 'configure', line: SIGN_ON },
    { do: 'send', bytes: request },
    { do: 'await', ms: REACTION_MAX_MS + PATIENCE_MS },
  ];
  return { state: { name: 'signOn', held: new Uint8Array(0) }, effects };
}

function timedOut(state: SessionState): Step {
  if (state.name === 'signOn') {
    const partial = state.held.length > 0;
    return failed(
      fault(
        partial ? 'CUT_FRAME' : 'TIMEOUT',
        partial ? 'the identification is incomplete' : 'the meter does not answer',
      ),
    );
  }
  return failed(fault('TIMEOUT', 'the readout does not come, or stopped in the middle'));
}

/** Parity comes along where the line was opened as 8N1: the dialogue reads seven bits. */
const sevenBits = (bytes: Uint8Array): string => ascii(Uint8Array.from(bytes, (b) => b & 0x7f));

function identification(held: Uint8Array, options: SessionOptions): Step {
  if (held.length > 512) return failed(fault('BAD_FRAME', 'no identification in what the meter sends'));
  const text = sevenBits(held);
  // An echo of the request (`/?…!`) comes first from some optical heads.
  const m = /\/([A-Za-z]{3})([\x20-\x7e])([\x20-\x7e]*)\r?\n/.exec(text.replace(/\/\?[^!]*!\r?\n/, ''));
  if (!m) return { state: { name: 'signOn', held }, effects: [{ do: 'await', ms: GAP_MS + PATIENCE_MS }] };
  const [line = '', manufacturer = '', z = ''] = m;
  const rest = held.slice(text.lastIndexOf(line) + line.length);
  const decodeHead: SessionEffect = { do: 'decode', bytes: Buffer.from(line, 'latin1') };
  const quick = /[a-z]$/.test(manufacturer);
  const index = BAUDS_C.findIndex((_, i) => String(i) === z);
  if (index >= 0) return selectOption(index, quick, decodeHead, options);
  const baudB = { A: 600, B: 1200, C: 2400, D: 4800, E: 9600, F: 19200 }[z] ?? 300;
  const effects: SessionEffect[] = [decodeHead];
  if (baudB !== 300 && options.canChangeSpeed)
    effects.push({ do: 'configure', line: { ...SIGN_ON, baudRate: baudB } });
  if (rest.length > 0) effects.push({ do: 'decode', bytes: rest });
  return {
    state: { name: 'readout', anything: rest.length > 0, baudRate: baudB },
    effects: [...effects, { do: 'await', ms: REACTION_MAX_MS + PATIENCE_MS }],
  };
}

/** Mode C: `ACK 0 Z 0` at 300 baud, then both change (6.4.3). */
function selectOption(
  index: number,
  quick: boolean,
  decodeHead: SessionEffect,
  options: SessionOptions,
): Step {
  const chosen = options.canChangeSpeed && !options.stayAt300 ? index : 0;
  const baudRate = BAUDS_C[chosen] ?? 300;
  const acknowledge = Uint8Array.from([ACK, 0x30, 0x30 + chosen, 0x30, 0x0d, 0x0a]);
  const effects: SessionEffect[] = [
    decodeHead,
    { do: 'pause', ms: quick ? 20 : REACTION_MIN_MS },
    { do: 'send', bytes: acknowledge },
    ...(chosen > 0 ? [{ do: 'configure' as const, line: { ...SIGN_ON, baudRate } }] : []),
    { do: 'await', ms: REACTION_MAX_MS + PATIENCE_MS },
  ];
  return { state: { name: 'readout', anything: false, baudRate }, effects };
}
