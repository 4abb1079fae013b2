/**
 * The one run of an appliance's program that its owner asked for, kept over restarts. What is done of it is never more than
 * the truth: it counts only while the appliance surely has power, so that a run ends too late rather than too early.
 * The wall clock only tells how long it was away.
 */
import { type Fault, fault } from '../domain/errors.ts';
import { drawAt_W, lengthMsOf, type Program } from '../domain/flexibility.ts';
import type { Override, ProgramRun } from '../domain/image.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Settings } from '../domain/storage.ts';
import { type Clock, type ElapsedMs, isWallPlausible, type WallMs } from '../domain/time.ts';
import { ProgramSetting } from './program-setting.ts';

/** What stands by draws no more than this; what is stated with no more is a pause within the program. */
const IDLE_W = 10;
/** So long beyond its longest pause it has drawn nothing when it is taken to be done. */
const DONE_MS = 300_000;
/** Not before this share of its length. */
const MOST = 0.8;
/** Of its length: as long as it draws it is not switched off before this. */
const LONGEST = 1.5;
/** Switched on and nothing drawn for so long: its owner is told. */
const NOT_STARTED_MS = 300_000;
/** After so long without the gateway what was under way is not begun again unasked. */
const MOST_AWAY_MS = 86_400_000;

/** What is kept over a restart. */
interface Kept {
  /** The override that asked for it, as text: after a restart the same one asks for no other run. */
  readonly wish: string;
  readonly byMs: WallMs | null;
  /** Null: it waits. */
  readonly doneMs: number | null;
  readonly hasDrawn: boolean;
  readonly isSaid: boolean;
  readonly isOver: boolean;
  /** When it was kept; absent or null: nobody knew the time. */
  readonly savedMs?: WallMs | null;
}

export interface DeviceNow {
  /** It was told to be on, and holds that. */
  readonly isOn: boolean;
  /** Null where it does not measure, or did not lately. */
  readonly measured_W: number | null;
}

export class ProgramKeeper {
  private readonly name: string;
  private readonly settingName: string;
  private readonly clock: Clock;
  private readonly settings: Settings;
  private run: Kept | null;
  private seen: Override | null = null;
  /** While it has power for being set. */
  private setting: ProgramSetting | null = null;
  private knownAtMs: ElapsedMs;
  private accountedAtMs: ElapsedMs;
  private wasOn = false;
  /** Without a draw: in all, and where one was to be expected. */
  private idleMs = 0;
  private missedMs = 0;
  private awaitedMs = 0;
  /** Of a run that was under way at the start more may be done than is known. */
  private isExact = false;

  constructor(id: string, { clock, settings }: { readonly clock: Clock; readonly settings: Settings }) {
    this.name = `program.${id}`;
    this.settingName = `program-setting.${id}`;
    this.clock = clock;
    this.settings = settings;
    this.run = this.recent(readKept(settings.get(this.name)));
    this.knownAtMs = clock.elapsedMs();
    this.accountedAtMs = clock.elapsedMs();
  }

  /** What was under way or late long ago is nobody's wish any more; as far as the clock tells. */
  private recent(run: Kept | null): Kept | null {
    const now = this.clock.wallMs();
    const sinceMs = run?.savedMs ?? null;
    if (run && sinceMs !== null && isWallPlausible(now) && now - sinceMs > MOST_AWAY_MS) {
      const isStale = run.doneMs !== null || run.byMs === null || run.byMs < now;
      if (isStale && !run.isOver) return { ...run, isOver: true };
    }
    return run;
  }

  /** Takes what the owner wants now. What has begun goes on whatever is asked for, except "off". */
  follow(override: Override): void {
    if (override === this.seen) return;
    const isRestart = this.seen === null;
    this.seen = override;
    if (this.isBegun() && override.kind !== 'off') return;
    this.followSetting(override, isRestart);
    if (this.setting || (override.kind !== 'runBy' && override.kind !== 'now')) {
      this.drop();
      return;
    }
    const wish = JSON.stringify(override);
    if (isRestart && this.run?.wish === wish) return;
    const byMs = override.kind === 'runBy' ? override.byMs : null;
    this.run = { wish, byMs, doneMs: null, hasDrawn: false, isSaid: false, isOver: false };
    this.knownAtMs = this.clock.elapsedMs();
    this.save();
  }

  private followSetting(override: Override, isRestart: boolean): void {
    const now = this.clock.elapsedMs();
    const kept = this.settings.get(this.settingName);
    if (kept !== null && !(isSetting(override) && isRestart)) this.settings.remove(this.settingName);
    if (!isSetting(override)) this.setting = null;
    else if (this.setting) this.setting.askedAgain(now);
    else this.setting = new ProgramSetting(now, isRestart ? kept : null);
  }

  /** Whether the power for setting it has lasted as long as it may; `isHourOver`: as long as was asked for. */
  isSettingOver(isHourOver: boolean): boolean {
    const now = this.clock.elapsedMs();
    if (this.setting === null) return isHourOver;
    return (isHourOver && this.setting.mayEnd(now)) || this.setting.isOverdue(now);
  }

  /** It is over. Whether its owner started it meanwhile: that goes on as a run. */
  endSetting(): boolean {
    const now = this.clock.elapsedMs();
    const doneMs = this.setting?.begunForMs ?? null;
    this.setting = null;
    if (doneMs === null) return false;
    this.run = { wish: '', byMs: null, doneMs, hasDrawn: true, isSaid: false, isOver: false };
    this.knownAtMs = now;
    this.isExact = false;
    this.idleMs = 0;
    this.missedMs = 0;
    this.save();
    return true;
  }

  /**
   * A command goes out, or what it was told before is what it is to do now. One to switch on may be taken whatever becomes of
   * it: from here on the program has begun.
   */
  told(setPoint_W: number): void {
    if (!this.run || this.run.isOver || this.run.doneMs !== null || setPoint_W <= 0) return;
    this.run = { ...this.run, doneMs: 0 };
    this.isExact = true;
    this.idleMs = 0;
    this.missedMs = 0;
    this.awaitedMs = 0;
    this.save();
  }

  /** Called in every cycle. What its owner has to know, once. */
  account(program: Program, { isOn, measured_W }: DeviceNow): Fault | null {
    const now = this.clock.elapsedMs();
    const spanMs = this.wasOn && isOn ? now - this.accountedAtMs : 0;
    this.accountedAtMs = now;
    this.wasOn = isOn;
    const { run } = this;
    if (isOn && this.setting?.account(program, measured_W, spanMs, enoughMs(program))) this.save();
    if (!run || run.isOver || run.doneMs === null || !isOn) return null;
    const draws = measured_W === null ? null : measured_W > IDLE_W;
    const expects = drawAt_W(program, run.doneMs) > IDLE_W;
    if (draws === false && expects && (!run.hasDrawn || this.hasStopped(program, run)))
      return this.awaits(run, spanMs);
    if (draws) this.awaitedMs = 0;
    if (draws !== null) {
      this.idleMs = draws ? 0 : this.idleMs + spanMs;
      this.missedMs = draws ? 0 : this.missedMs + (expects ? spanMs : 0);
    }
    const next = {
      ...run,
      hasDrawn: run.hasDrawn || draws === true,
      isSaid: run.isSaid && draws !== true,
      doneMs: run.doneMs + spanMs,
    };
    this.run = next;
    return this.ends(program, next);
  }

  /** The run that was asked for and has not ended. */
  image(program: Program): ProgramRun | undefined {
    if (!this.run || this.run.isOver) return undefined;
    const { byMs, doneMs } = this.run;
    return {
      byMs,
      doneMs: doneMs === null ? null : Math.min(Math.floor(doneMs), lengthMsOf(program)),
      knownForMs: this.clock.elapsedMs() - this.knownAtMs,
    };
  }

  /** The run has ended, and with it the wish for it. */
  get isOver(): boolean {
    return this.run?.isOver === true;
  }

  save(): void {
    const kept = this.setting?.kept ?? null;
    if (kept !== null) this.settings.set(this.settingName, kept);
    const wall = this.clock.wallMs();
    const savedMs = isWallPlausible(wall) ? wall : null;
    if (this.run) this.settings.set(this.name, JSON.stringify({ ...this.run, savedMs }));
  }

  private isBegun(): boolean {
    return this.run !== null && this.run.doneMs !== null && !this.run.isOver;
  }

  /** In the middle of it, it has drawn nothing for longer than it ever pauses: opened, or not gone on after an interruption. */
  private hasStopped(program: Program, { doneMs }: Kept): boolean {
    return this.isExact && (doneMs ?? 0) < MOST * lengthMsOf(program) && this.missedMs >= enoughMs(program);
  }

  /** It has power and draws nothing: what it does only begins, or goes on, when it does. */
  private awaits(run: Kept, spanMs: number): Fault | null {
    this.awaitedMs += spanMs;
    const isNews = !run.isSaid && (run.hasDrawn || this.awaitedMs >= NOT_STARTED_MS);
    this.run = { ...run, isSaid: run.isSaid || isNews, isOver: this.awaitedMs >= LIMITS.programAwaitMs };
    if (isNews || this.isOver) this.save();
    if (!isNews) return null;
    return fault(run.hasDrawn ? 'PROGRAM_STOPPED' : 'PROGRAM_NOT_STARTED');
  }

  private ends(program: Program, run: Kept): Fault | null {
    const doneMs = run.doneMs ?? 0;
    const lengthMs = lengthMsOf(program);
    const pauseMs = enoughMs(program);
    if (doneMs < lengthMs) {
      if (this.isExact && doneMs >= MOST * lengthMs && this.missedMs >= pauseMs) this.end(run);
      return null;
    }
    // One that does not measure has nothing else to go by.
    const isDone = !run.hasDrawn || this.idleMs >= pauseMs;
    if (!isDone && doneMs < LONGEST * lengthMs) return null;
    this.end(run);
    return isDone || this.idleMs > 0 ? null : fault('PROGRAM_OVERRUN');
  }

  private end(run: Kept): void {
    this.run = { ...run, isOver: true };
    this.save();
  }

  private drop(): void {
    if (this.run) this.settings.remove(this.name);
    this.run = null;
  }
}

/** Asked of a device with a program: power for choosing it at its panel. */
export const isSetting = (override: Override): boolean =>
  override.kind === 'now' && override.untilMs !== null;

/** So long without a draw is no pause of it. */
const enoughMs = (program: Program): number => longestPauseMs(program) + DONE_MS;

function longestPauseMs({ steps }: Program): number {
  let pauseMs = 0;
  return steps.reduce((longest, { forMs, power_W }) => {
    pauseMs = power_W > IDLE_W ? 0 : pauseMs + forMs;
    return Math.max(longest, pauseMs);
  }, 0);
}

function readKept(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    const number = (x: unknown): number | null => (typeof x === 'number' && Number.isFinite(x) ? x : null);
    if (typeof kept.wish !== 'string') return null;
    const { wish, hasDrawn, isSaid, isOver } = kept;
    return {
      wish,
      byMs: number(kept.byMs),
      doneMs: number(kept.doneMs),
      hasDrawn: hasDrawn === true,
      isSaid: isSaid === true,
      isOver: isOver === true,
      savedMs: number(kept.savedMs),
    };
  } catch {
    return null;
  }
}
