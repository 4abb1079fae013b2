/** The limit that holds when the operator has been out of reach for longer than agreed. */
import { LIMITS } from '../domain/limits.ts';
import { isCommand, type LimitScope, type Restore, type Signal, type SignalKind } from '../domain/signal.ts';
import type { Settings } from '../domain/storage.ts';
import { type Clock, type ElapsedMs, isWallPlausible, type WallMs } from '../domain/time.ts';
import { sentAt } from './heartbeat.ts';
import { endedAt, isForNow, withoutEndless } from './lapse.ts';
import {
  begin,
  failsafeHolds,
  LIMITATION_STATES,
  type Limitation,
  type LimitationInput,
  type LimitationRules,
  type LimitationState,
  lapses,
  resumes,
  step,
  writeMs,
} from './limitation.ts';

export interface Failsafe {
  readonly limit_W: number;
  /** For feeding in; none when absent. */
  readonly exportLimit_W?: number | undefined;
  readonly scope?: LimitScope | undefined;
  /** Silence before it holds, on the clock that never jumps. */
  readonly afterMs: number;
  /** It is given up after so long without the operator; null or absent: never. */
  readonly durationMs?: number | null | undefined;
  /**
   * The operator's heartbeats: with them the rules of EEBUS LPC hold to the letter. Without them the link to the
   * broker stands for the operator.
   */
  readonly heartbeat?: { readonly topic: string } | undefined;
}

const SETTING = 'limitation';
/** When the failsafe limit was given up, by the wall clock. */
const RELEASED = 'limitation.released';
/** No programme can agree on more: an hour's spread and an hour's ramp. */
const AFTERMATH_MS = 7_200_000;

export class FailsafeWatch {
  private readonly clock: Clock;
  private readonly settings: Settings;
  private readonly rules: LimitationRules;
  private readonly restore: Restore;
  private readonly limits: readonly Signal[];
  private now: Limitation;
  private beatMs: WallMs = 0;
  private wroteMs: ElapsedMs | null = null;
  private releasedMs: ElapsedMs | null;
  private releasedWallMs: WallMs = 0;
  private ended: { endMs: WallMs; limits: readonly Signal[] } | null = null;
  private lapsed: { of: readonly Signal[]; endMs: WallMs | null; left: readonly Signal[] } | null = null;

  /** A failsafe limit that held, or was being given up, before a restart goes on after it. */
  constructor(failsafe: Failsafe, restore: Restore, clock: Clock, settings: Settings) {
    this.clock = clock;
    this.settings = settings;
    this.restore = restore;
    this.rules = {
      silentMs: failsafe.afterMs,
      durationMs: failsafe.durationMs ?? null,
      limitNeeded: failsafe.heartbeat !== undefined,
    };
    this.limits = limitsOf(failsafe);
    this.now = begin(clock.elapsedMs(), stateOf(settings.get(SETTING)), this.rules);
    const sinceMs = clock.wallMs() - Number(settings.get(RELEASED) ?? Infinity);
    this.releasedMs = sinceMs >= 0 ? clock.elapsedMs() - sinceMs : null;
  }

  state(): LimitationState {
    return this.now.state;
  }

  /** What time and the link have brought. */
  look(connected: boolean, known: readonly Signal[]): void {
    this.take({ kind: connected && !this.rules.limitNeeded ? 'heartbeat' : 'tick' });
    const { state } = this.now;
    const nowMs = this.clock.elapsedMs();
    // Between two topics there is no order, and no answer tells the operator that its limit came a moment too early.
    const wroteLately = this.wroteMs !== null && nowMs - this.wroteMs <= writeMs(this.rules);
    // A limit may begin and end by its own time.
    if (state === 'controlled' || state === 'limited' || wroteLately || resumes(this.now))
      this.take({ kind: 'limit', active: this.isLimited(known) });
  }

  /** What is known, without the limits that have lapsed, and what holds because nobody says otherwise. */
  inForce(known: readonly Signal[]): readonly Signal[] {
    const held = lapses(this.now, this.rules) ? this.withoutLapsed(known) : known;
    return [...held, ...(failsafeHolds(this.now, this.rules) ? this.limits : this.aftermath(held))];
  }

  /** A message on the heartbeat's topic. False when it is none, or an old one. */
  heartbeat(bytes: Uint8Array): boolean {
    const sentMs = sentAt(bytes);
    const wallMs = this.clock.wallMs();
    const stale = isWallPlausible(wallMs) && Math.abs(wallMs - (sentMs ?? 0)) >= this.rules.silentMs;
    if (sentMs === null || sentMs <= this.beatMs || stale) return false;
    this.beatMs = sentMs;
    this.take({ kind: 'heartbeat' });
    return true;
  }

  /** A limit was written, written once more, or withdrawn: one of all that limits is enough. */
  written(known: readonly Signal[]): void {
    this.wroteMs = this.clock.elapsedMs();
    this.take({ kind: 'limit', active: this.isLimited(known) });
  }

  private isLimited(known: readonly Signal[], isMeant: (s: Signal) => boolean = isCommand): boolean {
    const wallMs = this.clock.wallMs();
    return known.some(
      (s) =>
        isMeant(s) &&
        s.cancelledMs === undefined &&
        s.intervals.some((i) => i.value !== null && i.fromMs <= wallMs && wallMs < i.untilMs),
    );
  }

  private take(input: LimitationInput): void {
    const before = this.now;
    this.now = step(before, input, this.clock.elapsedMs(), this.rules);
    if (this.now.state === before.state) return;
    this.settings.set(SETTING, this.now.state);
    if (!failsafeHolds(before, this.rules) || failsafeHolds(this.now, this.rules)) return;
    this.releasedMs = this.clock.elapsedMs();
    this.settings.set(RELEASED, String(this.clock.wallMs()));
  }

  /** Where the failsafe limit stood beside what was commanded for ever, both are given up together. */
  private withoutLapsed(known: readonly Signal[]): readonly Signal[] {
    const endMs = this.rules.limitNeeded ? null : this.releasedAt();
    if (this.lapsed?.of !== known || this.lapsed.endMs !== endMs)
      this.lapsed = { of: known, endMs, left: withoutEndless(known, endMs) };
    return this.lapsed.left;
  }

  /** A street that was held by the failsafe limit does not rebound in the second in which the broker is back. */
  private aftermath(held: readonly Signal[]): readonly Signal[] {
    const { delayMs, rampMs } = this.restore;
    const sinceMs = this.sinceReleaseMs();
    if (sinceMs >= delayMs + rampMs) return [];
    const endMs = this.releasedAt();
    // Without a time of day the policy takes nothing for over: then there is the share of chance, but no ramp.
    if (endMs === null) return sinceMs < delayMs ? this.limits : [];
    if (this.ended?.endMs !== endMs)
      this.ended = {
        endMs,
        limits: this.limits.map((s) => ({ ...endedAt(s, endMs), restore: this.restore })),
      };
    return this.ended.limits.filter(({ kind, scope }) => {
      // What the operator says itself, it says knowing of everybody else.
      const kinds = kind === 'importLimit' ? ['importLimit', 'setPoint'] : [kind];
      return !this.isLimited(held, (s) => isForNow(s) && kinds.includes(s.kind) && s.scope === scope);
    });
  }

  private sinceReleaseMs(): number {
    return this.clock.elapsedMs() - (this.releasedMs ?? -Infinity);
  }

  /** When it was given up, the same until the wall clock jumps; null when that is long ago, or there is no time of day. */
  private releasedAt(): WallMs | null {
    const wallMs = this.clock.wallMs();
    const sinceMs = this.sinceReleaseMs();
    if (sinceMs > AFTERMATH_MS || !isWallPlausible(wallMs)) return null;
    if (Math.abs(wallMs - sinceMs - this.releasedWallMs) > LIMITS.storeClockSlackMs)
      this.releasedWallMs = wallMs - sinceMs;
    return this.releasedWallMs;
  }
}

const stateOf = (text: string | null): LimitationState | null =>
  LIMITATION_STATES.find((state) => state === text) ?? null;

function limitsOf({ limit_W, exportLimit_W, scope }: Failsafe): Signal[] {
  const limit = (kind: SignalKind, value: number): Signal => ({
    id: kind === 'importLimit' ? 'failsafe' : 'failsafe/export',
    source: 'failsafe',
    kind,
    binding: 'commandable',
    scope: scope ?? 'site',
    priority: 0,
    modifiedMs: 0,
    receivedMs: 0,
    currency: null,
    text: null,
    intervals: [{ fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER, value }],
  });
  return [
    limit('importLimit', limit_W),
    ...(exportLimit_W === undefined ? [] : [limit('exportLimit', exportLimit_W)]),
  ];
}
