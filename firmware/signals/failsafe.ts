/** The limit that holds when the operator has been out of reach for longer than agreed. */
import * as z from 'zod';
import { isCommand, type LimitScope, type Signal, type SignalKind } from '../domain/signal.ts';
import type { Settings } from '../domain/storage.ts';
import { type Clock, isWallPlausible, type WallMs } from '../domain/time.ts';
import {
  begin,
  failsafeHolds,
  type Limitation,
  type LimitationInput,
  type LimitationRules,
  type LimitationState,
  step,
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

/** As in EEBUS DeviceDiagnosis: the time keeps a retained or repeated one from counting. */
const heartbeatSchema = z.looseObject({ timestamp: z.iso.datetime({ offset: true }) });

const SETTING = 'limitation';

export class FailsafeWatch {
  private readonly clock: Clock;
  private readonly settings: Settings;
  private readonly rules: LimitationRules;
  private readonly limits: readonly Signal[];
  private now: Limitation;
  private beatMs: WallMs = 0;

  /** A failsafe limit that held before a restart holds after it. */
  constructor(failsafe: Failsafe, clock: Clock, settings: Settings) {
    this.clock = clock;
    this.settings = settings;
    this.rules = {
      silentMs: failsafe.afterMs,
      durationMs: failsafe.durationMs ?? null,
      limitNeeded: failsafe.heartbeat !== undefined,
    };
    this.limits = limitsOf(failsafe);
    this.now = begin(clock.elapsedMs(), settings.get(SETTING) === 'failsafe' ? 'failsafe' : 'init');
  }

  state(): LimitationState {
    return this.now.state;
  }

  /** The limits that hold now because nobody says otherwise; the same list each time. */
  inForce(connected: boolean, known: readonly Signal[]): readonly Signal[] {
    this.take({ kind: connected && !this.rules.limitNeeded ? 'heartbeat' : 'tick' });
    const { state } = this.now;
    // A limit may begin and end by its own time.
    if (state === 'controlled' || state === 'limited') this.written(known);
    return failsafeHolds(this.now, this.rules) ? this.limits : [];
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

  /** A limit was taken into the book, or withdrawn from it: one of all that limits is enough. */
  written(signals: readonly Signal[]): void {
    const wallMs = this.clock.wallMs();
    const commands = signals.filter(isCommand);
    const active = commands.some(
      ({ intervals, cancelledMs }) =>
        cancelledMs === undefined &&
        intervals.some((i) => i.value !== null && i.fromMs <= wallMs && wallMs < i.untilMs),
    );
    if (commands.length > 0) this.take({ kind: 'limit', active });
  }

  private take(input: LimitationInput): void {
    const before = this.now.state;
    this.now = step(this.now, input, this.clock.elapsedMs(), this.rules);
    if (this.now.state !== before) this.settings.set(SETTING, this.now.state);
  }
}

function sentAt(bytes: Uint8Array): WallMs | null {
  try {
    const parsed = heartbeatSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? Date.parse(parsed.data.timestamp) : null;
  } catch {
    return null;
  }
}

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
