/** The reads of IEC 62056-21 that fetch a profile's gap, in the form in which the meter wants its times. */
import { type ProfileSection, profileRead, type Read, writeStamp } from '../../codecs/iec62056-21/index.ts';
import { localMs } from '../../domain/calendar.ts';
import { isSummer } from '../../domain/meter-time.ts';
import type { WallMs } from '../../domain/time.ts';
import type { ProfileDepth, ProfileGap, Stretch } from './profile-gap.ts';

export interface ProfileOptions extends ProfileDepth {
  /** `P.01` the load profile, `P.02` a second one. */
  readonly name: string;
}

export class ProfilePlan {
  readonly gap: ProfileGap;
  private readonly options: ProfileOptions;
  private readonly timeZone: string;
  private seasonDigit = true;
  private asked: readonly Stretch[] = [];

  constructor(options: ProfileOptions, gap: ProfileGap, timeZone: string) {
    this.options = options;
    this.gap = gap;
    this.timeZone = timeZone;
  }

  reads(): readonly Read[] {
    const { periodMs, name } = this.options;
    this.asked = this.gap.stretches();
    return this.asked.map(({ afterMs, untilMs }) =>
      profileRead(name, this.stamp(afterMs + periodMs), this.stamp(untilMs)),
    );
  }

  /** `answered` of the reads came back, in order. A meter that sends stamps without season digit wants none. */
  took(answered: number, sections: readonly ProfileSection[]): void {
    const first = sections[0];
    if (first) this.seasonDigit = first.season !== null;
    // Nothing in any answer: the form of the range may have been wrong, the other one is tried next.
    else if (answered > 0) this.seasonDigit = !this.seasonDigit;
    const rowsEnd = sections.flatMap((s) => s.rows.at(-1)?.endMs ?? []).at(-1);
    if (rowsEnd === undefined) return;
    // A meter that ignores the range and sends all it has is further on than what was asked.
    this.gap.took(Math.min(rowsEnd, this.asked.at(-1)?.untilMs ?? rowsEnd));
  }

  private stamp(atMs: WallMs): string {
    const season = isSummer(atMs, this.timeZone) ? 'summer' : 'normal';
    return writeStamp({ local: localMs(atMs, this.timeZone), season: this.seasonDigit ? season : null });
  }
}
