/** A meter that is counted: S0 output, LED or reed contact → register and power. */
import type { Fault } from '../../../domain/errors.ts';
import { fault } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { Link } from '../../../domain/link.ts';
import type { Measurement } from '../../../domain/measurement.ts';
import type { MeterEvent } from '../../../domain/meter-event.ts';
import type { Quantity } from '../../../domain/quantity.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../../domain/resource-manager.ts';
import type { Settings } from '../../../domain/storage.ts';
import type { Quality } from '../../../domain/telegram.ts';
import { type Cancel, type Clock, type ElapsedMs, every, type WallMs } from '../../../domain/time.ts';
import { LinkKeeper } from '../keeper.ts';
import { Debounce } from './debounce.ts';
import { PulseRegister, readKept } from './register.ts';

export type PulseQuantity = keyof typeof MEASURED;

export interface PulseOptions {
  readonly id: string;
  readonly quantity: PulseQuantity;
  /** Pulses per kWh or per m3, as printed on the meter. */
  readonly constant: number;
  readonly debounceMs: number;
  /** What the meter's own display showed, in kWh or m3, and when. */
  readonly reading?: { readonly value: number; readonly atMs: WallMs };
  /** Another port of the same meter: its measurements. */
  readonly register?: (listener: (measurements: readonly Measurement[]) => void) => void;
  /** Where the counter is kept over a restart. */
  readonly settings?: Pick<Settings, 'get' | 'set'>;
}

/** One unit of the meter in the unit of the house, and the quantity of its rate per hour. */
const MEASURED = {
  activeEnergyImport: { unit: 1000, rate: 'activePowerImport' },
  activeEnergyExport: { unit: 1000, rate: 'activePowerExport' },
  heatEnergy: { unit: 1000, rate: 'heatPower' },
  volume: { unit: 1, rate: 'volumeFlow' },
} as const satisfies Partial<Record<Quantity, { unit: number; rate: Quantity }>>;

const TICK_MS = 1_000;
/** Without a pulse the power can only be less than one pulse since the last one: said so often. */
const QUIET_MS = 10_000;
const HOUR_MS = 3_600_000;

export class PulseMeter implements ResourceManager {
  readonly id: string;
  private readonly options: PulseOptions;
  private readonly clock: Clock;
  private readonly keeper: LinkKeeper;
  private readonly register: PulseRegister;
  /** What was counted before. */
  private readonly isUnreadable: boolean;
  private debounce: Debounce;
  private events: ResourceEvents | null = null;
  private health: ResourceHealth = 'connecting';
  private settling: Cancel = () => {};
  private stopTick: Cancel = () => {};
  private savedMs: ElapsedMs;
  private saved = '';
  private edges = 0;
  private fresh = 0;
  private lastPulseMs: ElapsedMs | null = null;
  private toldPulseMs: ElapsedMs | null = null;
  private toldMs: ElapsedMs = 0;
  /** By the last pulses. */
  private lastRate: number | null = null;
  /** The register of the other port as it came last, and its smallest step. */
  private other: { readonly value: number; readonly step: number } | null = null;

  constructor(options: PulseOptions, link: Link, clock: Clock) {
    this.id = options.id;
    this.options = options;
    this.clock = clock;
    this.savedMs = clock.elapsedMs();
    const text = options.settings?.get(this.name) ?? null;
    const kept = readKept(text);
    this.isUnreadable = text !== null && kept === null;
    this.register = new PulseRegister(options.constant, MEASURED[options.quantity].unit, kept);
    this.debounce = this.freshDebounce();
    this.keeper = new LinkKeeper(link, clock, Infinity, {
      bytes: (chunk, atMs) => this.take(chunk, atMs),
      opened: () => {
        this.debounce = this.freshDebounce();
        this.keeper.good();
        this.setHealth('ok', null);
      },
      lost: (reason) => {
        if (this.health === 'ok') this.register.missed();
        this.lastPulseMs = null;
        this.toldPulseMs = null;
        this.lastRate = null;
        this.events?.fault(reason);
        this.setHealth('silent', reason);
      },
    });
    options.register?.((measurements) => this.compare(measurements));
  }

  open(events: ResourceEvents): void {
    this.events = events;
    if (this.isUnreadable)
      events.fault(fault('BAD_VALUE', 'what was counted before the start cannot be read: it counts from 0'));
    this.note(this.register.events);
    const { reading, quantity } = this.options;
    if (reading) {
      const { unit } = MEASURED[quantity];
      const step = unit / 10 ** (String(reading.value).split('.')[1]?.length ?? 0);
      this.note(this.register.readByHand(reading.value * unit, step, reading.atMs));
    }
    this.save();
    this.stopTick = every(this.clock, TICK_MS, () => this.tick());
    this.keeper.start();
  }

  /** A meter takes no instruction. */
  instruct(): void {}

  async close(): Promise<void> {
    this.stopTick();
    this.settling();
    await this.keeper.stop();
    this.save();
    this.events = null;
  }

  private get name(): string {
    return `pulses/${this.options.id}`;
  }

  private freshDebounce(): Debounce {
    return new Debounce(this.options.debounceMs, (atMs) => {
      this.register.count();
      this.fresh += 1;
      this.lastPulseMs = atMs;
    });
  }

  private take(chunk: Uint8Array, atMs: ElapsedMs): void {
    for (const level of chunk) {
      this.edges += 1;
      if (this.edges > LIMITS.pulseEdgesPerSecond) continue;
      this.debounce.edge(level, atMs);
    }
    this.settling();
    this.settling = this.clock.after(this.options.debounceMs, () =>
      this.debounce.settle(this.clock.elapsedMs()),
    );
  }

  private tick(): void {
    if (this.edges > LIMITS.pulseEdgesPerSecond)
      this.events?.fault(
        fault('BAD_VALUE', `the input changed ${this.edges} times in a second: no meter does`),
      );
    this.edges = 0;
    const nowMs = this.clock.elapsedMs();
    if (this.fresh > 0) {
      this.lastRate = this.rate();
      this.tell(this.lastRate, 'good', true);
    } else if (this.lastPulseMs !== null && this.lastRate !== null && nowMs - this.toldMs >= QUIET_MS)
      this.tell(Math.min(this.lastRate, this.atMost(nowMs - this.lastPulseMs)), 'estimated', false);
    if (nowMs - this.savedMs >= LIMITS.storeBatchMs) this.save();
  }

  /** Per hour, between the last pulse of the report before and the last of this one; null at the first. */
  private rate(): number | null {
    if (this.toldPulseMs === null || this.lastPulseMs === null) return null;
    const spanMs = this.lastPulseMs - this.toldPulseMs;
    return spanMs <= 0 ? null : (this.fresh * this.register.valuePerPulse * HOUR_MS) / spanMs;
  }

  private atMost(quietMs: number): number {
    return (this.register.valuePerPulse * HOUR_MS) / quietMs;
  }

  private tell(rate: number | null, quality: Quality, withRegister: boolean): void {
    const { quantity } = this.options;
    const sure = this.register.kept.doubtful ? 'doubtful' : quality;
    this.toldMs = this.clock.elapsedMs();
    this.toldPulseMs = this.lastPulseMs;
    this.fresh = 0;
    const total = this.measurement(
      quantity,
      this.register.value,
      this.register.kept.doubtful ? 'doubtful' : 'good',
    );
    const now =
      rate === null ? [] : [this.measurement(MEASURED[quantity].rate, Number(rate.toPrecision(6)), sure)];
    const told = [...(withRegister ? [total] : []), ...now];
    if (told.length > 0) this.events?.measured(told);
  }

  private measurement(quantity: Quantity, value: number, quality: Quality): Measurement {
    return {
      point: { source: this.id, quantity, phase: 0, tariff: 0, channel: 0 },
      value,
      quality,
      meterTimeMs: null,
      receivedMs: this.clock.wallMs(),
      receivedElapsedMs: this.clock.elapsedMs(),
    };
  }

  private compare(measurements: readonly Measurement[]): void {
    const { quantity } = this.options;
    const total = measurements.find(
      ({ point: p }) => p.quantity === quantity && p.phase === 0 && p.tariff === 0 && p.channel === 0,
    );
    if (typeof total?.value !== 'number' || total.quality !== 'good') return;
    const { unit } = MEASURED[quantity];
    const grown = this.other === null ? 0 : total.value - this.other.value;
    const step = grown > 0 ? Math.min(this.other?.step ?? unit, grown) : (this.other?.step ?? unit);
    this.other = { value: total.value, step };
    if (this.events) this.note(this.register.readByPort(total.value, step));
  }

  private note(events: readonly MeterEvent[]): void {
    for (const event of events) this.events?.noted?.(event);
  }

  private save(): void {
    this.savedMs = this.clock.elapsedMs();
    const text = JSON.stringify(this.register.kept);
    if (text === this.saved) return;
    this.saved = text;
    this.options.settings?.set(this.name, text);
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    this.events?.health(health, reason);
  }
}
