/** Which part of a meter's load profile is not here yet: known over restarts, fetched in stretches of a day. */
import { LIMITS } from '../../domain/limits.ts';
import type { Settings } from '../../domain/storage.ts';
import { type ElapsedMs, isWallPlausible, type WallMs } from '../../domain/time.ts';

export interface GapOptions {
  /** Under which the end of what is known is kept. */
  readonly name: string;
  readonly periodMs: number;
  /** How many periods back from now are wanted at the first reading. */
  readonly periods: number;
  readonly settings: Pick<Settings, 'get' | 'set'> | null;
}

/** Periods that end after `afterMs`, up to `untilMs`. */
export interface Stretch {
  readonly afterMs: WallMs;
  readonly untilMs: WallMs;
}

const STRETCH_MS = 86_400_000;
/** What was handed on is on disk by then: only now it may be forgotten here. */
const SAVE_AFTER_MS = 2 * LIMITS.storeBatchMs;

export class ProfileGaps {
  private readonly options: GapOptions;
  private known: WallMs | null;
  private saved: WallMs | null;
  private unsaved: { readonly known: WallMs; readonly sinceMs: ElapsedMs } | null = null;

  constructor(options: GapOptions) {
    this.options = options;
    const text = options.settings?.get(options.name) ?? null;
    this.saved = text !== null && /^\d{1,16}$/.test(text) ? Number(text) : null;
    this.known = this.saved;
  }

  /** The end of the newest period that is known or, before the first, not wanted. */
  get knownMs(): WallMs {
    return this.known ?? 0;
  }

  /** From what is known to now, oldest first; none before the clock is set or a new period is over. */
  stretches(wallMs: WallMs): readonly Stretch[] {
    if (!isWallPlausible(wallMs)) return [];
    const { periodMs, periods } = this.options;
    const until = Math.floor(wallMs / periodMs) * periodMs;
    // Older than what is wanted at a first reading the meter may no longer have it; a future end was a wrong clock.
    const from = Math.min(Math.max(this.known ?? 0, until - periods * periodMs), until);
    this.known = from;
    const stretches: Stretch[] = [];
    for (let at = from; at < until; at = Math.min(at + STRETCH_MS, until))
      stretches.push({ afterMs: at, untilMs: Math.min(at + STRETCH_MS, until) });
    return stretches;
  }

  /** All periods that end by `endMs` were handed on. */
  took(endMs: WallMs, elapsedMs: ElapsedMs): void {
    this.known = Math.max(this.known ?? 0, endMs);
    this.unsaved ??= { known: this.known, sinceMs: elapsedMs };
  }

  /** Keeps what has been known for long enough. */
  save(elapsedMs: ElapsedMs): void {
    const { unsaved } = this;
    if (!unsaved || elapsedMs - unsaved.sinceMs < SAVE_AFTER_MS) return;
    if (unsaved.known !== this.saved) this.options.settings?.set(this.options.name, String(unsaved.known));
    this.saved = unsaved.known;
    this.unsaved =
      this.known !== null && this.known > unsaved.known ? { known: this.known, sinceMs: elapsedMs } : null;
  }
}
