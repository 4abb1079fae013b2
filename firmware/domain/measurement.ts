import type { Quantity } from './quantity.ts';
import type { Quality } from './telegram.ts';
import type { ElapsedMs, WallMs } from './time.ts';

/** 0 is the sum of all phases. */
export type Phase = 0 | 1 | 2 | 3;

/**
 * A place where a quantity is measured: `meterOrDevice/quantity[/L1][/T2][/channel]`. It is the key of a series
 * in the store and never changes for the same thing.
 */
export interface Point {
  /** The configured id of the meter or device, `[a-z0-9-]{1,32}`. */
  readonly source: string;
  readonly quantity: Quantity;
  readonly phase: Phase;
  /** 0 is the total over all tariffs. */
  readonly tariff: number;
  /** 0 is the meter itself; 1…4 an M-Bus channel behind it (gas, water, heat). */
  readonly channel: number;
}

/** One value at one instant. `value` is in the unit of its quantity; null is unknown, never 0. */
export interface Measurement {
  readonly point: Point;
  readonly value: number | null;
  readonly quality: Quality;
  /** The meter's own clock, null when it sent none. */
  readonly meterTimeMs: WallMs | null;
  /** When the gateway received it. */
  readonly receivedMs: WallMs;
  /** The same on the clock that never jumps: staleness is judged by this one. */
  readonly receivedElapsedMs: ElapsedMs;
}

export function pointKey(point: Point): string {
  const phase = point.phase === 0 ? '' : `/L${point.phase}`;
  const tariff = point.tariff === 0 ? '' : `/T${point.tariff}`;
  const channel = point.channel === 0 ? '' : `/C${point.channel}`;
  return `${point.source}/${point.quantity}${phase}${tariff}${channel}`;
}
