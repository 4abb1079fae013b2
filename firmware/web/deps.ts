/** What the page and the API need of the house. Everything is a trait of `domain`; the composition root hands it in. */
import type { Result } from '../domain/errors.ts';
import type { Override, Snapshot } from '../domain/image.ts';
import type { RadioEar } from '../domain/radio.ts';
import type { Random } from '../domain/random.ts';
import type { Journal, SeriesStore, Settings, StorageHealth } from '../domain/storage.ts';
import type { Clock } from '../domain/time.ts';

export interface SiteInfo {
  /** Name of the home, shown at the top of the page. */
  readonly name: string;
  /** Id of the meter at the grid connection; today's energy and cost are read from it. Null when there is none. */
  readonly gridMeter: string | null;
  /** Host names, besides addresses and local names, under which the page may be opened (DNS rebinding). */
  readonly hosts: readonly string[];
  readonly version: string;
}

export interface WebDeps {
  /** The newest view of the house; cheap, called for every push. */
  snapshot(): Snapshot;
  readonly series: SeriesStore;
  readonly journal: Journal;
  readonly settings: Settings;
  /** Sets and keeps the owner's wish; journals it. NOT_FOUND for a device that is not there. */
  setOverride(device: string, override: Override): Result<unknown>;
  readonly clock: Clock;
  readonly random: Random;
  readonly info: SiteInfo;
  /** Asked for with the owner's first password, so that not just anybody on the network sets it; null asks for none. */
  readonly setupCode?: string | null;
  /** Receivers of wireless meters. */
  readonly radios?: readonly RadioEar[];
  /** What the configuration says of each of them (receiver, mode, link), in the same order: for the row of one more meter. */
  readonly radioRows?: readonly Readonly<Record<string, unknown>>[];
  /** How the store fares; absent says nothing about it. */
  readonly storage?: () => StorageHealth;
  /** Prometheus text for /metrics; household data, so never to just anybody on the network. */
  readonly metrics?: () => string;
  /** `Authorization: Bearer …` for a monitoring program that has no session; null lets only the owner's session in. */
  readonly metricsToken?: string | null;
}

export interface WebOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}
