/** A device's seat in the cycle: its menu, its last instruction and what became of it, its need and its times. */
import type { Fault } from '../domain/errors.ts';
import { type Flexibility, maxOf } from '../domain/flexibility.ts';
import {
  type ControlMode,
  type DeviceImage,
  FOLLOWS_MS,
  type Known,
  type Override,
  type Site,
  type Snapshot,
} from '../domain/image.ts';
import type { Instruction, InstructionStatus } from '../domain/instruction.ts';
import type { Measurement } from '../domain/measurement.ts';
import type { ResourceHealth, ResourceManager } from '../domain/resource-manager.ts';
import type { Settings } from '../domain/storage.ts';
import { type Clock, type ElapsedMs, isWallPlausible, type WallMs } from '../domain/time.ts';
import { type Deadline, DeadlineKeeper, HOLD_MS, type KeptDeadline } from './deadline.ts';
import { MayDraw } from './may-draw.ts';
import { type DeviceNow, isSetting, ProgramKeeper } from './program-keeper.ts';
import { type Direction, Retries } from './retries.ts';
import { Settling } from './settling.ts';

export interface DeviceSettings {
  readonly priority: number;
  readonly mode: ControlMode;
  /** Every day by this local time (`HH:MM`) it wants so much energy; null when it states no need. */
  readonly deadline: Deadline | null;
}

export interface SeatDeps {
  readonly clock: Clock;
  readonly site: Site;
  readonly settings: Settings;
}

/** Energy towards the need, and what is done of a program, are written this often: a power cut forgets no more. */
const SAVE_MS = 300_000;
/** What a battery was told last is kept no oftener. */
const SAVE_SWITCH_MS = 60_000;

/** What the owner asked for is over; `setting`: of power for setting a program, whether that has begun meanwhile. */
export interface OverrideEnd {
  readonly isOver: true;
  readonly setting?: 'begun' | 'over';
}

/** What is kept over a restart. */
interface Kept extends KeptDeadline {
  readonly setPoint_W: number | null;
  readonly switchedMs: WallMs | null;
}

export class DeviceSeat {
  readonly resource: ResourceManager;
  override: Override;
  flexibility: Flexibility | null = null;
  health: ResourceHealth = 'connecting';
  /** It has answered since the start. */
  isHeard = false;
  private readonly settings: DeviceSettings;
  private readonly deps: SeatDeps;
  private power: Measurement | null = null;
  private setPoint_W: number | null;
  private instruction: Instruction | null = null;
  private status: InstructionStatus | null = null;
  private statusFault: Fault | null = null;
  /** What it was told may be gone from its memory: it is told again. */
  private isForgotten = false;
  private readonly retries = new Retries();
  private switchedAtMs: ElapsedMs | null = null;
  private loweredAtMs: ElapsedMs = -Infinity;
  private readonly settling = new Settling();
  private readonly program: ProgramKeeper;
  private atGrid_W: number | null = null;
  private isUnasked = false;
  private readonly mayDraw = new MayDraw();
  private readonly deadline: DeadlineKeeper;
  private savedAtMs: ElapsedMs;

  constructor(resource: ResourceManager, settings: DeviceSettings, deps: SeatDeps, override: Override) {
    this.resource = resource;
    this.settings = settings;
    this.deps = deps;
    this.override = override;
    const { clock } = deps;
    this.program = new ProgramKeeper(resource.id, deps);
    const kept = readKept(deps.settings.get(`device.${resource.id}`));
    this.setPoint_W = kept?.setPoint_W ?? null;
    this.deadline = new DeadlineKeeper(settings.deadline, deps.site.timeZone, kept, clock.elapsedMs());
    this.savedAtMs = clock.elapsedMs();
    if ((this.setPoint_W ?? 0) > 0) this.settling.resumed(clock.elapsedMs());
    // Unless the clock proves how long ago it was switched, it was just now: minimum times hold over a restart.
    if (kept) {
      const known =
        kept.switchedMs !== null && isWallPlausible(clock.wallMs()) && clock.wallMs() >= kept.switchedMs;
      this.switchedAtMs = clock.elapsedMs() - (known ? clock.wallMs() - (kept.switchedMs ?? 0) : 0);
    }
  }

  take(measurements: readonly Measurement[]): void {
    for (const m of measurements) {
      if (m.point.quantity !== 'activePower' || m.point.phase !== 0) continue;
      this.power = m;
      this.settling.heard(m.receivedElapsedMs);
      this.mayDraw.said(m.receivedElapsedMs, m.value ?? Number.NaN);
    }
  }

  count(_reason: Fault): void {
    // Shown through health and command status; faults of a device are journalled there.
  }

  setHealth(health: ResourceHealth): void {
    if (health === 'ok' && this.health !== 'ok') this.forget();
    this.health = health;
    this.isHeard ||= health === 'ok' || health === 'faulty';
  }

  /** It was away or has lost what it was told: the next cycle tells it anew. */
  forget(): void {
    this.isForgotten = true;
    this.retries.forget();
  }

  /**
   * Adds up energy towards the need and moves on to the next deadline when one has passed; goes on with the run of a
   * program. What its owner has to know of that, once.
   */
  account(): Fault | null {
    const { clock } = this.deps;
    this.deadline.account(clock.wallMs(), clock.elapsedMs(), this.powerKnown(clock.elapsedMs()));
    const program = this.flexibility?.program;
    if (program) this.program.follow(this.override);
    const news = program ? this.program.account(program, this.now()) : null;
    if (clock.elapsedMs() - this.savedAtMs >= SAVE_MS) this.save();
    return news;
  }

  private now(): DeviceNow {
    const isTold = this.status === 'SUCCEEDED' && (this.instruction?.setPoint_W ?? 0) > 0;
    const { value, ageMs } = this.powerKnown(this.deps.clock.elapsedMs());
    return {
      isOn: isTold && !this.isForgotten && this.health === 'ok',
      measured_W: this.power?.quality === 'good' && ageMs <= HOLD_MS ? value : null,
    };
  }

  /**
   * What the owner asked for until or from a time is over when that has come; a clock that is not set says nothing. A run
   * of a program is over when it has run, not by the hour; power for setting one when nothing has begun by then.
   */
  endOverride(): OverrideEnd | null {
    const isOfProgram = this.flexibility?.program !== undefined && isSetting(this.override);
    if (
      isOfProgram ? !this.program.isSettingOver(this.isHourOver()) : !this.isRunOver() && !this.isHourOver()
    )
      return null;
    this.override = { kind: 'automatic' };
    if (!isOfProgram) return { isOver: true };
    return { isOver: true, setting: this.program.endSetting() ? 'begun' : 'over' };
  }

  /** Nor does what has no program, or no longer has one, run by an hour. */
  private isRunOver(): boolean {
    if (this.override.kind !== 'runBy' && this.override.kind !== 'now') return false;
    const isPlain = this.flexibility !== null && !this.flexibility.program;
    return isPlain ? this.override.kind === 'runBy' : this.program.isOver;
  }

  private isHourOver(): boolean {
    const wallMs = this.deps.clock.wallMs();
    const endsMs =
      this.override.kind === 'now'
        ? this.override.untilMs
        : this.override.kind === 'notBefore'
          ? this.override.atMs
          : null;
    return endsMs !== null && isWallPlausible(wallMs) && wallMs >= endsMs;
  }

  image(wallMs: WallMs, elapsedMs: ElapsedMs): DeviceImage | null {
    if (!this.flexibility) return null;
    const run = this.flexibility.program && this.program.image(this.flexibility.program);
    const mayDraw_W = this.mayDraw.powers_W(elapsedMs);
    return {
      id: this.resource.id,
      flexibility: { ...this.flexibility, need: this.deadline.need(wallMs) ?? this.flexibility.need },
      health: this.health,
      power_W: this.powerKnown(elapsedMs),
      setPoint_W: this.setPoint_W,
      inStateMs: this.switchedAtMs === null ? Infinity : elapsedMs - this.switchedAtMs,
      sinceLoweredMs: elapsedMs - this.loweredAtMs,
      sinceChangedMs: this.settling.sinceMs(elapsedMs),
      ...(this.mayTake() && this.instruction && { underWay_W: this.instruction.setPoint_W }),
      ...(this.atGrid_W !== null && { atGrid_W: this.atGrid_W }),
      ...(mayDraw_W && { mayDraw_W }),
      ...(this.isUnasked && { isUnasked: true as const }),
      override: this.override,
      ...(run && { run }),
      priority: this.settings.priority,
      mode: this.settings.mode,
    };
  }

  /** What it is to do now, whether or not it has to be told: one that has power already begins without a command. */
  decided(setPoint_W: number, isUnasked?: true): void {
    this.isUnasked = isUnasked === true;
    if (this.now().isOn) this.program.told(setPoint_W);
  }

  /**
   * Whether a command is due: a new set-point, or one that failed and may be tried again. A battery that follows the
   * meter has a new one each time: unless a limit is behind it (`abnormal`), it waits for the retry as well.
   */
  wants(setPoint_W: number, nowMs: ElapsedMs, abnormal = true): boolean {
    const isNew = this.isForgotten || this.instruction?.setPoint_W !== setPoint_W;
    const direction = this.directionOf(setPoint_W);
    if (isNew && direction === 'down' && (abnormal || !this.isBattery())) return true;
    return (isNew || this.hasFailed()) && this.retries.isDue(direction, nowMs);
  }

  /**
   * Production is turned up by a set-point that is further below zero. What a battery does may be a limit's either way:
   * it gives more under one of import, and less under one of export; only to be charged more has no hurry.
   */
  private directionOf(setPoint_W: number): Direction {
    const before_W = this.setPoint_W;
    if (before_W === null) return 'down';
    if (this.isBattery()) return setPoint_W > before_W && setPoint_W > 0 && before_W >= 0 ? 'up' : 'down';
    const more = this.produces() ? setPoint_W < before_W : setPoint_W > before_W;
    return more ? 'up' : 'down';
  }

  /** It may follow the meter all day long: a battery, a roof. */
  get isLed(): boolean {
    return this.isBattery() || this.produces();
  }

  private produces(): boolean {
    return this.flexibility !== null && maxOf(this.flexibility) <= 0;
  }

  private isBattery(): boolean {
    return this.flexibility?.controlType === 'FILL_RATE_BASED_CONTROL';
  }

  private hasFailed(): boolean {
    return this.status === 'ABORTED' || this.status === 'REJECTED';
  }

  instruct(instruction: Instruction): void {
    this.isForgotten = false;
    this.mayDraw.told(this.deps.clock.elapsedMs(), this.draws_W(), instruction.setPoint_W);
    this.instruction = instruction;
    this.status = 'NEW';
    this.program.told(instruction.setPoint_W);
    this.settling.begun(this.deps.clock.elapsedMs());
    this.statusFault = null;
    this.resource.instruct(instruction);
  }

  /** By its own word, and by what it was told so far. */
  private draws_W(): number[] {
    const { value, ageMs } = this.powerKnown(this.deps.clock.elapsedMs());
    const said_W = value !== null && ageMs <= this.deps.site.staleAfterMs ? value : Number.NaN;
    const told_W = [this.setPoint_W, this.instruction?.setPoint_W].filter((p) => typeof p === 'number');
    return [said_W, ...told_W];
  }

  /** What follows the meter takes a step every few seconds; only that it turns round is worth a line. */
  private isStep({ setPoint_W, abnormal }: Instruction): boolean {
    const before_W = this.setPoint_W;
    const goesOn = before_W !== null && Math.sign(before_W) === Math.sign(setPoint_W);
    return this.isLed && goesOn && !abnormal;
  }

  /**
   * False for what nobody has to read of again: one more attempt that went like the one before, one more step of a
   * battery on its way.
   */
  report(instruction: Instruction, status: InstructionStatus, reason: Fault | null): boolean {
    if (instruction.id !== this.instruction?.id) return true;
    const now = this.deps.clock.elapsedMs();
    const direction = this.directionOf(instruction.setPoint_W);
    const isNews =
      status === 'SUCCEEDED'
        ? this.retries.hasFailed(direction) || !this.isStep(instruction)
        : !this.retries.isRepetition(direction, reason) && (reason !== null || !this.isStep(instruction));
    this.status = status;
    this.statusFault = reason;
    if (this.hasFailed()) this.retries.failed(direction, reason, now);
    if (!this.isUnderWay()) this.settling.ended(now, this.power !== null || this.settling.isResuming(now));
    if (status === 'SUCCEEDED') {
      this.retries.succeeded(direction);
      this.confirm(instruction.setPoint_W);
    }
    return isNews;
  }

  /**
   * The grid meter was read: what this device drew then is in that reading. Between a command and the next word of the
   * device it may be the old power or the new one; the larger is taken, so that nobody gives way to a load that has
   * gone, and nothing is turned up before it is known. After a start the last command is the one that is kept; but where
   * a battery is on its way nobody keeps.
   */
  meterRead(staleAfterMs: number): void {
    const now = this.deps.clock.elapsedMs();
    const { value, ageMs } = this.powerKnown(now);
    const known_W = value !== null && ageMs <= staleAfterMs ? value : null;
    const isAwaited = this.settling.isResuming(now) || (!this.settling.isSettled() && !this.isLost());
    const told_W = isAwaited ? (this.instruction?.setPoint_W ?? this.kept_W) : null;
    this.atGrid_W = told_W === null ? known_W : Math.max(known_W ?? 0, told_W);
    if (this.settling.sinceMs(now) >= FOLLOWS_MS) this.mayDraw.seen();
  }

  private get kept_W(): number | null {
    return this.isBattery() ? null : this.setPoint_W;
  }

  /** Not while it is being connected: what it is told then it does. */
  private isLost(): boolean {
    return this.health === 'silent' || this.health === 'faulty';
  }

  /** A command that failed may have been taken all the same, and it is due again: until another it counts as told. */
  private mayTake(): boolean {
    return this.isUnderWay() || this.status === 'ABORTED';
  }

  private isUnderWay(): boolean {
    return this.status === 'NEW' || this.status === 'ACCEPTED' || this.status === 'STARTED';
  }

  view(): Snapshot['devices'][number] {
    return {
      id: this.resource.id,
      instruction: this.instruction,
      status: this.status,
      statusCode: this.statusFault?.code ?? null,
    };
  }

  save(): void {
    const { clock, settings } = this.deps;
    this.savedAtMs = clock.elapsedMs();
    const wall = clock.wallMs();
    const switchedMs =
      this.switchedAtMs === null || !isWallPlausible(wall)
        ? null
        : wall - (clock.elapsedMs() - this.switchedAtMs);
    const kept: Kept = {
      setPoint_W: this.setPoint_W,
      switchedMs,
      ...this.deadline.kept,
    };
    settings.set(`device.${this.resource.id}`, JSON.stringify(kept));
    this.program.save();
  }

  private confirm(setPoint_W: number): void {
    const now = this.deps.clock.elapsedMs();
    const before = this.setPoint_W;
    const switched = before === null || Math.sign(before) !== Math.sign(setPoint_W);
    if (before !== null && setPoint_W < before) this.loweredAtMs = now;
    this.setPoint_W = setPoint_W;
    if (!switched) return;
    this.switchedAtMs = now;
    // A battery that follows the meter crosses zero all day long, and each time is written to flash.
    if (!this.isBattery() || now - this.savedAtMs >= SAVE_SWITCH_MS) this.save();
  }

  private powerKnown(nowMs: ElapsedMs): Known {
    if (!this.power) return { value: null, ageMs: Infinity };
    return { value: this.power.value, ageMs: nowMs - this.power.receivedElapsedMs };
  }
}

function readKept(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const kept = JSON.parse(text) as Partial<Kept>;
    const number = (x: unknown): number | null => (typeof x === 'number' && Number.isFinite(x) ? x : null);
    return {
      setPoint_W: number(kept.setPoint_W),
      switchedMs: number(kept.switchedMs),
      deadlineMs: number(kept.deadlineMs),
      delivered_Wh: number(kept.delivered_Wh) ?? 0,
    };
  } catch {
    return null;
  }
}
