/** Energy by a local time, every day anew: what has been delivered towards it, and from when and by when it is needed. */
import { lastLocalTime, nextLocalTime } from '../domain/calendar.ts';
import type { EnergyNeed } from '../domain/flexibility.ts';
import type { Known } from '../domain/image.ts';
import { type ElapsedMs, isWallPlausible, type WallMs } from '../domain/time.ts';

export interface Deadline {
  readonly time: string;
  readonly energy_Wh: number;
  /** It is there from this local time on; absent: always. */
  readonly from?: string;
}

/** What outlives a restart. */
export interface KeptDeadline {
  readonly deadlineMs: WallMs | null;
  readonly delivered_Wh: number;
}

/** A measurement stands for at most so long when energy is summed from power. */
export const HOLD_MS = 60_000;

export class DeadlineKeeper {
  private readonly deadline: Deadline | null;
  private readonly timeZone: string;
  private deadlineMs: WallMs | null;
  private delivered_Wh: number;
  private accountedAtMs: ElapsedMs;

  constructor(deadline: Deadline | null, timeZone: string, kept: KeptDeadline | null, nowMs: ElapsedMs) {
    this.deadline = deadline;
    this.timeZone = timeZone;
    this.deadlineMs = kept?.deadlineMs ?? null;
    this.delivered_Wh = kept?.delivered_Wh ?? 0;
    this.accountedAtMs = nowMs;
  }

  get kept(): KeptDeadline {
    return { deadlineMs: this.deadlineMs, delivered_Wh: this.delivered_Wh };
  }

  /** Adds up what was drawn since the last call, and moves on to the next deadline when one has passed. */
  account(wallMs: WallMs, nowMs: ElapsedMs, { value, ageMs }: Known): void {
    const span = Math.min(nowMs - this.accountedAtMs, HOLD_MS);
    if (value !== null && ageMs <= HOLD_MS) this.delivered_Wh += (Math.max(0, value) * span) / 3_600_000;
    this.accountedAtMs = nowMs;
    if (!this.deadline || !isWallPlausible(wallMs)) return;
    // Whatever else stands there is past, of another time of day, or of a clock that was years ahead for a while.
    const nextMs = nextLocalTime(wallMs, this.deadline.time, this.timeZone);
    if (this.deadlineMs !== nextMs) this.delivered_Wh = 0;
    this.deadlineMs = nextMs;
  }

  /** Null where none is stated, or no clock says by when. */
  need(wallMs: WallMs): EnergyNeed | null {
    const { deadline, deadlineMs: byMs } = this;
    if (!deadline || byMs === null || !isWallPlausible(wallMs)) return null;
    const energy_Wh = Math.max(0, deadline.energy_Wh - this.delivered_Wh);
    return deadline.from === undefined
      ? { energy_Wh, byMs }
      : { energy_Wh, byMs, fromMs: lastLocalTime(byMs, deadline.from, this.timeZone) };
  }
}
