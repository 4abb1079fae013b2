/**
 * What of a meter's load profile is known and what is not, over restarts and outages: the stretches that are still to
 * be fetched, whatever protocol fetches them.
 */
import { LIMITS } from '../../domain/limits.ts';
import type { Settings } from '../../domain/storage.ts';
import { type Cancel, type Clock, isWallPlausible, type WallMs } from '../../domain/time.ts';

export interface ProfileDepth {
  /** The capture period of the meter. */
  readonly periodMs: number;
  /** How many periods back from now are wanted the first time. */
  readonly periods: number;
}

/** Periods that end in (afterMs, untilMs]. */
export interface Stretch {
  readonly afterMs: WallMs;
  readonly untilMs: WallMs;
}

/** One read asks for so much: what was interrupted is lost for a day at the most, and an answer stays small. */
const STRETCH_MS = 86_400_000;
const STRETCHES_MAX = 62;
/** The values wait for their batch: a mark that was kept before them would leave a hole after a power cut. */
const KEEP_AFTER_MS = 3 * LIMITS.storeBatchMs;

export class ProfileGap {
  private readonly name: string;
  private readonly depth: ProfileDepth;
  private readonly clock: Clock;
  private readonly settings: Pick<Settings, 'get' | 'set'> | null;
  /** The end of the newest period that is known or, before the first, not wanted. */
  private knownMs: WallMs | null;
  private cancelKeep: Cancel = () => {};

  /** `name` of the meter and its profile, under which the mark is kept. */
  constructor(
    name: string,
    depth: ProfileDepth,
    clock: Clock,
    settings: Pick<Settings, 'get' | 'set'> | null,
  ) {
    this.name = `profile/${name}`;
    this.depth = depth;
    this.clock = clock;
    this.settings = settings;
    const kept = settings?.get(this.name) ?? null;
    this.knownMs = kept !== null && /^\d{1,15}$/.test(kept) ? Number(kept) : null;
  }

  /** From what is known to now; none before the clock is set or while no new period is over. */
  stretches(): readonly Stretch[] {
    const wallMs = this.clock.wallMs();
    const { periodMs, periods } = this.depth;
    if (!isWallPlausible(wallMs)) return [];
    const until = Math.floor(wallMs / periodMs) * periodMs;
    this.knownMs ??= until - periods * periodMs;
    const stretches: Stretch[] = [];
    for (let at = this.knownMs; at < until && stretches.length < STRETCHES_MAX; ) {
      const end = Math.min(at + STRETCH_MS, until);
      stretches.push({ afterMs: at, untilMs: end });
      at = end;
    }
    return stretches;
  }

  /** Rows up to here are known already. */
  get afterMs(): WallMs {
    return this.knownMs ?? 0;
  }

  /** Rows up to this end came. */
  took(endMs: WallMs): void {
    if (endMs <= this.afterMs) return;
    this.knownMs = endMs;
    this.cancelKeep();
    this.cancelKeep = this.clock.after(KEEP_AFTER_MS, () => this.settings?.set(this.name, String(endMs)));
  }

  /** What was not kept yet is fetched again after the next start. */
  close(): void {
    this.cancelKeep();
  }
}
