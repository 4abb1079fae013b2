/** A meter that is asked over DLMS/COSEM: a visit every interval, with back-off when it fails. */
import type { CosemInstant, Security } from '../../../codecs/dlms/index.ts';
import type { ProfileSection } from '../../../codecs/load-profile.ts';
import { type Fault, faultOf } from '../../../domain/errors.ts';
import type { LineSettings, Link } from '../../../domain/link.ts';
import type { ResourceEvents, ResourceHealth, ResourceManager } from '../../../domain/resource-manager.ts';
import type { Telegram } from '../../../domain/telegram.ts';
import type { Cancel, Clock, ElapsedMs } from '../../../domain/time.ts';
import { ClockWatch } from '../clock-watch.ts';
import { Dialogue } from '../dialogue.ts';
import { historyOf } from '../history.ts';
import { LinkTurns } from '../link-turns.ts';
import { measurementsOf, type Received } from '../measurements.ts';
import { ProfileGaps } from '../profile-gaps.ts';
import { retryMs } from '../read-budget.ts';
import { ReplayGuard } from '../replay-guard.ts';
import { InvocationCounter } from './invocation-counter.ts';
import { type DlmsConfig, securityOf, sessionOptions } from './options.ts';
import type { Counters } from './talk.ts';
import { EMPTY_BOOK, type MeterBook, visit } from './visit.ts';

/** Meters lock themselves after some wrong passwords or proofs: what a person must put right is tried seldom. */
const HOPELESS = new Set([
  'PASSWORD_WRONG',
  'KEY_WRONG',
  'KEY_MISSING',
  'SECRET_MISSING',
  'UNSUPPORTED',
  'CONFIG_INVALID',
]);
const HOPELESS_MS = 3_600_000;
/** A meter that was left in HDLC goes back to its sign-on after two minutes of silence (IEC 62056-21, annex B). */
const HDLC_LINGERS_MS = 120_000;

export class DlmsMeter implements ResourceManager {
  readonly id: string;
  private readonly config: DlmsConfig;
  private readonly link: Link;
  private readonly clock: Clock;
  private readonly watch: ClockWatch;
  private readonly turns: LinkTurns;
  private readonly gaps: ProfileGaps | null;
  private counters: Counters | null = null;
  private book: MeterBook = EMPTY_BOOK;
  private events: ResourceEvents | null = null;
  private health: ResourceHealth = 'connecting';
  private next: Cancel = () => {};
  private failures = 0;
  private wantsCounter = false;
  /** Some meters answer no SNRM that proposes something: then nothing is proposed. */
  private plain = false;
  private proposalWorks = false;
  private left: { readonly line: LineSettings; readonly atMs: ElapsedMs } | null = null;

  constructor(config: DlmsConfig, link: Link, clock: Clock, turns: LinkTurns = new LinkTurns()) {
    this.turns = turns;
    this.id = config.id;
    this.config = config;
    this.link = link;
    this.clock = clock;
    this.watch = new ClockWatch(config.id, config.timeZone);
    const { profile } = config.dlms;
    const name = `profile/${config.id}/${profile?.code}`;
    this.gaps = profile && new ProfileGaps({ ...profile, name, settings: config.settings });
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
    this.counters?.meter.close();
  }

  private async cycle(): Promise<void> {
    const startedMs = this.clock.elapsedMs();
    this.gaps?.save(startedMs);
    const reason = await this.turns.take(() => this.onLink());
    if (!this.events) return;
    if (reason) this.failed(reason);
    else this.succeeded();
    const tookMs = this.clock.elapsedMs() - startedMs;
    const dueMs = reason ? this.backoffMs(reason) : Math.max(0, this.config.intervalMs - tookMs);
    this.next = this.clock.after(dueMs, () => void this.cycle());
  }

  private async onLink(): Promise<Fault | null> {
    if (!this.events) return null;
    const reason = await this.read().catch((error: unknown) => faultOf(error, 'LINK_GONE'));
    await this.link.close().catch(() => {});
    return reason;
  }

  private backoffMs({ code }: Fault): number {
    if (HOPELESS.has(code)) return Math.max(HOPELESS_MS, this.config.intervalMs);
    return retryMs(this.failures, this.config.intervalMs);
  }

  private async read(): Promise<Fault | null> {
    const security = securityOf(this.config);
    if (!security.ok) return security.error;
    this.counters ??= this.countersOf(security.value);
    const { counters } = this;
    const lastCounter = (title: Uint8Array): number => counters?.meter.lastOf(title) ?? -1;
    const session = sessionOptions(this.config, security.value, lastCounter, this.plain);
    if (!session.ok) return session.error;
    const { dlms, address, timeZone } = this.config;
    const dialogue = await Dialogue.open(this.link, this.clock);
    const wanted = {
      dlms,
      address,
      timeZone,
      session: session.value,
      counters,
      wantsCounter: this.wantsCounter,
      cutOff: this.cutOff(),
      stretches: this.gaps?.stretches(this.clock.wallMs()) ?? [],
    };
    this.book = await visit(dialogue, wanted, this.book, {
      clock: (clock) => this.takeClock(clock),
      values: (telegram, clock) => this.take(telegram, clock),
      profile: (section, completeMs) => this.takeProfile(section, completeMs),
      replaced: (before, now) =>
        this.events?.noted?.({ code: 'METER_REPLACED', atMs: null, detail: { before, now } }),
      fault: (reason) => this.events?.fault(reason),
      line: (line) => {
        this.left = line && { line, atMs: this.clock.elapsedMs() };
      },
    });
    return null;
  }

  /** Null without ciphering, or without a place to keep counters: then nothing ciphered may be sent. */
  private countersOf(security: Security | null): Counters | null {
    if (!security) return null;
    const { id, settings } = this.config;
    const kept = settings ?? { get: () => null, set: () => {} };
    const own = new InvocationCounter(id, security.key, kept);
    this.wantsCounter = !own.known;
    return { own, meter: new ReplayGuard({ id, key: security.key, clock: this.clock, settings: kept }) };
  }

  /** The line on which the meter was left alone, while it is still there. */
  private cutOff(): LineSettings | null {
    const { left } = this;
    this.left = null;
    return left && this.clock.elapsedMs() - left.atMs < HDLC_LINGERS_MS ? left.line : null;
  }

  private take(telegram: Telegram, clock: CosemInstant | null): void {
    this.events?.measured(measurementsOf(telegram, this.received(), clock?.atMs ?? null));
  }

  private takeClock({ atMs, season }: CosemInstant): void {
    const { wallMs, elapsedMs } = this.received();
    const { drift, events } = this.watch.see(atMs, season, wallMs, elapsedMs);
    if (drift) this.events?.measured([drift]);
    for (const event of events) this.events?.noted?.(event);
  }

  private received(): Received {
    return { source: this.id, wallMs: this.clock.wallMs(), elapsedMs: this.clock.elapsedMs() };
  }

  private takeProfile(section: ProfileSection, completeMs: number): void {
    if (!this.gaps) return;
    const elapsedMs = this.clock.elapsedMs();
    const values = historyOf([section], this.id, this.gaps.knownMs, elapsedMs);
    if (values.length > 0) this.events?.history?.(values);
    // A visit that got something done before it broke off is no reason to wait longer.
    this.failures = 0;
    this.gaps.took(completeMs, elapsedMs);
  }

  private succeeded(): void {
    this.failures = 0;
    this.wantsCounter = false;
    this.proposalWorks ||= !this.plain;
    this.setHealth('ok', null);
  }

  private failed(reason: Fault): void {
    this.failures += 1;
    this.events?.fault(reason);
    if (HOPELESS.has(reason.code)) this.setHealth('faulty', reason);
    else if (this.failures >= 2) this.setHealth('silent', reason);
    if (reason.code === 'TIMEOUT' && !this.proposalWorks) this.plain = !this.plain;
    // What a meter answers nothing to may be a counter that it has seen.
    if (!reason.code.startsWith('LINK_')) this.wantsCounter = true;
  }

  private setHealth(health: ResourceHealth, reason: Fault | null): void {
    if (health === this.health) return;
    this.health = health;
    this.events?.health(health, reason);
  }
}
