/** A Modbus device with a product profile, as a resource manager. */
import { type Fault, fault, faultOf, HearthError } from '../../domain/errors.ts';
import type { Instruction } from '../../domain/instruction.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Measurement } from '../../domain/measurement.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../domain/resource-manager.ts';
import type { WriteBudget } from '../../domain/storage.ts';
import { type Cancel, type Clock, every } from '../../domain/time.ts';
import type { Profile, Register } from '../profiles/schema.ts';
import { menuOf, rawOf } from './control.ts';
import type { ModbusBus, ModbusClient } from './modbus-bus.ts';
import { readRaw, readRegister, writeRaw } from './registers.ts';
import { located } from './sunspec.ts';

export interface ModbusDeviceConfig {
  readonly id: string;
  readonly name: string;
  readonly unitId: number;
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

const enableOf = (control: Profile['control']) =>
  control.kind === 'productionPercent' ? control.enable : undefined;

export class ModbusDevice implements ResourceManager {
  readonly id: string;
  private readonly config: ModbusDeviceConfig;
  private readonly profile: Profile;
  private readonly deps: ModbusDeviceDeps;
  private events: ResourceEvents | null = null;
  /** The profile as this very device has it; null until it was asked. */
  private found: Profile | null = null;
  private stopPoll: Cancel = () => {};
  private health: ResourceHealth = 'connecting';
  private misses = 0;
  /** The instruction that is being carried out, and one that waits for it to end. */
  private running: Instruction | null = null;
  private waiting: Instruction | null = null;
  private written: { readonly raw: number; readonly setPoint_W: number; readonly atMs: number } | null = null;

  constructor(config: ModbusDeviceConfig, profile: Profile, deps: ModbusDeviceDeps) {
    this.id = config.id;
    this.config = config;
    this.profile = profile;
    this.deps = deps;
  }

  open(events: ResourceEvents): void {
    this.events = events;
    events.flexibility(menuOf(this.profile, this.config.name));
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
        const raw = rawOf(profile, instruction.setPoint_W);
        if (this.written?.raw !== raw) await this.write(profile, raw, obey);
        return this.succeeded(instruction, raw);
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
  private mustObey(instruction: Instruction): boolean {
    if (!instruction.abnormal || this.written === null) return instruction.abnormal;
    return Math.abs(instruction.setPoint_W) < Math.abs(this.written.setPoint_W);
  }

  /** Writes and reads back. Throws a coded error unless the device holds the value then. */
  private async write({ control, writesPerDay }: Profile, raw: number, obey: boolean): Promise<void> {
    const { bus, clock, writes } = this.deps;
    if (!bus.isOpen) throw new HearthError('LINK_GONE', 'the device is not connected');
    if (!writes.spend(this.id, clock.wallMs(), writesPerDay) && !obey)
      throw new HearthError('WRITE_BUDGET_SPENT');
    // An answer may get lost although the value was taken: until it is read back nobody knows what the device holds.
    this.written = null;
    await this.ask('command', (client) => writeRaw(client, control.register, raw));
    // Written each time: some take a new limit only when it is enabled anew.
    const enable = enableOf(control);
    if (enable) await this.ask('command', (client) => writeRaw(client, enable.register, enable.value));
    const held = await this.held(control, 'command');
    if (held !== raw) throw new HearthError('READBACK_DIFFERS', `wrote ${raw}, the device holds ${held}`);
  }

  /** What the device holds, null when it is not in force. */
  private async held(control: Profile['control'], kind: 'command' | 'poll'): Promise<number | null> {
    const held = await this.ask(kind, (client) => readRaw(client, control.register));
    const enable = enableOf(control);
    if (!enable) return held;
    return (await this.ask(kind, (client) => readRaw(client, enable.register))) === enable.value
      ? held
      : null;
  }

  /** What a device's own addresses and scales are is asked once after each time that it was away. */
  private async profileOf(kind: 'command' | 'poll'): Promise<Profile> {
    const found = this.found ?? (await located(this.profile, (run) => this.ask(kind, run)));
    this.found = found;
    return found;
  }

  private ask<T>(kind: 'command' | 'poll', run: (client: ModbusClient) => Promise<T>): Promise<T> {
    return this.deps.bus.request(this.config.unitId, kind, run);
  }

  private succeeded(instruction: Instruction, raw: number): void {
    this.written = { raw, setPoint_W: instruction.setPoint_W, atMs: this.deps.clock.elapsedMs() };
    this.report(instruction, 'SUCCEEDED', null);
  }

  private async poll(): Promise<void> {
    const { bus } = this.deps;
    if (!bus.isOpen || !this.events) return;
    // What is read was so no earlier than it was asked for; a command may come in between.
    const { clock } = this.deps;
    const at = { receivedMs: clock.wallMs(), receivedElapsedMs: clock.elapsedMs(), meterTimeMs: null };
    try {
      const profile = await this.profileOf('poll');
      await this.verify(profile);
      const power = await this.pollRegister(profile.power);
      const energy = await this.pollRegister(profile.energy);
      this.misses = 0;
      this.setHealth('ok', null);
      this.measured(at, power, energy);
      await this.reassert(profile);
    } catch (error) {
      this.missed(faultOf(error));
    }
  }

  /**
   * A device may lose its power and be back between two polls, and others may write to it: what it holds is compared
   * with what it was told each time.
   */
  private async verify({ control }: Profile): Promise<void> {
    const told = this.written;
    if (!told || this.running) return;
    const held = await this.held(control, 'poll');
    // A command that came in between has its own read-back.
    if (held === told.raw || this.written !== told || this.running) return;
    this.written = null;
    this.events?.lost?.(fault('SET_POINT_LOST', `it was told ${told.raw}, it holds ${held}`));
  }

  private pollRegister(register: Register | undefined): Promise<number | null> {
    return register ? this.ask('poll', (client) => readRegister(client, register)) : Promise.resolve(null);
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
    const isTaken = await this.write(profile, told.raw, false).then(
      () => true,
      () => false,
    );
    // One that failed is tried again at the next poll, when it is also seen what the device holds.
    if (!this.running) this.written ??= isTaken ? { ...told, atMs: clock.elapsedMs() } : told;
  }

  private forget(): void {
    this.written = null;
    this.found = null;
  }

  private measured(
    at: Pick<Measurement, 'receivedMs' | 'receivedElapsedMs' | 'meterTimeMs'>,
    power_W: number | null,
    energy_Wh: number | null,
  ): void {
    const point = { source: this.id, phase: 0, tariff: 0, channel: 0 } as const;
    const out: Measurement[] = [];
    const value = power_W ?? this.assumed_W();
    out.push({
      ...at,
      point: { ...point, quantity: 'activePower' },
      value,
      quality: this.profile.power ? 'good' : 'estimated',
    });
    if (energy_Wh !== null)
      out.push({ ...at, point: { ...point, quantity: 'activeEnergy' }, value: energy_Wh, quality: 'good' });
    this.events?.measured(out);
  }

  /** Without a power register: what was commanded, null when that is not known. */
  private assumed_W(): number | null {
    return this.profile.power ? null : (this.written?.setPoint_W ?? null);
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    // It may be restarted, or another one, when it is heard again.
    if (health !== 'ok') this.forget();
    this.events?.health(health, reason);
  }

  private report(
    instruction: Instruction,
    status: Parameters<ResourceEvents['status']>[1],
    reason: Fault | null,
  ): void {
    this.events?.status(instruction, status, reason);
  }
}
