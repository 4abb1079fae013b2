/** The plan of the house: what each planned device is meant to do in each slot, with its proof and its age. */
import type { Modes } from './mode.ts';
import type { WallMs } from './time.ts';

/** What a forecast was made from: `supplied` by somebody else, or `latest`: nothing but the last value. */
export type ForecastSource = 'supplied' | 'history' | 'clear-sky' | 'latest' | 'none';

/** How a forecast did on the last whole day, in W; null where there is no such day yet, or none was kept. */
export interface ForecastQuality {
  readonly source: ForecastSource;
  readonly meanError_W: number | null;
  readonly bias_W: number | null;
}

export interface TemperatureQuality {
  readonly source: ForecastSource;
  readonly meanError_C: number | null;
  readonly bias_C: number | null;
}

export interface HousePlan {
  readonly madeMs: WallMs;
  /** Prices are known until then; after it the plan says nothing. */
  readonly untilMs: WallMs;
  readonly modes: Modes;
  /** What the home pays until then (less than 0: earns), in the site's currency: energy, and a peak that it adds. */
  readonly bill: number;
  readonly certificate: {
    /**
     * What the plan is judged by, in the site's currency: the bill, wear, comfort, carbon by its weight, and what stores
     * hold at the end; and what no plan can beat, null when nothing is proven.
     */
    readonly cost: number;
    readonly bound: number | null;
    readonly gap: number | null;
    readonly source: 'solver' | 'stand-in' | 'last plan';
  };
  /** Outdoor temperature and hot water are null or absent where no plan needs them. */
  readonly quality: {
    readonly load: ForecastQuality;
    readonly solar: ForecastQuality;
    readonly temperature?: TemperatureQuality | null;
    readonly hotWater?: ForecastQuality | null;
  };
  /** By store, at each of `courseMs`: fill of a battery (0 to 1), °C of heat. */
  readonly course?: Readonly<Record<string, readonly number[]>>;
  /** When slots begin and, last of all, when they end. */
  readonly courseMs?: readonly WallMs[];
}

/** A plan older than this, counted on the wall clock, is not followed any more. */
export const PLAN_VALID_MS = 2 * 3_600_000;
