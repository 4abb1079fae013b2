/** A meter of IEC 62056-21 that is asked: a visit every interval, with back-off when it fails. */
import { clockOf, type Password, type Read } from '../../codecs/iec62056-21/index.ts';
import { type Fault, fault, faultOf } from '../../domain/errors.ts';
import type { Link } from '../../domain/link.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../domain/resource-manager.ts';
import type { Settings, WriteBudget } from '../../domain/storage.ts';
import type { Telegram } from '../../domain/telegram.ts';
import type { Cancel, Clock } from '../../domain/time.ts';
import { ClockWatch } from './clock-watch.ts';
import { Dialogue } from './dialogue.ts';
import { historyOf } from './history.ts';
import { type Findings, type Visit, visit } from './iec-reading.ts';
import { measurementsOf } from './measurements.ts';
import { ProfileGaps } from './profile-gaps.ts';
import { type ProfileOptions, ProfilePlan } from './profile-plan.ts';
import { politeIntervalMs, ReadBudget, retryMs, SPENT_MS } from './read-budget.ts';
import { StoredValues } from './stored-values.ts';

export interface PolledOptions {
  readonly id: string;
  readonly address: string;
  /** From the start of one readout to the start of the next. */
  readonly intervalMs: number;
  readonly timeZone: string;
  /** Speed of the first contact; absent is 300. */
  readonly baudRate?: number;
  /** It lives on a battery. */
  readonly wakeUp?: boolean;
  /** Visits a day that its battery can give; null without bound. Absent is `BATTERY_READS_PER_DAY` with `wakeUp`. */
  readonly readsPerDay?: number | null;
  /** Counts them. */
  readonly reads?: Pick<WriteBudget, 'spend'>;
  readonly password?: Password;
  /** Codes to read in programming mode; without codes and profile the readout is read. */
  readonly registers?: readonly string[];
  readonly profile?: ProfileOptions;
  /** Where it is kept how far the profile is known. */
  readonly settings?: Pick<Settings, 'get' | 'set'>;
}

/** As of a battery meter on an M-Bus: once an hour. */
const BATTERY_READS_PER_DAY = 24;

/** A meter that kept to the first speed is offered the higher one again after so many failures. */
const STAY_FAILURES = 4;

/** Meters lock themselves after some wrong passwords: it is tried seldom. */
const WRONG_PASSWORD_MS = 3_600_000;

function planOf(profile: ProfileOptions, { id, timeZone, settings }: PolledOptions): ProfilePlan {
  const gaps = new ProfileGaps({
    ...profile,
    name: `profile/${id}/${profile.name}`,
    settings: settings ?? null,
  });
  return new ProfilePlan(profile, gaps, timeZone);
}

export class PolledMeter implements ResourceManager {
  readonly id: string;
  private readonly options: PolledOptions;
  private readonly link: Link;
  private readonly clock: Clock;
  private readonly watch: ClockWatch;
  private readonly intervalMs: number;
  private readonly budget: ReadBudget;
  private readonly plan: ProfilePlan | null;
  private readonly stored: StoredValues;
  private events: ResourceEvents | null = null;
  private health: ResourceHealth = 'connecting';
  private next: Cancel = () => {};
  private failures = 0;
  /** The meter offers a speed and keeps to another: it is asked to stay. */
  private stay = false;
  private meter: string | null = null;

  constructor(options: PolledOptions, link: Link, clock: Clock) {
    this.id = options.id;
    this.options = options;
    this.link = link;
    this.clock = clock;
    this.watch = new ClockWatch(options.id, options.timeZone);
    const { id, intervalMs, wakeUp = false, readsPerDay = wakeUp ? BATTERY_READS_PER_DAY : null } = options;
    this.intervalMs = politeIntervalMs(intervalMs, readsPerDay);
    this.budget = new ReadBudget(id, readsPerDay, options.reads ?? null, clock);
    this.plan = options.profile ? planOf(options.profile, options) : null;
    this.stored = new StoredValues(options.timeZone);
  }

  open(events: ResourceEvents): void {
    this.events = events;
    void this.cycle();
  }

  /** A meter takes no instruction. */
  instruct(): void {}

  async close(): Promise<void> {
    this.events = null;
    this.next();
    await this.link.close();
  }

  private async cycle(): Promise<void> {
    const startedMs = this.clock.elapsedMs();
    if (!this.budget.spend()) {
      this.events?.fault(fault('READ_BUDGET_SPENT'));
      this.again(SPENT_MS);
      return;
    }
    this.plan?.gaps.save(startedMs);
    const reason = await this.read().catch((error: unknown) => faultOf(error, 'LINK_GONE'));
    await this.link.close().catch(() => {});
    if (!this.events) return;
    if (reason) this.failed(reason);
    else {
      this.failures = 0;
      this.setHealth('ok', null);
    }
    const tookMs = this.clock.elapsedMs() - startedMs;
    this.again(reason ? this.backoffMs(reason) : Math.max(0, this.intervalMs - tookMs));
  }

  private again(afterMs: number): void {
    this.next = this.clock.after(afterMs, () => void this.cycle());
  }

  private backoffMs({ code }: Fault): number {
    if (code === 'NOT_ALLOWED') return Math.max(WRONG_PASSWORD_MS, this.intervalMs);
    return retryMs(this.failures, this.intervalMs);
  }

  private async read(): Promise<Fault | null> {
    const dialogue = await Dialogue.open(this.link, this.clock);
    const startedMs = this.clock.wallMs();
    const findings = await visit(dialogue, this.wanted());
    if (findings.telegram) this.take(findings.telegram, startedMs);
    this.takeProfile(findings);
    for (const refused of findings.refused) this.events?.fault(refused);
    return findings.reason;
  }

  private wanted(): Visit {
    const { address, baudRate = 300, wakeUp = false, timeZone, registers = [], password } = this.options;
    const single: Read[] = registers.map((code) => ({ name: 'R1', address: code, argument: '' }));
    const reads = [...single, ...(this.plan?.reads(this.clock.wallMs()) ?? [])];
    const wantsProgramming = registers.length > 0 || this.plan !== null;
    return {
      address,
      baudRate,
      wakeUp,
      timeZone,
      stay: this.stay,
      programming: wantsProgramming
        ? { password: password ?? null, reads, afterMs: this.plan?.gaps.knownMs ?? 0 }
        : null,
    };
  }

  private take(telegram: Telegram, startedMs: number): void {
    const { events } = this;
    if (!events) return;
    const received = { source: this.id, wallMs: this.clock.wallMs(), elapsedMs: this.clock.elapsedMs() };
    const clock = clockOf(telegram.readings, this.options.timeZone);
    const measured = measurementsOf(telegram, received, clock?.atMs ?? null);
    if (clock) {
      // The meter freezes its values as it begins to send: that is the instant to compare with.
      const seen = this.watch.see(clock.atMs, clock.season, startedMs, received.elapsedMs);
      if (seen.drift) measured.push(seen.drift);
      for (const event of seen.events) events.noted?.(event);
    }
    const meter = telegram.meter?.id ?? null;
    if (meter !== null && this.meter !== null && meter !== this.meter)
      events.noted?.({ code: 'METER_REPLACED', atMs: null, detail: { before: this.meter, now: meter } });
    this.meter = meter ?? this.meter;
    events.measured(measured);
    const stored = this.stored.take(telegram.readings, received);
    if (stored.length > 0) events.history?.(stored);
  }

  private takeProfile({ profile, profileAnswers }: Findings): void {
    if (!this.plan) return;
    const afterMs = this.plan.gaps.knownMs;
    const values = historyOf(profile, this.id, afterMs, this.clock.elapsedMs());
    this.plan.took(profileAnswers, profile, this.clock.elapsedMs());
    if (values.length > 0) this.events?.history?.(values);
    for (const { startMs, status } of profile) {
      if (status === 0 || startMs <= afterMs) continue;
      this.events?.noted?.({ code: 'PROFILE_EVENT', atMs: startMs, detail: { status: status.toString(16) } });
    }
  }

  private failed(reason: Fault): void {
    this.failures += 1;
    this.events?.fault(reason);
    if (reason.code === 'NOT_ALLOWED') this.setHealth('faulty', reason);
    else if (this.failures >= 2) this.setHealth('silent', reason);
    if (reason.code === 'WRONG_SPEED' && !this.stay) {
      this.stay = true;
      this.events?.noted?.({ code: 'KEEPS_FIRST_SPEED', atMs: null, detail: { reason: reason.message } });
    } else if (this.stay && this.failures >= STAY_FAILURES) this.stay = false;
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    this.events?.health(health, reason);
  }
}
