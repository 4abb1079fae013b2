/**
 * Whether the operator is in control, after the state machine of EEBUS LPC / LPP (use case "Limitation of Power
 * Consumption" 1.0.0, 2.2 and 2.3, LPC-901 … LPC-923). Pure: what happened and when goes in, the new state comes out.
 * All times are of the clock that never jumps.
 */
import type { ElapsedMs } from '../domain/time.ts';

/**
 * `init`: nothing heard since the start. `controlled`: the operator is there and sets no limit. `limited`: it does.
 * `failsafe`: it has fallen silent, the agreed limit holds. `autonomous`: nobody is in control.
 */
export const LIMITATION_STATES = ['init', 'controlled', 'limited', 'failsafe', 'autonomous'] as const;
export type LimitationState = (typeof LIMITATION_STATES)[number];

export interface Limitation {
  readonly state: LimitationState;
  readonly sinceMs: ElapsedMs;
  /** The last heartbeat, null before the first one. */
  readonly heardMs: ElapsedMs | null;
  /** The first heartbeat after a silence, while the next limit is awaited. */
  readonly recoveredMs: ElapsedMs | null;
  /** The state before the restart; null at the very first start. */
  readonly before: LimitationState | null;
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

/** A limit that is written gives control when the heartbeat before it is not older: 60 s of the 120 s in LPC 2.2. */
export const writeMs = ({ silentMs }: LimitationRules): number => silentMs / 2;

/** A restart neither ends the failsafe limit nor, where only the link speaks for the operator, brings it back. */
export function begin(nowMs: ElapsedMs, before: LimitationState | null, rules: LimitationRules): Limitation {
  const goesOn = before === 'failsafe' || (before === 'autonomous' && !rules.limitNeeded);
  return { state: goesOn ? before : 'init', sinceMs: nowMs, heardMs: null, recoveredMs: null, before };
}

/** Whether the failsafe limit holds. */
export const failsafeHolds = ({ state }: Limitation, rules: LimitationRules): boolean =>
  state === 'failsafe' || (state === 'init' && rules.limitNeeded);

/**
 * Whether a limit that states no end has ceased to hold. With heartbeats it is deactivated whenever the state is not
 * "limited" (LPC-009/2): in the failsafe state the failsafe limit stands in its place, and in "unlimited/autonomous"
 * nothing does. A link that is gone says nothing about the operator: what it commanded goes on, until after the agreed
 * time nobody is in control any more.
 */
export const lapses = ({ state, before }: Limitation, rules: LimitationRules): boolean =>
  state === 'autonomous' ||
  (state === 'failsafe' && rules.limitNeeded) ||
  (state === 'init' && before === 'autonomous');

/**
 * The operator was in control before this restart, of which it knows nothing: it will not write its limit anew as it
 * does on a new connection (LPC-913). What it wrote before counts as soon as its heartbeat is heard.
 */
export const resumes = ({ state, before }: Limitation): boolean =>
  state === 'init' && (before === 'controlled' || before === 'limited');

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

/**
 * What time alone brings: LPC-906, LPC-911, LPC-912, LPC-921 and LPC-922. To become autonomous is a "may": whoever was
 * controlled before a restart, and hears nobody after it, is in the failsafe state, or a restart would evade it.
 */
function pass(now: Limitation, nowMs: ElapsedMs, rules: LimitationRules): Limitation {
  const { state, sinceMs, recoveredMs } = now;
  if (state === 'init' && nowMs - sinceMs >= rules.silentMs)
    return to(now, staysFree(now, nowMs, rules) ? 'autonomous' : 'failsafe', nowMs);
  if (state === 'controlled' || state === 'limited')
    return alive(now, nowMs, rules) ? now : to(now, 'failsafe', nowMs);
  if (state !== 'failsafe') return now;
  if (rules.durationMs !== null && nowMs - sinceMs >= rules.durationMs) return to(now, 'autonomous', nowMs);
  if (recoveredMs === null) return now;
  if (!alive(now, nowMs, rules)) return { ...now, recoveredMs: null };
  return nowMs - recoveredMs >= rules.silentMs ? to(now, 'autonomous', nowMs) : now;
}

const staysFree = (now: Limitation, nowMs: ElapsedMs, rules: LimitationRules): boolean =>
  rules.limitNeeded && (!resumes(now) || alive(now, nowMs, rules));

function heard(now: Limitation, nowMs: ElapsedMs, rules: LimitationRules): Limitation {
  const known = { ...now, heardMs: nowMs };
  if (!rules.limitNeeded)
    return now.state === 'limited' || now.state === 'controlled' ? known : to(known, 'controlled', nowMs);
  return now.state === 'failsafe' ? { ...known, recoveredMs: now.recoveredMs ?? nowMs } : known;
}

/**
 * A limit counts only while the heartbeat lives, and gives control only when it follows one (LPC-904, LPC-905,
 * LPC-908 … LPC-910, LPC-919, LPC-920).
 */
function written(now: Limitation, active: boolean, nowMs: ElapsedMs, rules: LimitationRules): Limitation {
  const controlled = now.state === 'controlled' || now.state === 'limited';
  const follows = controlled || nowMs - (now.heardMs ?? -Infinity) <= writeMs(rules);
  return follows && alive(now, nowMs, rules) ? to(now, active ? 'limited' : 'controlled', nowMs) : now;
}
