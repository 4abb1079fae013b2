/**
 * What comes from the grid side. Informational signals may be acted on; commandable ones must be obeyed until
 * they end. Powers in W at the site connection, import positive.
 */
import type { Fault } from './errors.ts';
import type { WallMs } from './time.ts';

export type SignalKind =
  | 'importPrice'
  | 'exportPrice'
  | 'co2'
  /** What this home's roof is expected to give (W, positive), and the outdoor temperature (°C). */
  | 'solarForecast'
  | 'temperatureForecast'
  | 'importLimit'
  | 'exportLimit'
  /** What the site shall draw: not above it, and where devices want energy anyway, not below. */
  | 'setPoint'
  | 'alert';

/** `site`: everything behind the meter. `controllable`: only devices that are steerable (§ 14a EnWG). */
export type LimitScope = 'site' | 'controllable';

/** What a relative reduction is measured against. `mean15min` is the mean import of the 15 minutes before receipt. */
export type BaselineName = 'contracted' | 'nominal' | 'mean15min';

/**
 * Kept with what was made of it: a reduction is measured once, when the event is first heard of, and never again. What
 * a newer version of the event asks for counts from here: the mean since then is what was left after the reduction.
 */
export interface Baseline {
  readonly name: BaselineName;
  /** What was agreed on, where it was not known and `name` stood in for it. */
  readonly agreed?: BaselineName;
  readonly value_W: number;
  /** As it was asked for: `-30 %`, `-1500 W`, `level 2`. */
  readonly asked: string;
}

/** How loads come back when a limit ends, so that a street does not rebound at once. */
export interface Restore {
  /** The limit holds for so long after its end: drawn once, for this home and this signal. */
  readonly delayMs: number;
  /** Then it rises to the connection's rating over this time. */
  readonly rampMs: number;
}

/**
 * One value over one stretch of time, half-open [fromMs, untilMs). For a limit, null says "no limit" and 0 says
 * "0 W": they are different, all the way down. Prices in currency per Wh, CO2 in g per Wh.
 */
export interface SignalInterval {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  readonly value: number | null;
}

export interface Signal {
  /** Stable across changes of the same signal: source and the sender's id. */
  readonly id: string;
  /** Who sent it, by the name given at commissioning. Shown to the owner. */
  readonly source: string;
  readonly kind: SignalKind;
  readonly binding: 'informational' | 'commandable';
  readonly scope: LimitScope;
  /** Lower wins, 0 highest; absent at the sender becomes the lowest. */
  readonly priority: number;
  /** The sender's time of the last change; a message that is not newer changes nothing. */
  readonly modifiedMs: WallMs;
  readonly receivedMs: WallMs;
  /** Currency (ISO 4217) for prices, null otherwise. */
  readonly currency: string | null;
  /** Text of an alert, for people. */
  readonly text: string | null;
  readonly intervals: readonly SignalInterval[];
  /** Of the message's content: tells a repetition from a change where the sender gives no time of change. */
  readonly digest?: string;
  /** It was withdrawn then; it is remembered, so that an old message cannot bring it back. */
  readonly cancelledMs?: WallMs;
  /** What was in force when the wall clock jumped: it holds for the time that it had left, beside `intervals`. */
  readonly held?: SignalInterval;
  /** Digests of the versions and withdrawals before this one, so that none of them counts a second time. */
  readonly seen?: readonly string[];
  readonly baseline?: Baseline;
  readonly restore?: Restore;
}

/** Lowest priority: what an absent `priority` means here (as in openleadr-rs; OpenADR leaves it open). */
export const LOWEST_PRIORITY = 1_000_000;

/** What a dialect makes of one message: signals to keep, and ids of events that are cancelled. */
export interface SignalChange {
  readonly keep: readonly Signal[];
  /** A signal's id is that of its event with its kind behind it. `modifiedMs` null: the message does not say. */
  readonly cancel: readonly Cancellation[];
  /** What is unknown in a signal that is kept, because what was said of it is no value. */
  readonly gaps?: readonly { readonly id: string; readonly reason: Fault }[];
}

export interface Cancellation {
  readonly event: string;
  readonly modifiedMs: WallMs | null;
  /** Of the message's content. */
  readonly digest?: string;
}

/** It must be obeyed, and says how much may flow. */
export const isCommand = ({ binding, kind }: Pick<Signal, 'binding' | 'kind'>): boolean =>
  binding === 'commandable' && isLimiting(kind);

/** It says how much may flow; whether it must be obeyed was agreed elsewhere. */
export const isLimiting = (kind: SignalKind): boolean =>
  ['importLimit', 'exportLimit', 'setPoint'].includes(kind);

/** The event that a signal is part of: one message may carry several kinds. */
export const eventOf = (signalId: string): string => signalId.slice(0, signalId.lastIndexOf('/'));
