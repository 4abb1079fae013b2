/**
 * Receives the readout that follows a sign-on, asks for it again when its check fails, and says so when the meter
 * speaks at another speed than was agreed.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { joined, NOTHING } from '../bytes.ts';
import type { Exchange, ExchangeEffect, ExchangeInput, Step } from '../exchange.ts';
import { ReadoutDecoder, type ReadoutFrame } from './decoder.ts';
import { ACK, ETX, NAK, STX, sevenBits, TIMES } from './messages.ts';
import type { SignedOn } from './sign-on.ts';

export type ReadoutState =
  | ({ readonly name: 'receiving' } & Receiving)
  /** Unreadable: wait until the meter has said it all, so that it hears the next sign-on. */
  | { readonly name: 'draining'; readonly reason: Fault; readonly bytes: number }
  | { readonly name: 'done'; readonly frame: ReadoutFrame }
  | { readonly name: 'failed'; readonly reason: Fault };

interface Receiving {
  readonly held: Uint8Array;
  /** How often it was asked for again, and why. */
  readonly asked: number;
  readonly because: Fault | null;
}

/** So much without STX is no readout: an echo of the acknowledgement and some noise are shorter. */
const HEAD_BYTES = 48;
const FIRST: ExchangeEffect = { do: 'await', ms: TIMES.reactionMaxMs + TIMES.patienceMs };
const NEXT: ExchangeEffect = { do: 'await', ms: TIMES.gapMs + TIMES.patienceMs };

export function receiveReadout(signed: SignedOn): Exchange<ReadoutState> {
  const fresh: Receiving = { held: NOTHING, asked: 0, because: null };
  return {
    start: () =>
      signed.rest.length > 0
        ? receive(fresh, signed.rest, signed)
        : { state: { ...fresh, name: 'receiving' }, effects: [FIRST] },
    step(state, input: ExchangeInput) {
      if (state.name === 'draining')
        return input.type === 'timeout' || state.bytes > LIMITS.iecReadout_bytes
          ? fail(state.reason)
          : drain(state.reason, state.bytes + input.bytes.length);
      if (state.name !== 'receiving') return { state, effects: [] };
      return input.type === 'timeout' ? silence(state, signed) : receive(state, input.bytes, signed);
    },
    over: (state) => state.name === 'done' || state.name === 'failed',
  };
}

const fail = (reason: Fault): Step<ReadoutState> => ({ state: { name: 'failed', reason }, effects: [] });
const drain = (reason: Fault, bytes: number): Step<ReadoutState> => ({
  state: { name: 'draining', reason, bytes },
  effects: [{ do: 'await', ms: TIMES.gapMs }],
});

function receive(state: Receiving, bytes: Uint8Array, signed: SignedOn): Step<ReadoutState> {
  const held = joined(state.held, sevenBits(bytes));
  if (isGarbage(held)) return drain(wrongSpeed(signed), held.length);
  if (held.length > LIMITS.iecReadout_bytes) return fail(fault('OVERSIZED', 'a readout longer than 64 KiB'));
  const end = endOf(held);
  if (end < 0) return { state: { ...state, name: 'receiving', held }, effects: [NEXT] };
  const read = decode(signed.identification.line, held.subarray(0, end));
  return 'text' in read ? { state: { name: 'done', frame: read }, effects: [] } : repeat(state, read, signed);
}

/** NAK: the meter sends its readout again (6.3.11), where it knows that. */
function repeat(state: Receiving, because: Fault, { identification }: SignedOn): Step<ReadoutState> {
  if (state.asked >= LIMITS.iecRepeats) return fail(because);
  return {
    state: { name: 'receiving', held: NOTHING, asked: state.asked + 1, because },
    effects: [
      { do: 'pause', ms: identification.reactionMinMs },
      { do: 'send', bytes: Uint8Array.of(NAK) },
      FIRST,
    ],
  };
}

function silence({ held, asked, because }: Receiving, signed: SignedOn): Step<ReadoutState> {
  if (start(held) >= 0)
    return repeat({ held, asked, because }, fault('CUT_FRAME', 'the readout stopped in the middle'), signed);
  // The meter has no ear for repeat requests: what was wrong with the first one is the reason.
  if (because) return fail(because);
  return fail(isEcho(held) ? fault('TIMEOUT', 'no readout after the acknowledgement') : wrongSpeed(signed));
}

const wrongSpeed = ({ line, identification }: SignedOn): Fault =>
  fault(
    'WRONG_SPEED',
    `what follows is unreadable at ${line.baudRate} baud: the meter offers ${identification.baudRate} and keeps to another speed`,
  );

const start = (held: Uint8Array): number => held.indexOf(STX);
/** Nothing, idle noise, or our own acknowledgement from a head that echoes. */
const isEcho = (held: Uint8Array): boolean =>
  held.every((b) => b === 0x7f) || (held[0] === ACK && held.length <= 6);

/** Text at the wrong speed: no start where one must be, or control characters all through what should be lines. */
function isGarbage(held: Uint8Array): boolean {
  if (held.length <= HEAD_BYTES) return false;
  const head = held.subarray(0, 4 * HEAD_BYTES);
  const controls = head.filter((b) => (b < 0x20 && b !== 0x0d && b !== 0x0a) || b === 0x7f).length;
  return start(head) < 0 || controls * 8 > head.length;
}

/** Behind the BCC of a whole readout, −1 while it is not whole. */
function endOf(held: Uint8Array): number {
  const from = start(held);
  const etx = from < 0 ? -1 : held.indexOf(ETX, from);
  return etx >= 0 && etx + 1 < held.length ? etx + 2 : -1;
}

function decode(head: string, bytes: Uint8Array): ReadoutFrame | Fault {
  const decoder = new ReadoutDecoder({ parity: 'none', bccRequired: true });
  const input = joined(Buffer.from(`${head}\r\n`, 'latin1'), bytes);
  for (const decoded of decoder.push(input)) return decoded.ok ? decoded.frame : decoded.error;
  return fault('BAD_FRAME', 'no readout between STX and BCC');
}
