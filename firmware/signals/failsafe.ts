/** The limit that holds when the operator has been out of reach for longer than agreed. */
import type { Signal } from '../domain/signal.ts';

export interface Failsafe {
  readonly limit_W: number;
  /** Silence before it holds, on the clock that never jumps. */
  readonly afterMs: number;
}

export function failsafeSignal(
  { limit_W, afterMs }: Failsafe,
  silentMs: number,
  wallMs: number,
): Signal | null {
  if (silentMs < afterMs) return null;
  return {
    id: 'failsafe',
    source: 'failsafe',
    kind: 'importLimit',
    binding: 'commandable',
    scope: 'site',
    priority: 0,
    modifiedMs: wallMs,
    receivedMs: wallMs,
    currency: null,
    text: null,
    intervals: [{ fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER, value: limit_W }],
  };
}
