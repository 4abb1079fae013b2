/**
 * Programming mode (6.3.4 ff., 6.5): password, register and profile reads, partial blocks, break. The name is the
 * standard's: nothing here can write to a meter.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { joined, NOTHING } from '../bytes.ts';
import type { Exchange, ExchangeEffect, ExchangeInput, Step } from '../exchange.ts';
import { type Block, cutBlock, startOf } from './block.ts';
import { ACK, BREAK, command, NAK, sevenBits, TIMES } from './messages.ts';

/** P1 sends the password itself; P2 one that the meter's maker computes from the operand. Null sends none. */
export type Password =
  | { readonly kind: 'P1'; readonly text: string }
  | { readonly kind: 'P2'; readonly answer: (operand: string) => string };

export interface Read {
  /** R1 ASCII, R2 formatted, R3 and R4 the same in partial blocks, R5 and R6 national (load profiles). */
  readonly name: 'R1' | 'R2' | 'R3' | 'R4' | 'R5' | 'R6';
  /** `1.8.0`, `P.01`; as the meter knows it. */
  readonly address: string;
  /** What stands in the brackets: a count, a range of time. */
  readonly argument: string;
}

export interface Answer {
  readonly read: Read;
  /** The text between STX and ETX, partial blocks joined; null when the meter refuses this one. */
  readonly data: string | null;
  /** `(ERRnn)` as sent. */
  readonly refusal: string | null;
}

interface ProgrammingOptions {
  readonly password: Password | null;
  readonly reads: readonly Read[];
  /** Of the manufacturer, from the identification. */
  readonly reactionMinMs: number;
}

interface Talk {
  readonly held: Uint8Array;
  readonly sent: Uint8Array;
  /** How often this message was repeated, by either side. */
  readonly repeats: number;
  readonly answers: readonly Answer[];
  /** Partial blocks of the read under way. */
  readonly parts: string;
}

type ProgrammingState =
  | ({ readonly name: 'operand' } & Talk)
  | ({ readonly name: 'password' } & Talk)
  | ({ readonly name: 'reading' } & Talk)
  | { readonly name: 'done'; readonly answers: readonly Answer[] }
  /** What was read before the failure is kept: a profile goes on from there. */
  | { readonly name: 'failed'; readonly reason: Fault; readonly answers: readonly Answer[] };

type Open = Extract<ProgrammingState, Talk>;

const ANSWER_MS = TIMES.reactionMaxMs + TIMES.patienceMs;
/** A profile is gathered from the meter's memory first; readers in the field grant it ten seconds. */
const PROFILE_ANSWER_MS = 10_000;

export function programming(options: ProgrammingOptions): Exchange<ProgrammingState> {
  const talk: Talk = { held: NOTHING, sent: NOTHING, repeats: 0, answers: [], parts: '' };
  return {
    start: () => ({ state: { ...talk, name: 'operand' }, effects: [{ do: 'await', ms: ANSWER_MS }] }),
    step(state, input) {
      if (state.name === 'done' || state.name === 'failed') return { state, effects: [] };
      return input.type === 'timeout' ? silence(state, options) : heard(state, input, options);
    },
    over: (state) => state.name === 'done' || state.name === 'failed',
  };
}

function heard(
  state: Open,
  { bytes }: Extract<ExchangeInput, { type: 'bytes' }>,
  options: ProgrammingOptions,
): Step<ProgrammingState> {
  let held = joined(state.held, sevenBits(bytes));
  if (held.length + state.parts.length > LIMITS.iecProfile_bytes)
    return fail(state, fault('OVERSIZED', 'an answer longer than 256 KiB'));
  for (;;) {
    held = held.subarray(startOf(held));
    if (held.length === 0) return { state: { ...state, held: NOTHING }, effects: [] };
    const cut = cutBlock(held);
    if (!cut)
      return { state: { ...state, held }, effects: [{ do: 'await', ms: TIMES.gapMs + TIMES.patienceMs }] };
    held = held.subarray(cut.end);
    const next = take({ ...state, held }, cut.block, options);
    // An echo or a stray character was taken: go on with what is behind it, and with the time that was left.
    if (next.effects.length > 0 || isOver(next.state)) return next;
  }
}

const isOver = (state: ProgrammingState): state is Exclude<ProgrammingState, Open> =>
  state.name === 'done' || state.name === 'failed';

function take(state: Open, block: Block, options: ProgrammingOptions): Step<ProgrammingState> {
  if (block.kind === 'damaged') return askAgain(state, block.reason, options);
  if (block.kind === 'nak') return state.sent.length > 0 ? resend(state, options) : { state, effects: [] };
  if (block.kind === 'command' && block.name === 'B0')
    return fail(state, fault('REFUSED', 'the meter ends the session'));
  if (state.name === 'operand')
    return block.kind === 'command' ? operand(state, block, options) : idle(state);
  if (state.name === 'password') return admitted(state, block, options);
  return block.kind === 'data' ? data(state, block, options) : idle(state);
}

/** Echoes of our own commands and acknowledgements come back from some heads. */
const idle = (state: Open): Step<ProgrammingState> => ({ state, effects: [] });

/** P0 with the operand. Without a password the meter is asked straight away: many open their reads to anyone. */
function operand(
  state: Open,
  { name, data: text }: Extract<Block, { kind: 'command' }>,
  options: ProgrammingOptions,
): Step<ProgrammingState> {
  if (name !== 'P0') return idle(state);
  const { password } = options;
  if (!password) return nextRead(state, options);
  const seed = /\(([^)]*)\)/.exec(text)?.[1] ?? '';
  const reply = password.kind === 'P1' ? password.text : password.answer(seed);
  return send({ ...state, name: 'password' }, command(password.kind, `(${reply})`), options, ANSWER_MS);
}

function admitted(state: Open, block: Block, options: ProgrammingOptions): Step<ProgrammingState> {
  if (block.kind === 'ack') return nextRead(state, options);
  if (block.kind === 'data')
    return fail(state, fault('NOT_ALLOWED', `the meter refuses the password ${block.data.slice(0, 20)}`));
  return idle(state);
}

function data(
  state: Open,
  block: Extract<Block, { kind: 'data' }>,
  options: ProgrammingOptions,
): Step<ProgrammingState> {
  const parts = state.parts + block.data;
  if (!block.last)
    return {
      state: { ...state, parts, repeats: 0 },
      effects: [
        { do: 'pause', ms: options.reactionMinMs },
        { do: 'send', bytes: Uint8Array.of(ACK) },
        { do: 'await', ms: ANSWER_MS },
      ],
    };
  const read = options.reads[state.answers.length];
  if (!read) return fail(state, fault('WRONG_ANSWER', 'an answer that was not asked for'));
  const refusal = /^\s*\((ER[^)]*)\)\s*$/.exec(parts)?.[1] ?? null;
  const answer: Answer = { read, data: refusal === null ? parts : null, refusal };
  return nextRead({ ...state, answers: [...state.answers, answer], parts: '' }, options);
}

function nextRead(state: Open, options: ProgrammingOptions): Step<ProgrammingState> {
  const read = options.reads[state.answers.length];
  if (!read)
    return {
      state: { name: 'done', answers: state.answers },
      effects: [
        { do: 'pause', ms: options.reactionMinMs },
        { do: 'send', bytes: BREAK },
      ],
    };
  const bytes = command(read.name, `${read.address}(${read.argument})`);
  return send({ ...state, name: 'reading', parts: '' }, bytes, options, patience(read));
}

const patience = (read: Read | undefined): number =>
  read && read.name >= 'R5' ? PROFILE_ANSWER_MS : ANSWER_MS;

function send(
  state: Open,
  bytes: Uint8Array,
  options: ProgrammingOptions,
  ms: number,
): Step<ProgrammingState> {
  const effects: ExchangeEffect[] = [
    { do: 'pause', ms: options.reactionMinMs },
    { do: 'send', bytes },
    { do: 'await', ms },
  ];
  return { state: { ...state, sent: bytes, held: NOTHING, repeats: 0 }, effects };
}

/** The meter did not understand, or said nothing at all: the same once more, so many times. */
function resend(state: Open, options: ProgrammingOptions): Step<ProgrammingState> {
  if (state.repeats >= LIMITS.iecRepeats)
    return fail(state, fault('REFUSED', 'the meter keeps asking for a repetition (NAK)'));
  const ms = state.name === 'reading' ? patience(options.reads[state.answers.length]) : ANSWER_MS;
  const step = send(state, state.sent, options, ms);
  return { ...step, state: { ...state, held: NOTHING, repeats: state.repeats + 1 } };
}

/** What came is damaged: NAK, so many times. */
function askAgain(state: Open, reason: Fault, options: ProgrammingOptions): Step<ProgrammingState> {
  if (state.repeats >= LIMITS.iecRepeats) return fail(state, reason);
  return {
    state: { ...state, held: NOTHING, repeats: state.repeats + 1 },
    effects: [
      { do: 'pause', ms: options.reactionMinMs },
      { do: 'send', bytes: Uint8Array.of(NAK) },
      { do: 'await', ms: ANSWER_MS },
    ],
  };
}

function silence(state: Open, options: ProgrammingOptions): Step<ProgrammingState> {
  if (state.held.length > 0)
    return askAgain(state, fault('CUT_FRAME', 'an answer stopped in the middle'), options);
  if (state.name === 'operand' || state.repeats >= LIMITS.iecRepeats)
    return fail(state, fault('TIMEOUT', 'the meter does not answer in programming mode'));
  return state.parts === '' ? resend(state, options) : askAgain(state, fault('TIMEOUT'), options);
}

/** However it ends, the break leaves the meter's port free. */
function fail(state: Open, reason: Fault): Step<ProgrammingState> {
  return {
    state: { name: 'failed', reason, answers: state.answers },
    effects: [{ do: 'send', bytes: BREAK }],
  };
}
