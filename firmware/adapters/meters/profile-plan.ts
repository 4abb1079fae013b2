/** The reads of IEC 62056-21 that fetch a profile's gap, in the form in which the meter wants its times. */
import { profileRead, type Read, writeStamp } from '../../codecs/iec62056-21/index.ts';
import type { ProfileSection } from '../../codecs/load-profile.ts';
import { localMs } from '../../domain/calendar.ts';
import { isSummer } from '../../domain/meter-time.ts';
import type { ElapsedMs, WallMs } from '../../domain/time.ts';
import type { GapOptions, ProfileGaps, Stretch } from './profile-gaps.ts';

export interface ProfileOptions extends Pick<GapOptions, 'periodMs' | 'periods'> {
  /** `P.01` the load profile, `P.02` a second one. */
  readonly name: string;
}

/** So many reads in one visit; the rest comes with the next. */
const STRETCHES_MAX = 62;

export class ProfilePlan {
  readonly gaps: ProfileGaps;
  private readonly options: ProfileOptions;
  private readonly timeZone: string;
  private seasonDigit = true;
  private asked: readonly Stretch[] = [];

  constructor(options: ProfileOptions, gaps: ProfileGaps, timeZone: string) {
    this.options = options;
    this.gaps = gaps;
    this.timeZone = timeZone;
  }

  reads(wallMs: WallMs): readonly Read[] {
    const { periodMs, name } = this.options;
    this.asked = this.gaps.stretches(wallMs).slice(0, STRETCHES_MAX);
    return this.asked.map(({ afterMs, untilMs }) =>
      profileRead(name, this.stamp(afterMs + periodMs), this.stamp(untilMs)),
    );
  }

  /** `answered` of the reads came back, in order. A meter that sends stamps without season digit wants none. */
  took(answered: number, sections: readonly ProfileSection[], elapsedMs: ElapsedMs): void {
    const first = sections[0];
    if (first) this.seasonDigit = first.season !== null;
    // Nothing in any answer: the form of the range may have been wrong, the other one is tried next.
    else if (answered > 0) this.seasonDigit = !this.seasonDigit;
    const rowsEnd = sections.flatMap((s) => s.rows.at(-1)?.endMs ?? []).at(-1);
    if (rowsEnd === undefined) return;
    // A meter that ignores the range and sends all it has is further on than what was asked.
    this.gaps.took(Math.min(rowsEnd, this.asked.at(-1)?.untilMs ?? rowsEnd), elapsedMs);
  }

  private stamp(atMs: WallMs): string {
    const season = isSummer(atMs, this.timeZone) ? 'summer' : 'normal';
    return writeStamp({ local: localMs(atMs, this.timeZone), season: this.seasonDigit ? season : null });
  }
}
