/**
 * What cannot be met, to be said to whoever set the limit and not hidden. Pure: the image and what was decided on it go
 * in. It counts what will be drawn once every device has taken its set-point.
 */
import type { ActiveLimit, Decision, DeviceImage, Image } from '../domain/image.ts';
import { baseLoad_W, measured_W } from './balance.ts';
import { isControllable, isProducer } from './plan.ts';

export type ShortfallReason =
  /** What cannot be steered draws more than the limit by itself. */
  | 'HOUSEHOLD_LOAD'
  /** A device that could give way does not answer. */
  | 'DEVICE_LOST'
  /** A device has nothing lower on its menu. */
  | 'DEVICE_MINIMUM'
  /** Production that cannot be turned down. */
  | 'UNSTEERED_PRODUCTION'
  /** The meter is silent: nobody knows whether the limit is met. */
  | 'METER_SILENT';

export interface Shortfall {
  readonly signalId: string;
  readonly source: string;
  readonly direction: ActiveLimit['direction'];
  readonly limit_W: number;
  readonly excess_W: number | null;
  readonly reason: ShortfallReason;
}

/** Noise of a meter and of rounding is no shortfall. */
const TOLERANCE_W = 100;

export function shortfalls(image: Image, decision: Decision): Shortfall[] {
  return decision.limits.flatMap((limit) => {
    if (limit.restoring) return [];
    const found = limit.direction === 'import' ? ofImport(image, decision, limit) : ofExport(image, limit);
    if (!found) return [];
    const { signalId, source, direction, limit_W } = limit;
    return [{ signalId, source, direction, limit_W, ...found }];
  });
}

type Found = Pick<Shortfall, 'excess_W' | 'reason'> | null;

const isLost = ({ health }: DeviceImage): boolean => health === 'silent' || health === 'faulty';

function ofImport(image: Image, decision: Decision, limit: ActiveLimit): Found {
  const base = baseLoad_W(image);
  if (base === null) return limit.scope === 'site' ? { excess_W: null, reason: 'METER_SILENT' } : null;
  const consumers = image.devices.filter((d) => isControllable(d) && !isProducer(d));
  const counted = consumers.filter((d) => limit.scope === 'site' || d.flexibility.steerable);
  const told = (d: DeviceImage): number =>
    Math.max(0, decision.devices.find((x) => x.resource === d.id)?.setPoint_W ?? 0);
  const drawn = (d: DeviceImage): number =>
    isLost(d) ? Math.max(measured_W(d, image.site.staleAfterMs), d.setPoint_W ?? 0) : told(d);
  const sum = counted.reduce((total, d) => total + drawn(d), 0);
  const excess_W =
    sum +
    (limit.scope === 'site' ? base : 0) -
    limit.limit_W -
    Math.max(0, limit.scope === 'site' ? 0 : -base);
  if (excess_W <= TOLERANCE_W) return null;
  return { excess_W, reason: reasonOf(counted, told) };
}

function reasonOf(counted: readonly DeviceImage[], told: (d: DeviceImage) => number): ShortfallReason {
  if (counted.some((d) => isLost(d) && (d.setPoint_W ?? 0) > 0)) return 'DEVICE_LOST';
  return counted.some((d) => told(d) > 0) ? 'DEVICE_MINIMUM' : 'HOUSEHOLD_LOAD';
}

/** Judged by the meter: what it shows is what was reached. */
function ofExport(image: Image, limit: ActiveLimit): Found {
  const { value, ageMs } = image.grid_W;
  if (value === null || ageMs > image.site.staleAfterMs) return { excess_W: null, reason: 'METER_SILENT' };
  const excess_W = -value - limit.limit_W;
  if (excess_W <= TOLERANCE_W) return null;
  const lost = image.devices.some((d) => isProducer(d) && isLost(d));
  return { excess_W, reason: lost ? 'DEVICE_LOST' : 'UNSTEERED_PRODUCTION' };
}
