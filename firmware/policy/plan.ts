/**
 * The plan that rules narrow: for each device the span of set-points that is still open, and why it is not wider.
 * A rule can only narrow, so what a stronger rule has closed no weaker one opens again.
 */
import { maxOf, minOf } from '../domain/flexibility.ts';
import type { DeviceImage, Image } from '../domain/image.ts';
import type { Reason, ReasonCode } from '../domain/instruction.ts';

export interface Allowance {
  readonly min_W: number;
  readonly max_W: number;
  /** In the order in which they narrowed. */
  readonly reasons: readonly Reason[];
}

export type Plan = ReadonlyMap<string, Allowance>;

/** What rules may know: the frozen image, and what each device would take if there were no limits. */
export interface RuleContext {
  readonly image: Image;
  /** Set-point in W by device after the weaker rules alone. Empty while those are being asked. */
  readonly wishes: ReadonlyMap<string, number>;
  /** What is counted on of a store that gives, W, 0 or less. */
  readonly given_W: (device: DeviceImage) => number;
  /** What followers take by their modes, W; absent: it is still to be worked out. */
  readonly led?: ReadonlyMap<string, number>;
}

/** A rule says in its own file what it does when its input is unknown. */
export type Rule = (context: RuleContext, plan: Plan) => Plan;

/** Everything that the devices offer. */
export function wholeMenu(devices: readonly DeviceImage[]): Plan {
  return new Map(
    devices.map(({ id, flexibility }) => [
      id,
      { min_W: minOf(flexibility), max_W: maxOf(flexibility), reasons: [] },
    ]),
  );
}

/**
 * Narrows one device to `span` as far as it is still open; cannot widen. The reason is kept when something was
 * closed by it.
 */
export function narrow(
  plan: Plan,
  id: string,
  span: { readonly min_W?: number; readonly max_W?: number },
  reason: Reason,
): Plan {
  const old = plan.get(id);
  if (!old) return plan;
  const within = (x: number): number => Math.min(Math.max(x, old.min_W), old.max_W);
  const max_W = within(span.max_W ?? old.max_W);
  const min_W = Math.min(within(span.min_W ?? old.min_W), max_W);
  if (max_W === old.max_W && min_W === old.min_W) return plan;
  return new Map(plan).set(id, { min_W, max_W, reasons: [...old.reasons, reason] });
}

/** Adds a reason that closes nothing: why a device is free to run. */
export function explain(plan: Plan, id: string, reason: Reason): Plan {
  const old = plan.get(id);
  return old ? new Map(plan).set(id, { ...old, reasons: [...old.reasons, reason] }) : plan;
}

export const because = (code: ReasonCode, values: Reason['values'] = {}): Reason => ({ code, values });

/** It can only give. A battery that is full only gives for the moment. */
export const isProducer = ({ flexibility }: DeviceImage): boolean =>
  flexibility.kind !== 'battery' && maxOf(flexibility) <= 0 && minOf(flexibility) < 0;
export const isControllable = (device: DeviceImage): boolean =>
  device.flexibility.controlType !== 'NOT_CONTROLABLE';

/** It takes what it was last told to, and nobody can tell it otherwise. */
export const isLost = ({ health }: DeviceImage): boolean => health === 'silent' || health === 'faulty';

/** Most important first. */
export const byPriority = (devices: readonly DeviceImage[]): DeviceImage[] =>
  [...devices].sort((a, b) => a.priority - b.priority || a.id.localeCompare(b.id));

/** The powers on its menu with which a device runs, W, ascending. */
export function runningPowers_W({ flexibility }: DeviceImage): number[] {
  const powers = flexibility.ranges.flatMap((r) => [r.min_W, r.max_W]).filter((p) => p > 0);
  return [...new Set(powers)].sort((a, b) => a - b);
}
