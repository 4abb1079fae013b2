/**
 * What comes from the grid side. Informational signals may be acted on; commandable ones must be obeyed until
 * they end. Powers in W at the site connection, import positive.
 */
import type { WallMs } from './time.ts';

export type SignalKind = 'importPrice' | 'exportPrice' | 'co2' | 'importLimit' | 'exportLimit' | 'alert';

/** `site`: everything behind the meter. `controllable`: only devices that are steerable (§ 14a EnWG). */
export type LimitScope = 'site' | 'controllable';

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
}

/** Lowest priority: what an absent `priority` means here (as in openleadr-rs; OpenADR leaves it open). */
export const LOWEST_PRIORITY = 1_000_000;

/** What a dialect makes of one message: signals to keep, and ids of signals that are cancelled. */
export interface SignalChange {
  readonly keep: readonly Signal[];
  readonly cancel: readonly string[];
}
