/**
 * Whether the operator is in control, after the state machine of EEBUS LPC / LPP (use case "Limitation of Power
 * Consumption" 1.0.0, LPC-901 … LPC-922). Pure: what happened and when goes in, the new state comes out. All times are
 * of the clock that never jumps.
 */
import type { ElapsedMs } from '../domain/time.ts';

/**
 * `init`: nothing heard since the start. `controlled`: the operator is there and sets no limit. `limited`: it does.
 * `failsafe`: it has fallen silent, the agreed limit holds. `autonomous`: nobody is in control.
 */
export type LimitationState = 'init' | 'controlled' | 'limited' | 'failsafe' | 'autonomous';

export interface Limitation {
  readonly state: LimitationState;
  readonly sinceMs: ElapsedMs;
  /** The last heartbeat, null before the first one. */
  readonly heardMs: ElapsedMs | null;
  /** The first heartbeat after a silence, while the next limit is awaited. */
  readonly recoveredMs: ElapsedMs | null;
}

export type LimitationInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'heartbeat' }
  /** A limit was written: one that limits, or one that says that there is none. */
  | { readonly kind: 'limit'; readonly active: boolean };

export interface LimitationRules {
  /** Silence after which the operator counts as lost: 120 s in LPC, with a heartbeat at least every 60 s. */
  readonly silentMs: number;
  /** How long the failsafe limit holds, 2 h … 24 h in LPC; null: until the operator is heard again. */
  readonly durationMs: number | null;
  /**
   * LPC: a heartbeat alone gives no control, a limit has to be written with it; and whoever never hears an operator
   * becomes autonomous. Without it the heartbeat is enough, and who hears none falls back to the failsafe limit.
   */
  readonly limitNeeded: boolean;
}

export const begin = (nowMs: ElapsedMs, state: LimitationState = 'init'): Limitation => ({
  state,
  sinceMs: nowMs,
  heardMs: null,
  recoveredMs: null,
});

/** Whether the failsafe limit holds. */
export const failsafeHolds = ({ state }: Limitation, rules: LimitationRules): boolean =>
  state === 'failsafe' || (state === 'init' && rules.limitNeeded);

export function step(
  before: Limitation,
  input: LimitationInput,
  nowMs: ElapsedMs,
  rules: LimitationRules,
): Limitation {
  const aged = pass(before, nowMs, rules);
  if (input.kind === 'heartbeat') return heard(aged, nowMs, rules);
  if (input.kind === 'limit') return written(aged, input.active, nowMs, rules);
  return aged;
}

const to = (from: Limitation, state: LimitationState, nowMs: ElapsedMs): Limitation =>
  from.state === state ? from : { ...from, state, sinceMs: nowMs, recoveredMs: null };

const alive = ({ heardMs }: Limitation, nowMs: ElapsedMs, { silentMs }: LimitationRules): boolean =>
  heardMs !== null && nowMs - heardMs < silentMs;

/** What time alone brings: arrows 3, 5, 7 and 10 of the table. */
function pass(now: Limitation, nowMs: ElapsedMs, rules: LimitationRules): Limitation {
  const { state, sinceMs, recoveredMs } = now;
  if (state === 'init' && nowMs - sinceMs >= rules.silentMs)
    return to(now, rules.limitNeeded ? 'autonomous' : 'failsafe', nowMs);
  if (state === 'controlled' || state === 'limited')
    return alive(now, nowMs, rules) ? now : to(now, 'failsafe', nowMs);
  if (state !== 'failsafe') return now;
  if (rules.durationMs !== null && nowMs - sinceMs >= rules.durationMs) return to(now, 'autonomous', nowMs);
  if (recoveredMs === null) return now;
  if (!alive(now, nowMs, rules)) return { ...now, recoveredMs: null };
  return nowMs - recoveredMs >= rules.silentMs ? to(now, 'autonomous', nowMs) : now;
}

function heard(now: Limitation, nowMs: ElapsedMs, rules: LimitationRules): Limitation {
  const known = { ...now, heardMs: nowMs };
  if (!rules.limitNeeded)
    return now.state === 'limited' || now.state === 'controlled' ? known : to(known, 'controlled', nowMs);
  return now.state === 'failsafe' ? { ...known, recoveredMs: now.recoveredMs ?? nowMs } : known;
}

/** A limit counts only while the heartbeat lives: arrows 1, 2, 4, 6, 8, 9, 11 and 12. */
function written(now: Limitation, active: boolean, nowMs: ElapsedMs, rules: LimitationRules): Limitation {
  return alive(now, nowMs, rules) ? to(now, active ? 'limited' : 'controlled', nowMs) : now;
}
