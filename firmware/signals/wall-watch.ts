/**
 * How far the wall clock can be believed: it may be set late, and may jump by years and back. Elapsed time does
 * neither, so a wall clock that leaves it has jumped.
 */
import { LIMITS } from '../domain/limits.ts';
import { type Clock, type ElapsedMs, isWallPlausible, type WallMs } from '../domain/time.ts';

export interface WallNow {
  readonly wallMs: WallMs;
  /** It was set since boot. */
  readonly isSet: boolean;
  /** It went along with elapsed time for `LIMITS.storeClockConfirmMs`. */
  readonly stands: boolean;
  /** So far it left a time that stood, and has not stood itself since; else 0. */
  readonly leapMs: number;
}

/** `wallMs` is what the clock shows after it moved by `deltaMs`. */
export interface Jump {
  readonly wallMs: WallMs;
  readonly deltaMs: number;
}

export class WallWatch {
  private readonly clock: Clock;
  /** Wall minus elapsed time, and since when it is so. */
  private offset: number;
  private sinceMs: ElapsedMs;
  /** The offset that stood last; null before there is any. */
  private stood: number | null = null;

  constructor(clock: Clock) {
    this.clock = clock;
    this.sinceMs = clock.elapsedMs();
    this.offset = clock.wallMs() - this.sinceMs;
  }

  /** Looks at the clock; what it jumped since the look before, null when it did not. */
  look(): Jump | null {
    const [wallMs, elapsedMs] = [this.clock.wallMs(), this.clock.elapsedMs()];
    if (this.standsFor(LIMITS.storeClockConfirmMs)) this.stood = this.offset;
    const deltaMs = wallMs - elapsedMs - this.offset;
    this.offset += deltaMs;
    if (isNear(deltaMs, 0)) return null;
    this.sinceMs = elapsedMs;
    return { wallMs, deltaMs };
  }

  /** It is set, and has gone along with elapsed time for so long. */
  standsFor(durationMs: number): boolean {
    const elapsedMs = this.clock.elapsedMs();
    return isWallPlausible(this.offset + elapsedMs) && elapsedMs - this.sinceMs >= durationMs;
  }

  now(): WallNow {
    const wallMs = this.clock.wallMs();
    const stands = this.standsFor(LIMITS.storeClockConfirmMs);
    const left = this.stood !== null && !stands && !isNear(this.stood, this.offset);
    return {
      wallMs,
      isSet: isWallPlausible(wallMs),
      stands,
      leapMs: left ? this.offset - (this.stood ?? 0) : 0,
    };
  }
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= LIMITS.storeClockSlackMs;
