/** The plan of the house: what each planned device is meant to do in each quarter hour, with its proof and its age. */
import type { WallMs } from './time.ts';

/**
 * What a device is told for a slot instead of bare watts; a fast loop on measured power carries it out.
 * `OFF`: not now. `SURPLUS`: only what would otherwise be exported. `UP_TO`: at most `power_W`. `RUN`: on.
 */
export type FollowerMode = 'OFF' | 'SURPLUS' | 'UP_TO' | 'RUN';

export interface HousePlanSlot {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  readonly mode: FollowerMode;
  /** Mean power that the plan counts on. */
  readonly power_W: number;
}

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
  readonly devices: ReadonlyMap<string, readonly HousePlanSlot[]>;
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

/** The slot of a device that holds `atMs`; null when the plan says nothing about it, or is too old `nowMs`. */
export function slotAt(
  plan: HousePlan | null | undefined,
  device: string,
  atMs: WallMs,
  nowMs: WallMs = atMs,
): HousePlanSlot | null {
  if (!plan || Math.abs(nowMs - plan.madeMs) > PLAN_VALID_MS) return null;
  return plan.devices.get(device)?.find((s) => s.fromMs <= atMs && atMs < s.untilMs) ?? null;
}
