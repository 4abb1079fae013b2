/** A Modbus device with a product profile, as a resource manager. */
import { type Fault, fault, faultOf, HearthError } from '../../domain/errors.ts';
import type { Flexibility, Program } from '../../domain/flexibility.ts';
import type { Instruction } from '../../domain/instruction.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../domain/resource-manager.ts';
import type { WriteBudget } from '../../domain/storage.ts';
import { type Cancel, type Clock, every } from '../../domain/time.ts';
import type { Profile } from '../profiles/schema.ts';
import { menuOf, type Write, writesOf } from './control.ts';
import type { ModbusBus } from './modbus-bus.ts';
import { measurementsOf, readingsOf } from './readings.ts';
import { NOTHING_READ, type Store, type StoreReading, StoreWatch } from './store-watch.ts';
import { located } from './sunspec.ts';
import { type AskAs, differing, holds, prepare, type Told, writeAll } from './told.ts';

export interface ModbusDeviceConfig {
  readonly id: string;
  readonly name: string;
  readonly unitId: number;
  /** What it stores in this house; its readings in here are overwritten. */
  readonly store?: Store;
  /** What it does once it has power. */
  readonly program?: Program;
}

export interface ModbusDeviceDeps {
  readonly bus: ModbusBus;
  readonly clock: Clock;
  readonly writes: WriteBudget;
}

/** A poll that failed so often in a row makes the device silent. */
const SILENT_AFTER = 3;
/** Faults of a device that is there. */
const ANSWERS: ReadonlySet<Fault['code']> = new Set(['DEVICE_EXCEPTION', 'WRONG_ANSWER', 'UNSUPPORTED']);

export class ModbusDevice implements ResourceManager {
  readonly id: string;
  private readonly config: ModbusDeviceConfig;
  private readonly profile: Profile;
  private readonly deps: ModbusDeviceDeps;
  private events: ResourceEvents | null = null;
  /** The profile as this very device has it; null until it was asked. */
  private found: Profile | null = null;
  /** Whether what has to stand in it before the first command does so. */
  private isPrepared = false;
  private readonly store: StoreWatch | null;
  private menu: Flexibility;
  private stopPoll: Cancel = () => {};
  private health: ResourceHealth = 'connecting';
  private misses = 0;
  /** The instruction that is being carried out, and one that waits for it to end. */
  private running: Instruction | null = null;
  private waiting: Instruction | null = null;
  private written: Told | null = null;

  constructor(config: ModbusDeviceConfig, profile: Profile, deps: ModbusDeviceDeps) {
    this.id = config.id;
    this.config = config;
    this.profile = profile;
    this.deps = deps;
    this.store = config.store ? new StoreWatch(config.store) : null;
    this.menu = menuOf(profile, config.name, config.program);
  }

  open(events: ResourceEvents): void {
    this.events = events;
    this.register();
    this.deps.bus.attach((reason) => {
      // What a device holds after its link was gone is not known: it may have been powered off.
      this.forget();
      if (reason) this.setHealth('silent', reason);
      else void this.poll();
    });
    this.stopPoll = every(this.deps.clock, this.profile.pollMs, () => this.poll());
  }

  async close(): Promise<void> {
    this.stopPoll();
    this.events = null;
    await this.deps.bus.detach();
  }

  instruct(instruction: Instruction): void {
    if (!Number.isFinite(instruction.setPoint_W)) {
      this.report(instruction, 'REJECTED', fault('INSTRUCTION_REJECTED', 'the set-point is no number'));
      return;
    }
    this.report(instruction, 'ACCEPTED', null);
    if (this.waiting) this.report(this.waiting, 'REVOKED', null);
    this.waiting = instruction;
    if (!this.running) void this.work();
  }

  private async work(): Promise<void> {
    for (let next = this.waiting; next; next = this.waiting) {
      this.waiting = null;
      this.running = next;
      await this.carryOut(next);
      this.running = null;
    }
  }

  private async carryOut(instruction: Instruction): Promise<void> {
    const obey = this.mustObey(instruction);
    this.report(instruction, 'STARTED', null);
    let reason: Fault = fault('INTERNAL');
    for (let attempt = 0; attempt < LIMITS.commandAttempts; attempt++) {
      try {
        const profile = await this.profileOf('command');
        const writes = writesOf(profile, instruction.setPoint_W);
        // What stands there already is not written again, and the device's own timer goes on from when it was.
        const atMs = this.written && holds(this.written, writes) ? this.written.atMs : null;
        if (atMs === null) await this.write(profile, writes, obey);
        this.written = {
          writes,
          setPoint_W: instruction.setPoint_W,
          atMs: atMs ?? this.deps.clock.elapsedMs(),
        };
        this.report(instruction, 'SUCCEEDED', null);
        return;
      } catch (error) {
        reason = faultOf(error);
      }
      // Something newer is due, or trying again cannot help: what was refused for its budget stays refused.
      if (this.waiting || reason.code === 'WRITE_BUDGET_SPENT' || reason.code === 'LINK_GONE') break;
    }
    this.events?.fault(reason);
    this.report(instruction, 'ABORTED', reason);
  }

  /** A limit that turns down is obeyed even when the day's writes are spent: the grid and the fuse come before wear. */
  private mustObey({ abnormal, setPoint_W }: Instruction): boolean {
    if (!abnormal || this.written === null) return abnormal;
    const told_W = this.written.setPoint_W;
    return Math.abs(setPoint_W) < Math.abs(told_W) || setPoint_W * told_W < 0;
  }

  /** Writes and reads back. Throws a coded error unless the device holds the values then. */
  private async write(profile: Profile, values: readonly Write[], obey: boolean): Promise<void> {
    const { bus, clock, writes } = this.deps;
    if (!bus.isOpen) throw new HearthError('LINK_GONE', 'the device is not connected');
    if (!writes.spend(this.id, clock.wallMs(), profile.writesPerDay) && !obey)
      throw new HearthError('WRITE_BUDGET_SPENT');
    // An answer may get lost although the value was taken: until it is read back nobody knows what the device holds.
    this.written = null;
    if (!this.isPrepared && !(await prepare(profile, this.ask))) this.untrusted(profile);
    this.isPrepared = true;
    await writeAll(values, this.ask);
  }

  /** One without a timer of its own does not fall back by itself. */
  private untrusted(profile: Profile): void {
    this.found = { ...profile, failsafe_W: null };
    this.registerAs(this.found);
  }

  /** What a device's own addresses and scales are is asked once after each time that it was away. */
  private async profileOf(kind: 'command' | 'poll'): Promise<Profile> {
    if (this.found) return this.found;
    const found = await located(this.profile, (run) => this.ask(kind, run));
    this.found = found;
    this.registerAs(found);
    return found;
  }

  /** The menu of what was found may be a smaller one. */
  private registerAs(found: Profile): void {
    const menu = menuOf(found, this.config.name, this.config.program);
    if (JSON.stringify(menu) === JSON.stringify(this.menu)) return;
    this.menu = menu;
    this.register();
  }

  private register(): void {
    this.events?.flexibility(this.store ? this.store.over(this.menu) : this.menu);
  }

  private readonly ask: AskAs = (kind, run) => this.deps.bus.request(this.config.unitId, kind, run);

  private async poll(): Promise<void> {
    const { bus } = this.deps;
    if (!bus.isOpen || !this.events) return;
    // What is read was so no earlier than it was asked for; a command may come in between.
    const { clock } = this.deps;
    const at = { receivedMs: clock.wallMs(), receivedElapsedMs: clock.elapsedMs(), meterTimeMs: null };
    try {
      const profile = await this.profileOf('poll');
      await this.verify();
      const readings = await readingsOf(profile, (run) => this.ask('poll', run));
      this.misses = 0;
      // What it holds is known before it is told anything: who does not know how warm a tank is lets it be heated,
      // and who does not know what it draws takes that for the rest of the house.
      this.stored(readings);
      this.events?.measured(measurementsOf(this.id, at, profile, readings, this.written?.setPoint_W ?? null));
      this.setHealth('ok', null);
      await this.reassert(profile);
    } catch (error) {
      this.missed(faultOf(error));
    }
  }

  /**
   * A device may lose its power and be back between two polls, and others may write to it: what it holds is compared
   * with what it was told each time.
   */
  private async verify(): Promise<void> {
    const told = this.written;
    if (!told || this.running) return;
    const other = await differing(told.writes, 'poll', this.ask);
    // A command that came in between has its own read-back.
    if (other === null || this.written !== told || this.running) return;
    this.written = null;
    this.isPrepared = false;
    this.events?.lost?.(fault('SET_POINT_LOST', `it was told ${other.wanted}, it holds ${other.held}`));
  }

  private stored(reading: StoreReading): void {
    if (this.store?.take(reading)) this.register();
  }

  private missed(reason: Fault): void {
    this.misses += 1;
    this.events?.fault(reason);
    if (reason.code === 'LINK_GONE') return;
    if (this.misses >= SILENT_AFTER) this.setHealth(ANSWERS.has(reason.code) ? 'faulty' : 'silent', reason);
  }

  /** A device that falls back without commands is told again. */
  private async reassert(profile: Profile): Promise<void> {
    const { clock } = this.deps;
    const { reassertMs } = profile;
    if (
      !this.written ||
      this.running ||
      reassertMs === null ||
      clock.elapsedMs() - this.written.atMs < reassertMs
    )
      return;
    const told = this.written;
    const isTaken = await this.write(profile, told.writes, false).then(
      () => true,
      () => false,
    );
    // One that failed is tried again at the next poll, when it is also seen what the device holds.
    if (!this.running) this.written ??= isTaken ? { ...told, atMs: clock.elapsedMs() } : told;
  }

  private forget(): void {
    this.written = null;
    this.found = null;
    this.isPrepared = false;
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    // It may be restarted, or another one, when it is heard again.
    if (health !== 'ok') this.forget();
    this.events?.health(health, reason);
    if (health !== 'ok') this.stored(NOTHING_READ);
  }

  private report(
    instruction: Instruction,
    status: Parameters<ResourceEvents['status']>[1],
    reason: Fault | null,
  ): void {
    this.events?.status(instruction, status, reason);
  }
}
