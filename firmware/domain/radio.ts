/** What a radio receiver hears besides the readings of the configured meters: for the installer, in memory only. */
import type { Fault, Result } from './errors.ts';
import type { MeterIdentity, Reading } from './telegram.ts';
import type { WallMs } from './time.ts';

/** A meter on the air that nobody configured, or whose telegrams its key does not open. */
export interface HeardMeter extends MeterIdentity {
  /** It is in the configuration, with no key or a wrong one. */
  readonly configured: boolean;
  readonly telegrams: number;
  readonly lastMs: WallMs;
  readonly signal_dBm: number | null;
  /** Why its last telegram was not read; null when it can be read without a key. */
  readonly refused: Fault | null;
  /** Encrypted telegrams that a key can be tried on. */
  readonly kept: number;
}

/** What a key made of the kept telegrams of a meter. */
export interface KeyTrial {
  readonly tried: number;
  readonly opened: number;
  /** Why the newest was not read with it; null when it was. */
  readonly refused: Fault | null;
  /** Of the newest that it opened, so that they can be compared with the meter's display. */
  readonly readings: readonly Reading[];
}

export interface RadioEar {
  /** The last heard first. */
  heard(): readonly HeardMeter[];
  /** `meter` as `KAM 12345678`; NOT_FOUND when it was not heard, NO_TELEGRAM when it sends nothing encrypted. */
  tryKey(meter: string, key: Uint8Array): Result<KeyTrial>;
}
