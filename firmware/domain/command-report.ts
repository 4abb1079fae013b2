/** What became of a limit: kept for whoever set it (BK6-22-300 annex 1, 4.4), and told to the operator. */
import type { ActiveLimit } from './image.ts';
import type { WallMs } from './time.ts';

export type ShortfallReason =
  /** What cannot be steered draws more than the limit by itself. */
  | 'HOUSEHOLD_LOAD'
  /** A device that could give way does not answer. */
  | 'DEVICE_LOST'
  /** It should be met by now, and the meter shows that it is not. */
  | 'DEVICE_DISOBEYS'
  /** A device has nothing lower on its menu. */
  | 'DEVICE_MINIMUM'
  /** Production that cannot be turned down. */
  | 'UNSTEERED_PRODUCTION'
  /** The meter is silent: nobody knows whether the limit is met. */
  | 'METER_SILENT'
  /** It is heard, and marks its power as doubtful: nobody knows either. */
  | 'METER_DOUBTFUL';

export interface Shortfall {
  /** Above the limit; null is unknown. */
  readonly excess_W: number | null;
  readonly reason: ShortfallReason;
}

export interface CommandReport {
  /** `BEGUN`: it is obeyed from now on. `REACHED`: what is drawn is under it. `EXCEEDED`: it cannot be met. */
  readonly state: 'BEGUN' | 'REACHED' | 'EXCEEDED' | 'OVER';
  readonly atMs: WallMs;
  readonly signalId: string;
  readonly source: string;
  readonly direction: ActiveLimit['direction'];
  readonly scope: ActiveLimit['scope'];
  readonly limit_W: number;
  /** What the operator must leave to the controllable devices under § 14a; null where that does not apply. */
  readonly guaranteed_W: number | null;
  /** When the signal was received and when it was first met; null is not (yet) known. */
  readonly receivedMs: WallMs | null;
  readonly reachedMs: WallMs | null;
  /** Measured: of what counts under the limit, never negative. */
  readonly power_W: number | null;
  readonly shortfall: Shortfall | null;
}
