/**
 * Power for setting an appliance at its panel, until a time that its owner asked for. Whoever presses start meanwhile has
 * begun a run: it then draws like its program. Nothing in here reads the wall clock.
 */
import type { Program } from '../domain/flexibility.ts';
import { LIMITS } from '../domain/limits.ts';
import type { ElapsedMs } from '../domain/time.ts';

/** Less is a display, and a lamp behind its door. */
const IDLE_W = 10;
/** Of the least that its program is stated to draw. */
const SHARE = 0.5;
/** A draw that is over was one of its program when it lasted so long in all. */
const DRAWN_MS = 60_000;
/** After a start it is given so long to say what it draws. */
const HEARD_MS = 30_000;

export class ProgramSetting {
  private askedMs: ElapsedMs;
  private readonly sinceMs: ElapsedMs;
  private isKnown = false;
  private draws = false;
  /** With power since the draw began that may be its program; null: there was none. Of that with and without a draw. */
  private doneMs: number | null = null;
  private drawnMs = 0;
  private idleMs = 0;

  /** @param kept what `kept` gave before a restart; null: there was none. */
  constructor(nowMs: ElapsedMs, kept: string | null) {
    this.askedMs = nowMs;
    this.sinceMs = nowMs;
    const drawnMs = Number(kept ?? Number.NaN);
    if (!(drawnMs >= 0 && drawnMs <= LIMITS.programSettingMs)) return;
    this.drawnMs = drawnMs;
    this.doneMs = drawnMs;
  }

  /** How long it has drawn, for a restart: no more than that is surely done. Null: nothing. */
  get kept(): string | null {
    return this.doneMs === null ? null : String(Math.floor(this.drawnMs));
  }

  /** Asked for once more, until a later time. */
  askedAgain(nowMs: ElapsedMs): void {
    this.askedMs = nowMs;
  }

  /**
   * It has had power for `spanMs`.
   *
   * @param pauseMs after so long without a draw its program is done
   * @returns whether it has begun just now, as far as can be said: that has to outlast a restart
   */
  account(program: Program, draw_W: number | null, spanMs: number, pauseMs: number): boolean {
    const before = this.drawnMs >= DRAWN_MS;
    this.count(program, draw_W, spanMs, pauseMs);
    return !before && this.drawnMs >= DRAWN_MS;
  }

  private count(program: Program, draw_W: number | null, spanMs: number, pauseMs: number): void {
    this.isKnown ||= draw_W !== null;
    this.draws = draw_W !== null && draw_W > leastDraw_W(program);
    if (this.doneMs === null) {
      if (this.draws) this.doneMs = 0;
      return;
    }
    this.doneMs += spanMs;
    this.drawnMs += this.draws ? spanMs : 0;
    this.idleMs = this.draws ? 0 : this.idleMs + spanMs;
    if (this.idleMs > pauseMs) this.nothing();
  }

  private nothing(): void {
    this.doneMs = null;
    this.drawnMs = 0;
    this.idleMs = 0;
  }

  /** How much of its program is done; null: it has not begun. */
  get begunForMs(): number | null {
    return this.draws || this.drawnMs >= DRAWN_MS ? this.doneMs : null;
  }

  /** It has had power for as long as it may, by no clock that could be wrong. */
  isOverdue(nowMs: ElapsedMs): boolean {
    return nowMs - this.askedMs >= LIMITS.programSettingMs;
  }

  /** Whether it is known what it draws, or not to be known. */
  mayEnd(nowMs: ElapsedMs): boolean {
    return this.isKnown || nowMs - this.sinceMs >= HEARD_MS;
  }
}

function leastDraw_W({ steps }: Program): number {
  const powers = steps.map((s) => s.power_W).filter((power_W) => power_W > IDLE_W);
  return Math.max(IDLE_W, SHARE * Math.min(...powers, Number.MAX_VALUE));
}
