/**
 * The one run of an appliance's program that its owner asked for, kept over restarts. What is done of it is never more than
 * the truth: it counts only while the appliance surely has power, so that a run ends too late rather than too early.
 * Nothing in here reads the wall clock.
 */
import { type Fault, fault } from '../domain/errors.ts';
import { drawAt_W, lengthMsOf, type Program } from '../domain/flexibility.ts';
import type { Override, ProgramRun } from '../domain/image.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Settings } from '../domain/storage.ts';
import type { Clock, ElapsedMs, WallMs } from '../domain/time.ts';

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

/**
 * Until the devices of the house have been heard after a start, what they draw is taken for base load on top of what they
 * are told, and the fuse for too small.
 */
const HEARD_MS = 10_000;

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
}

export interface DeviceNow {
  /** It was told to be on, and holds that. */
  readonly isOn: boolean;
  /** Null where it does not measure, or did not lately. */
  readonly measured_W: number | null;
}

export class ProgramKeeper {
  private readonly name: string;
  private readonly clock: Clock;
  private readonly settings: Settings;
  private run: Kept | null;
  private seen: Override | null = null;
  private readonly startedAtMs: ElapsedMs;
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
    this.clock = clock;
    this.settings = settings;
    this.run = readKept(settings.get(this.name));
    this.startedAtMs = clock.elapsedMs();
    this.knownAtMs = this.startedAtMs;
    this.accountedAtMs = clock.elapsedMs();
  }

  /** Takes what the owner wants now. What has begun goes on whatever is asked for, except "off". */
  follow(override: Override): void {
    if (override === this.seen) return;
    const isRestart = this.seen === null;
    this.seen = override;
    if (this.isBegun() && override.kind !== 'off') return;
    if (override.kind !== 'runBy' && override.kind !== 'now') {
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

  /** A command goes out. One to switch on may be taken whatever becomes of it: from here on the program has begun. */
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
    if (!run || run.isOver || run.doneMs === null || !isOn) return null;
    const draws = measured_W === null ? null : measured_W > IDLE_W;
    const expects = drawAt_W(program, run.doneMs) > IDLE_W;
    if (draws === false && expects && !run.hasDrawn) return this.awaits(run, spanMs);
    if (draws !== null) {
      this.idleMs = draws ? 0 : this.idleMs + spanMs;
      this.missedMs = draws ? 0 : this.missedMs + (expects ? spanMs : 0);
    }
    const next = { ...run, hasDrawn: run.hasDrawn || draws === true, doneMs: run.doneMs + spanMs };
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

  /** Right after a start: what is under way is not stopped before the house is known, not even for a limit. */
  goesOn(): boolean {
    return this.isBegun() && this.clock.elapsedMs() - this.startedAtMs < HEARD_MS;
  }

  save(): void {
    if (this.run) this.settings.set(this.name, JSON.stringify(this.run));
  }

  private isBegun(): boolean {
    return this.run !== null && this.run.doneMs !== null && !this.run.isOver;
  }

  /** It has power and has drawn nothing yet: what it does only begins when it does. */
  private awaits(run: Kept, spanMs: number): Fault | null {
    this.awaitedMs += spanMs;
    const isNews = this.awaitedMs >= NOT_STARTED_MS && !run.isSaid;
    this.run = { ...run, isSaid: run.isSaid || isNews, isOver: this.awaitedMs >= LIMITS.programAwaitMs };
    if (isNews || this.isOver) this.save();
    return isNews ? fault('PROGRAM_NOT_STARTED') : null;
  }

  private ends(program: Program, run: Kept): Fault | null {
    const doneMs = run.doneMs ?? 0;
    const lengthMs = lengthMsOf(program);
    const enoughMs = longestPauseMs(program) + DONE_MS;
    if (doneMs < lengthMs) {
      if (this.isExact && doneMs >= MOST * lengthMs && this.missedMs >= enoughMs) this.end(run);
      return null;
    }
    // One that does not measure has nothing else to go by.
    const isDone = !run.hasDrawn || this.idleMs >= enoughMs;
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
    };
  } catch {
    return null;
  }
}
