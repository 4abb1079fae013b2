/** A device in simulated time that does what it is told a moment later, and what a meter or device says. */
import type { DeviceImage } from '../../firmware/domain/image.ts';
import type { Instruction } from '../../firmware/domain/instruction.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { ResourceEvents, ResourceManager } from '../../firmware/domain/resource-manager.ts';
import type { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';

const FOLLOWS_MS = 300;

/** Does what it is told, and says what it draws when it is polled. */
export class Obedient implements ResourceManager {
  readonly id: string;
  /** What it was told last and has taken. */
  told_W = 0;
  commands = 0;
  private readonly device: DeviceImage;
  private readonly clock: SimulatedClock;
  private readonly pollMs: number;
  private readonly draws: (told_W: number) => number;
  private events: ResourceEvents | null = null;
  private latest: Instruction | null = null;

  /** @param draws what it draws of what it is told, W */
  constructor(
    device: DeviceImage,
    clock: SimulatedClock,
    pollMs: number,
    draws: (told_W: number) => number = (told_W) => told_W,
  ) {
    this.id = device.id;
    this.device = device;
    this.clock = clock;
    this.pollMs = pollMs;
    this.draws = draws;
  }

  get power_W(): number {
    return this.draws(this.told_W);
  }

  open(events: ResourceEvents): void {
    this.events = events;
    events.flexibility(this.device.flexibility);
    events.health('ok', null);
    const poll = (): void => {
      events.measured(measured(this.id, this.power_W, this.clock));
      this.clock.after(this.pollMs, poll);
    };
    this.clock.after(100, poll);
  }

  instruct(instruction: Instruction): void {
    this.latest = instruction;
    this.commands += 1;
    this.events?.status(instruction, 'STARTED', null);
    this.clock.after(FOLLOWS_MS, () => {
      if (this.latest !== instruction) return;
      this.told_W = instruction.setPoint_W;
      this.events?.status(instruction, 'SUCCEEDED', null);
    });
  }

  async close(): Promise<void> {}
}

export const measured = (source: string, value: number, clock: SimulatedClock): Measurement[] => [
  {
    point: { source, phase: 0, tariff: 0, channel: 0, quantity: 'activePower' },
    value,
    quality: 'good',
    receivedMs: clock.wallMs(),
    receivedElapsedMs: clock.elapsedMs(),
    meterTimeMs: null,
  },
];
