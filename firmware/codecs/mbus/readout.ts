/**
 * The readout of one meter as a pure machine: link reset or selection, application reset where wanted, one telegram
 * after the other while the meter says that more follow (DIF 1Fh), deselection. One outcome in, the next request out.
 */
import { type Fault, fault } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Telegram } from '../../domain/telegram.ts';
import { addressIn } from './address-in.ts';
import type { Outcome, Request } from './exchange.ts';
import { readWired } from './kind.ts';
import type { LongFrame } from './link.ts';
import { ADDRESS, applicationReset, reqUd2, select, sndNke } from './requests.ts';
import { fits, maskText, type SecondaryMask } from './secondary.ts';

export interface ReadoutOptions {
  readonly target: { readonly primary: number } | { readonly secondary: SecondaryMask };
  /** Sent before the readout: null for none, else the subcode, or `plain` for one without subcode. */
  readonly applicationReset: number | 'plain' | null;
  readonly key: Uint8Array | null;
}

export type ReadoutState =
  | { readonly name: 'idle' }
  | { readonly name: 'addressing'; readonly attempt: number }
  | { readonly name: 'resetting' }
  | { readonly name: 'asking'; readonly fcb: boolean; readonly attempt: number; readonly got: Got }
  | { readonly name: 'deselecting'; readonly result: ReadoutResult }
  | { readonly name: 'done'; readonly result: ReadoutResult };

/** What came so far. */
interface Got {
  readonly frames: readonly LongFrame[];
  readonly telegrams: readonly Telegram[];
}

/** The telegrams in order, and why there are no more; null when the meter had said all. */
export interface ReadoutResult extends Got {
  readonly reason: Fault | null;
}

export interface ReadoutStep {
  readonly state: ReadoutState;
  /** Null when it is over. */
  readonly request: Request | null;
}

const ATTEMPTS = 3;
/** A selection that reaches another meter is repeated once. */
const SELECTIONS = 2;
const NONE: Got = { frames: [], telegrams: [] };

export const newReadout = (): ReadoutState => ({ name: 'idle' });

export function step(state: ReadoutState, outcome: Outcome | null, options: ReadoutOptions): ReadoutStep {
  switch (state.name) {
    case 'idle':
      return address(1, options);
    case 'addressing':
      return addressed(state.attempt, outcome, options);
    case 'resetting':
      return ask(true, 1, NONE, options);
    case 'asking':
      return asked(state, outcome, options);
    case 'deselecting':
      return { state: { name: 'done', result: state.result }, request: null };
    case 'done':
      return { state, request: null };
  }
}

const addressOf = ({ target }: ReadoutOptions): number =>
  'primary' in target ? target.primary : ADDRESS.selected;

function address(attempt: number, { target }: ReadoutOptions): ReadoutStep {
  const bytes = 'primary' in target ? sndNke(target.primary) : select(target.secondary);
  return {
    state: { name: 'addressing', attempt },
    request: { bytes, expect: 'ack', from: null, attempts: ATTEMPTS },
  };
}

function addressed(attempt: number, outcome: Outcome | null, options: ReadoutOptions): ReadoutStep {
  const secondary = 'secondary' in options.target;
  if (secondary && outcome?.kind === 'silent') return finish({ ...NONE, reason: silence(options) }, options);
  if (secondary && outcome?.kind === 'garbled')
    return finish(
      { ...NONE, reason: fault('WRONG_ANSWER', 'several meters answer to the address') },
      options,
    );
  // Some meters do not answer SND_NKE and do answer a request.
  const reset = options.applicationReset;
  if (reset === null) return ask(true, attempt, NONE, options);
  const bytes = applicationReset(addressOf(options), reset === 'plain' ? null : reset);
  return {
    state: { name: 'resetting' },
    request: { bytes, expect: 'ack', from: null, attempts: ATTEMPTS },
  };
}

/** The first request after a link reset or selection carries FCB 1 (EN 13757-2, 5.7.3). */
function ask(fcb: boolean, attempt: number, got: Got, options: ReadoutOptions): ReadoutStep {
  const to = addressOf(options);
  const from = to === ADDRESS.selected ? null : to;
  return {
    state: { name: 'asking', fcb, attempt, got },
    request: { bytes: reqUd2(to, fcb), expect: 'data', from, attempts: ATTEMPTS },
  };
}

function asked(
  { fcb, attempt, got }: ReadoutState & { name: 'asking' },
  outcome: Outcome | null,
  options: ReadoutOptions,
): ReadoutStep {
  if (outcome?.kind !== 'frame') return finish({ ...got, reason: refusal(outcome, options) }, options);
  const { frame } = outcome;
  if (isStranger(frame, options)) {
    if (attempt < SELECTIONS && got.frames.length === 0) return address(attempt + 1, options);
    return finish({ ...got, reason: fault('WRONG_ANSWER', 'another meter answers') }, options);
  }
  // A meter that does not know the frame count bit says the same again.
  const last = got.frames.at(-1);
  if (last && isSame(last, frame)) return finish({ ...got, reason: null }, options);
  const read = readWired(frame, options.key);
  if (!read.ok) return finish({ ...got, reason: read.error }, options);
  const more = { frames: [...got.frames, frame], telegrams: [...got.telegrams, read.value] };
  if (!hasMore(read.value)) return finish({ ...more, reason: null }, options);
  if (more.frames.length >= LIMITS.mbusTelegrams)
    return finish(
      { ...more, reason: fault('OVERSIZED', 'the meter does not stop sending telegrams') },
      options,
    );
  return ask(!fcb, attempt, more, options);
}

function refusal(outcome: Outcome | null, options: ReadoutOptions): Fault {
  if (outcome?.kind === 'garbled') return outcome.error;
  if (outcome?.kind === 'ack') return fault('NO_TELEGRAM', 'the meter acknowledges and sends no data');
  return silence(options);
}

const silence = ({ target }: ReadoutOptions): Fault =>
  fault(
    'TIMEOUT',
    `no answer from ${'primary' in target ? `address ${target.primary}` : maskText(target.secondary)}`,
  );

const isStranger = (frame: LongFrame, { target }: ReadoutOptions): boolean => {
  const address = addressIn(frame);
  return 'secondary' in target && address !== null && !fits(target.secondary, address);
};

const ACCESS_NUMBER_AT = 8;
const isSame = (a: LongFrame, b: LongFrame): boolean =>
  a.payload.length === b.payload.length &&
  a.payload.every((byte, i) => i === ACCESS_NUMBER_AT || byte === b.payload[i]);

/** DIF 1Fh: more records follow in the next telegram (EN 13757-3, 6.3.6). */
const hasMore = ({ records }: Telegram): boolean => records?.at(-1)?.function === 'more';

function finish(result: ReadoutResult, { target }: ReadoutOptions): ReadoutStep {
  if ('primary' in target) return { state: { name: 'done', result }, request: null };
  return {
    state: { name: 'deselecting', result },
    request: { bytes: sndNke(ADDRESS.selected), expect: 'ack', from: null, attempts: 1 },
  };
}
