/**
 * One meter on a wired M-Bus: read at its interval, within the budget of its battery, both kept over restarts. Between
 * readouts the line belongs to the others.
 */
import { newReadout, type ReadoutOptions, type ReadoutResult, step } from '../../../codecs/mbus/readout.ts';
import { statusOf } from '../../../codecs/mbus/status.ts';
import { type Fault, fault, faultOf } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../../domain/resource-manager.ts';
import type { Settings, WriteBudget } from '../../../domain/storage.ts';
import { type Cancel, type Clock, isWallPlausible } from '../../../domain/time.ts';
import { MbusReport } from '../mbus-report.ts';
import { politeIntervalMs, ReadBudget, SPENT_MS } from '../read-budget.ts';
import type { MbusBus } from './bus.ts';

export interface MbusMeterOptions extends ReadoutOptions {
  readonly id: string;
  readonly baudRate: number;
  /** From the start of one readout to the start of the next. */
  readonly intervalMs: number;
  /** Readouts a day that its battery can give, repetitions included; null for a meter that has its power from the bus or mains. */
  readonly readsPerDay: number | null;
}

/** What the home keeps for a meter. */
export interface MeterHome {
  readonly settings: Pick<Settings, 'get' | 'set'>;
  /** Counts readouts a day; null counts none. */
  readonly reads: Pick<WriteBudget, 'spend'> | null;
  readonly timeZone: string;
}

/** Good readouts further apart than this are remembered, so that a restart does not add one. */
const REMEMBERED_MS = 600_000;
const SILENT_CODES = new Set(['TIMEOUT', 'LINK_GONE', 'LINK_REFUSED', 'LINK_BUSY']);

export class MbusMeter implements ResourceManager {
  readonly id: string;
  private readonly options: MbusMeterOptions;
  private readonly bus: MbusBus;
  private readonly clock: Clock;
  private readonly home: MeterHome;
  private readonly intervalMs: number;
  private readonly budget: ReadBudget;
  private readonly report: MbusReport;
  private events: ResourceEvents | null = null;
  private health: ResourceHealth = 'connecting';
  private next: Cancel = () => {};
  private failures = 0;

  constructor(options: MbusMeterOptions, bus: MbusBus, clock: Clock, home: MeterHome) {
    this.id = options.id;
    this.options = options;
    this.bus = bus;
    this.clock = clock;
    this.home = home;
    this.intervalMs = politeIntervalMs(options.intervalMs, options.readsPerDay);
    this.budget = new ReadBudget(this.id, options.readsPerDay, home.reads, clock);
    this.report = new MbusReport({ id: this.id, ...home }, clock);
  }

  open(events: ResourceEvents): void {
    this.events = events;
    this.bus.attach();
    const restMs = this.restMs();
    if (restMs > 0) this.setHealth('ok', null);
    this.again(restMs);
  }

  /** A meter takes no instruction. */
  instruct(): void {}

  async close(): Promise<void> {
    if (!this.events) return;
    this.events = null;
    this.next();
    await this.bus.detach();
  }

  /** Of the interval in which it was read well before the gateway was restarted; 0 where there is no such. */
  private restMs(): number {
    const nowMs = this.clock.wallMs();
    const lastMs = Number(this.home.settings.get(this.setting()) ?? Number.NaN);
    const sinceMs = nowMs - lastMs;
    if (!isWallPlausible(nowMs) || !(sinceMs >= 0 && sinceMs < this.intervalMs)) return 0;
    return this.intervalMs - sinceMs;
  }

  private async cycle(): Promise<void> {
    const startedMs = this.clock.elapsedMs();
    if (!this.budget.spend()) return this.spent();
    const reason = await this.readout().catch((error: unknown) => faultOf(error, 'LINK_GONE'));
    if (!this.events) return;
    if (reason) this.failed(reason);
    else {
      this.failures = 0;
      this.remember();
      this.setHealth('ok', null);
    }
    const sinceMs = this.clock.elapsedMs() - startedMs;
    this.again(reason ? this.backoffMs() : Math.max(0, this.intervalMs - sinceMs));
  }

  private again(afterMs: number): void {
    this.next = this.clock.after(afterMs, () => void this.cycle());
  }

  private spent(): void {
    this.events?.fault(fault('READ_BUDGET_SPENT'));
    this.again(SPENT_MS);
  }

  private failed(reason: Fault): void {
    this.failures += 1;
    this.events?.fault(reason);
    if (this.failures >= 2) this.setHealth(SILENT_CODES.has(reason.code) ? 'silent' : 'faulty', reason);
  }

  /** Doubled from 10 s up to the interval: what is out of order is not asked more often than what works. */
  private backoffMs(): number {
    const longestMs = Math.max(this.intervalMs, LIMITS.mbusRetryMs);
    return Math.min(LIMITS.mbusRetryMs * 2 ** Math.min(this.failures - 1, 16), longestMs);
  }

  private async readout(): Promise<Fault | null> {
    const end = await this.bus.run(
      { start: newReadout(), step: (state, outcome) => step(state, outcome, this.options) },
      this.options.baudRate,
    );
    if (end.name !== 'done') return fault('INTERNAL', `the readout ended in ${end.name}`);
    if (end.result.telegrams.length > 0) this.take(end.result);
    return end.result.reason;
  }

  private take({ telegrams, frames }: ReadoutResult): void {
    const statuses = frames.flatMap((frame) => statusOf(frame) ?? []);
    const meter = telegrams.find((telegram) => telegram.meter?.id !== undefined)?.meter?.id ?? '';
    if (this.events) this.report.tell(this.events, telegrams, statuses, meter);
  }

  private remember(): void {
    if (this.intervalMs >= REMEMBERED_MS) this.home.settings.set(this.setting(), String(this.clock.wallMs()));
  }

  private setting(): string {
    return `mbus.${this.id}.read`;
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    this.events?.health(health, reason);
  }
}
