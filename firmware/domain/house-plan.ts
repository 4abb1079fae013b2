/** The plan of the house: what each planned device is meant to do in each quarter hour, with its proof and its age. */
import type { Modes, PlannedSlot } from './mode.ts';
import type { WallMs } from './time.ts';

/** How a forecast did on the last whole day, in W; null where there is no such day yet. */
export interface ForecastQuality {
  /** What it was made from: `history`, `clear-sky`, `latest` (nothing but the last value) or `none`. */
  readonly source: 'history' | 'clear-sky' | 'latest' | 'none';
  readonly meanError_W: number | null;
  readonly bias_W: number | null;
}

export interface HousePlan {
  readonly madeMs: WallMs;
  /** Prices are known until then; after it the plan says nothing. */
  readonly untilMs: WallMs;
  readonly modes: Modes;
  /** What was planned in means, slot by slot, for who wants to see it; absent: only the modes are known. */
  readonly means?: readonly PlannedSlot[];
  readonly certificate: {
    /** In the site's currency, and what no plan can beat; null when nothing is proven. */
    readonly cost: number;
    readonly bound: number | null;
    readonly gap: number | null;
    readonly source: 'solver' | 'stand-in' | 'last plan';
  };
  readonly quality: { readonly load: ForecastQuality; readonly solar: ForecastQuality };
}

/** A plan older than this, counted on the wall clock, is not followed any more. */
export const PLAN_VALID_MS = 2 * 3_600_000;
