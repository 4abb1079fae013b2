/**
 * An appliance behind a switched plug (coil 0, power in input register 0): once it has power it starts its program by
 * itself, and after a loss of power it goes on where it was. It can be told to misbehave.
 */
import { ModbusTwin } from './modbus-device.ts';
import type { Appliance } from './world.ts';

export interface Step {
  readonly minutes: number;
  readonly power_W: number;
}

/** An Eco program: heating, washing, heating for the rinse, drying. */
export const DISHWASHER: readonly Step[] = [
  { minutes: 20, power_W: 2000 },
  { minutes: 50, power_W: 80 },
  { minutes: 15, power_W: 2000 },
  { minutes: 20, power_W: 0 },
];

const MINUTE_MS = 60_000;
const STANDBY_W = 1;

export class ApplianceTwin implements Appliance {
  readonly twin = new ModbusTwin();
  /** Its door is open: with power it stands by. */
  isOpen = false;
  /** Of its stated length, what it really takes. */
  lengthFactor = 1;
  /** How often it is loaded: with power and something in it a cycle begins. */
  loads = Infinity;
  begun = 0;
  finished = 0;
  /** How often it lost power by its plug with a cycle under way. */
  interrupted = 0;
  /** Of the cycle under way. */
  doneMs = 0;
  private readonly steps: readonly Step[];
  private isResting = false;
  private hadPower = false;
  private lastMs: number;

  constructor(steps: readonly Step[], nowMs: number, wallMs: () => number) {
    this.steps = steps;
    this.lastMs = nowMs;
    this.twin.refresh = () => void this.twin.registers.input.set(0, Math.round(this.power_W(wallMs())));
    this.twin.onWrite = ({ value }) => {
      const isCut = this.hadPower && value === 0 && !this.isOn();
      this.hadPower = this.isOn();
      if (!isCut) return;
      if (this.doneMs > 0) this.interrupted += 1;
      this.isResting = false;
    };
  }

  get lengthMs(): number {
    return this.steps.reduce((sum, { minutes }) => sum + minutes, 0) * MINUTE_MS * this.lengthFactor;
  }

  /** The whole home loses power for a moment, and the plug comes back switched off. */
  outage(): void {
    this.twin.registers.coils.set(0, 0);
    this.hadPower = false;
    this.isResting = false;
  }

  power_W(atMs: number): number {
    const spanMs = Math.max(0, atMs - this.lastMs);
    this.lastMs = Math.max(atMs, this.lastMs);
    if (!this.isOn()) return 0;
    if (this.isOpen || this.isResting) return STANDBY_W;
    if (this.doneMs === 0) this.begins();
    if (this.isResting) return STANDBY_W;
    this.doneMs += spanMs;
    if (this.doneMs >= this.lengthMs) return this.ends();
    return this.drawn_W();
  }

  private isOn(): boolean {
    return this.twin.registers.coils.get(0) === 1;
  }

  private begins(): void {
    this.isResting = this.loads < 1;
    if (this.isResting) return;
    this.loads -= 1;
    this.begun += 1;
  }

  /** It stands by until it loses power and has it again. */
  private ends(): number {
    this.finished += 1;
    this.doneMs = 0;
    this.isResting = true;
    return STANDBY_W;
  }

  private drawn_W(): number {
    let untilMs = 0;
    for (const { minutes, power_W } of this.steps) {
      untilMs += minutes * MINUTE_MS * this.lengthFactor;
      if (this.doneMs < untilMs) return power_W + STANDBY_W;
    }
    return STANDBY_W;
  }
}
