/** A load profile as every protocol gives it: sections of rows, a row for each period, a value for each channel. */
import type { Season } from '../domain/meter-time.ts';
import type { Quality } from '../domain/telegram.ts';
import type { WallMs } from '../domain/time.ts';

export interface ProfileChannel {
  /** `1.5`, `1-1:1.29.0`; as transmitted. */
  readonly code: string;
  readonly unit: string;
}

export interface ProfileRow {
  /** The end of the period. */
  readonly endMs: WallMs;
  readonly quality: Quality;
  /** One for each channel, digits as transmitted; null where the meter has none. */
  readonly values: readonly (string | null)[];
}

/** What stands between two headers. */
export interface ProfileSection {
  readonly startMs: WallMs;
  readonly season: Season;
  /** The meter's status word, raw. */
  readonly status: number;
  readonly periodMs: number;
  readonly channels: readonly ProfileChannel[];
  readonly rows: readonly ProfileRow[];
}
