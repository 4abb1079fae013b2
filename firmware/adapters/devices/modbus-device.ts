/** A Modbus device with a product profile, as a resource manager. */
import { type Fault, fault, faultOf } from '../../domain/errors.ts';
import type { Instruction } from '../../domain/instruction.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Measurement } from '../../domain/measurement.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../domain/resource-manager.ts';
import type { WriteBudget } from '../../domain/storage.ts';
import { type Cancel, type Clock, every } from '../../domain/time.ts';
import type { Profile } from '../profiles/schema.ts';
import { menuOf, rawOf } from './control.ts';
import type { ModbusBus, ModbusClient } from './modbus-bus.ts';
import { readRaw, readRegister, writeRaw } from './registers.ts';

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

export class ModbusDevice implements ResourceManager {
  readonly id: string;
  private readonly config: ModbusDeviceConfig;
  private readonly profile: Profile;
  private readonly deps: ModbusDeviceDeps;
  private events: ResourceEvents | null = null;
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
      this.written = null;
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
    const raw = rawOf(this.profile, instruction.setPoint_W);
    const obey = this.mustObey(instruction);
    this.report(instruction, 'STARTED', null);
    if (this.written?.raw === raw) return this.succeeded(instruction, raw);
    let reason: Fault = fault('INTERNAL');
    for (let attempt = 0; attempt < LIMITS.commandAttempts; attempt++) {
      const tried = await this.writeOnce(raw, obey);
      if (tried === null) return this.succeeded(instruction, raw);
      reason = tried;
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

  /** One write and its read-back; null when the device holds the value. */
  private async writeOnce(raw: number, obey: boolean): Promise<Fault | null> {
    const { bus, clock, writes } = this.deps;
    if (!bus.isOpen) return fault('LINK_GONE', 'the device is not connected');
    if (!writes.spend(this.id, clock.wallMs(), this.profile.writesPerDay) && !obey)
      return fault('WRITE_BUDGET_SPENT');
    const { register } = this.profile.control;
    // An answer may get lost although the value was taken: until it is read back nobody knows what the device holds.
    this.written = null;
    try {
      await bus.request(this.config.unitId, 'command', (client) => writeRaw(client, register, raw));
      const back = await bus.request(this.config.unitId, 'command', (client) => readRaw(client, register));
      return back === raw ? null : fault('READBACK_DIFFERS', `wrote ${raw}, the device holds ${back}`);
    } catch (error) {
      return faultOf(error);
    }
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
      await this.verify();
      const power = await this.pollRegister('power');
      const energy = await this.pollRegister('energy');
      this.misses = 0;
      this.setHealth('ok', null);
      this.measured(at, power, energy);
      await this.reassert();
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
    const { register } = this.profile.control;
    const held = await this.deps.bus.request(this.config.unitId, 'poll', (client) =>
      readRaw(client, register),
    );
    // A command that came in between has its own read-back.
    if (held === told.raw || this.written !== told || this.running) return;
    this.written = null;
    this.events?.lost?.(fault('SET_POINT_LOST', `it was told ${told.raw}, it holds ${held}`));
  }

  private pollRegister(name: 'power' | 'energy'): Promise<number | null> {
    const register = this.profile[name];
    if (!register) return Promise.resolve(null);
    return this.deps.bus.request(this.config.unitId, 'poll', (client: ModbusClient) =>
      readRegister(client, register),
    );
  }

  private missed(reason: Fault): void {
    this.misses += 1;
    this.events?.fault(reason);
    if (reason.code === 'LINK_GONE') return;
    const answered = reason.code === 'DEVICE_EXCEPTION' || reason.code === 'WRONG_ANSWER';
    if (this.misses >= SILENT_AFTER) this.setHealth(answered ? 'faulty' : 'silent', reason);
  }

  /** A device that falls back without commands is told again. */
  private async reassert(): Promise<void> {
    const { clock } = this.deps;
    const { reassertMs } = this.profile;
    if (
      !this.written ||
      this.running ||
      reassertMs === null ||
      clock.elapsedMs() - this.written.atMs < reassertMs
    )
      return;
    const told = this.written;
    const isTaken = (await this.writeOnce(told.raw, false)) === null;
    // One that failed is tried again at the next poll, when it is also seen what the device holds.
    if (!this.running) this.written ??= isTaken ? { ...told, atMs: clock.elapsedMs() } : told;
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
    // It may have been restarted meanwhile.
    if (health !== 'ok') this.written = null;
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
