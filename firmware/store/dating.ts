/**
 * Which time to believe. The wall clock may be unset after boot, and may jump by years and back; elapsed time does
 * neither. A wall clock that goes along with elapsed time is believed. One that left it by more than
 * `storeClockSlackMs` is believed when it has stood for `storeClockConfirmMs`: until then values are held, so that
 * they can be dated anew by their elapsed time when the clock goes back, and nothing is rolled up or aged out.
 */
import { LIMITS } from '../domain/limits.ts';
import { type Clock, type ElapsedMs, isWallPlausible, type WallMs } from '../domain/time.ts';

export class Dating {
  private readonly clock: Clock;
  /** Wall minus elapsed time as it is believed; null before there is any. */
  private base: number | null = null;
  private candidate: { readonly offset: number; readonly sinceMs: ElapsedMs } | null = null;
  private begun = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /**
   * Looks at the clock; null while it cannot be believed.
   * @param newestMs time of the newest stored value; the first look compares with it: a clock behind the records, or
   *   far ahead of them, has to stand first.
   */
  nowMs(newestMs: WallMs | null): WallMs | null {
    const wall = this.clock.wallMs();
    if (!isWallPlausible(wall)) {
      this.candidate = null;
      return null;
    }
    const elapsed = this.clock.elapsedMs();
    const offset = wall - elapsed;
    if (!this.begun) this.begin(wall, offset, newestMs);
    if (this.base !== null && isNear(this.base, offset)) return this.believe(offset, wall);
    if (this.candidate === null || !isNear(this.candidate.offset, offset))
      this.candidate = { offset, sinceMs: elapsed };
    if (elapsed - this.candidate.sinceMs < LIMITS.storeClockConfirmMs) return null;
    return this.believe(offset, wall);
  }

  private begin(wall: WallMs, offset: number, newestMs: WallMs | null): void {
    this.begun = true;
    const fits =
      newestMs === null ||
      (wall >= newestMs - LIMITS.storeClockSlackMs && wall <= newestMs + LIMITS.storeClockGapMs);
    if (fits) this.base = offset;
  }

  private believe(offset: number, wall: WallMs): WallMs {
    this.base = offset;
    this.candidate = null;
    return wall;
  }

  /** The wall time of an instant of this run. Only meaningful while the clock is believed. */
  wallAt(elapsedMs: ElapsedMs): WallMs {
    return Math.round((this.base ?? 0) + elapsedMs);
  }
}

const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= LIMITS.storeClockSlackMs;
