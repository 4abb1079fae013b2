/**
 * What a plan hands out for a slot: not bare watts, but what a device is to do, so that a fast loop on measured power
 * keeps the sense of the plan when the minute is not what the quarter hour's mean was. Powers in W, consumption positive.
 */
import type { WallMs } from './time.ts';

export type Mode =
  /** Keeps the connection at 0, as far as it may charge and discharge; no bound where none is given. */
  | { readonly kind: 'selfConsume'; readonly chargeUpTo_W?: number; readonly dischargeUpTo_W?: number }
  | { readonly kind: 'hold' }
  /** Takes so much, wherever it comes from. */
  | { readonly kind: 'charge'; readonly upTo_W: number }
  /** Gives so much, whoever takes it. */
  | { readonly kind: 'discharge'; readonly target_W: number }
  /** Keeps the connection at this power; what produces gives no more than that leaves. */
  | { readonly kind: 'gridTarget'; readonly grid_W: number }
  /** Takes what would otherwise be fed in, in the steps of its menu. */
  | { readonly kind: 'surplus' }
  | { readonly kind: 'run'; readonly upTo_W: number }
  | { readonly kind: 'off' }
  /** `upTo_W` where its menu leaves more than levels open. */
  | { readonly kind: 'heat'; readonly level: HeatLevel; readonly upTo_W?: number }
  /** Produces no more than this (a positive number). */
  | { readonly kind: 'produce'; readonly upTo_W: number };

/** `boost` may heat beyond the comfort band, up to the most that the store bears. */
export type HeatLevel = 'off' | 'reduced' | 'normal' | 'boost';

/** Half-open [fromMs, untilMs). */
export interface ModeSlot {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  readonly mode: Mode;
  /**
   * Import above it is billed as a peak: a battery keeps the connection there as far as it can, whatever its mode, and a
   * load that can wait gives way.
   */
  readonly importUpTo_W?: number;
  /** In the site's currency, by the plan: what it costs more to run now where it waits, and to wait where it runs. */
  readonly startingNowCosts?: number | null;
  readonly waitingCosts?: number | null;
}

/** By device, in order of time. */
export type Modes = Readonly<Record<string, readonly ModeSlot[]>>;

/** One slot of a plan in means, as a planner has it. */
export interface PlannedSlot {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  /** Planned at the connection, import positive. */
  readonly grid_W: number;
  readonly devices: Readonly<Record<string, PlannedDevice>>;
}

export interface PlannedDevice {
  readonly is: 'battery' | 'car' | 'heat' | 'load' | 'solar';
  /** Consumption positive, production and discharge negative. */
  readonly power_W: number;
  /** The most it could take in this slot (of solar: give, as a positive number). */
  readonly most_W: number;
  /** Of heat: the running powers on its menu, ascending; absent: any between the least and the most will do. */
  readonly levels_W?: readonly number[];
  /** Of heat: meant to end above the comfort band. */
  readonly isBeyondBand?: boolean;
}
