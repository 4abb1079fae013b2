/** Which stretches of a load profile are still to be fetched, and in which form the meter wants its times. */
import { type ProfileSection, profileRead, type Read, writeStamp } from '../../codecs/iec62056-21/index.ts';
import { localMs } from '../../domain/calendar.ts';
import { isSummer } from '../../domain/meter-time.ts';
import { isWallPlausible, type WallMs } from '../../domain/time.ts';

export interface ProfileOptions {
  /** `P.01` the load profile, `P.02` a second one. */
  readonly name: string;
  readonly periodMs: number;
  /** How many periods back from now are wanted at the first reading. */
  readonly periods: number;
}

/** One read asks for so much: what was interrupted is lost for a day at the most, and an answer stays small. */
const STRETCH_MS = 86_400_000;
const STRETCHES_MAX = 62;

export class ProfilePlan {
  private readonly options: ProfileOptions;
  private readonly timeZone: string;
  /** The end of the newest period that is known or, before the first, not wanted. */
  private knownMs: WallMs | null = null;
  private seasonDigit = true;
  private asked: readonly WallMs[] = [];

  constructor(options: ProfileOptions, timeZone: string) {
    this.options = options;
    this.timeZone = timeZone;
  }

  /** The reads that lead from what is known to now; none before the clock is set or a new period is over. */
  reads(wallMs: WallMs): readonly Read[] {
    const { periodMs, periods, name } = this.options;
    this.asked = [];
    if (!isWallPlausible(wallMs)) return [];
    const until = Math.floor(wallMs / periodMs) * periodMs;
    this.knownMs ??= until - periods * periodMs;
    const from = this.knownMs;
    const ends: WallMs[] = [];
    for (let at = from; at < until && ends.length < STRETCHES_MAX; at = ends.at(-1) ?? until)
      ends.push(Math.min(at + STRETCH_MS, until));
    this.asked = ends;
    return ends.map((end, i) =>
      profileRead(name, this.stamp((ends[i - 1] ?? from) + periodMs), this.stamp(end)),
    );
  }

  /** Rows before this are known already. */
  get afterMs(): WallMs {
    return this.knownMs ?? 0;
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
    this.knownMs = Math.max(this.knownMs ?? 0, Math.min(rowsEnd, this.asked.at(-1) ?? rowsEnd));
  }

  private stamp(atMs: WallMs): string {
    const season = isSummer(atMs, this.timeZone) ? 'summer' : 'normal';
    return writeStamp({ local: localMs(atMs, this.timeZone), season: this.seasonDigit ? season : null });
  }
}
