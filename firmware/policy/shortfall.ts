/**
 * What cannot be met, to be said to whoever set the limit and not hidden. Pure: the image and what was decided on it go
 * in. It counts what will be drawn once every device has taken its set-point.
 */
import type { Shortfall, ShortfallReason } from '../domain/command-report.ts';
import type { ActiveLimit, Decision, DeviceImage, Image } from '../domain/image.ts';
import { baseLoad_W, given_W, isDoubtful, isFresh, measured_W } from './balance.ts';
import { isControllable, isLost, isProducer } from './plan.ts';

/** Noise of a meter and of rounding is no shortfall. */
export const TOLERANCE_W = 100;

/** Null where the limit will be met. */
export function shortfall(image: Image, decision: Decision, limit: ActiveLimit): Shortfall | null {
  return limit.direction === 'import' ? ofImport(image, decision, limit) : ofExport(image, limit);
}

/** What counts under the limit now, as measured; null is unknown. */
export function underLimit_W(image: Image, { direction, scope }: ActiveLimit): number | null {
  const { staleAfterMs } = image.site;
  if (!isFresh(image.grid_W, staleAfterMs) || image.grid_W.value === null) return null;
  if (scope === 'site') return Math.max(0, direction === 'import' ? image.grid_W.value : -image.grid_W.value);
  const counted = image.devices.filter((d) => d.flexibility.steerable && isControllable(d));
  if (!counted.every((d) => isFresh(d.power_W, staleAfterMs))) return null;
  const drawn = counted.reduce((sum, d) => sum + Math.max(0, d.power_W.value ?? 0), 0);
  // Own production that the rest of the house leaves covers it first.
  return Math.max(0, Math.min(drawn, image.grid_W.value));
}

/** Why nobody knows what flows at the connection. */
export const ofMeter = ({ grid_W, site }: Image): ShortfallReason =>
  isDoubtful(grid_W, site.staleAfterMs) ? 'METER_DOUBTFUL' : 'METER_SILENT';

function ofImport(image: Image, decision: Decision, limit: ActiveLimit): Shortfall | null {
  const base = baseLoad_W(image);
  const ofSite = limit.scope === 'site';
  if (base === null && ofSite) return { excess_W: null, reason: ofMeter(image) };
  const counted = image.devices.filter(
    (d) => isControllable(d) && !isProducer(d) && (ofSite || d.flexibility.steerable),
  );
  const told = (d: DeviceImage): number => {
    const point_W = decision.devices.find((x) => x.resource === d.id)?.setPoint_W ?? 0;
    return point_W < 0 ? given_W(image, d, point_W) : point_W;
  };
  const drawn = (d: DeviceImage): number =>
    isLost(d) ? Math.max(measured_W(d, image.site.staleAfterMs), d.setPoint_W ?? 0) : told(d);
  const sum = counted.reduce((total, d) => total + drawn(d), 0);
  const rest = ofSite ? (base ?? 0) : Math.min(0, base ?? 0);
  const excess_W = sum + rest - limit.limit_W;
  return excess_W > TOLERANCE_W ? { excess_W, reason: reasonOf(counted, told) } : null;
}

function reasonOf(counted: readonly DeviceImage[], told: (d: DeviceImage) => number): ShortfallReason {
  if (counted.some((d) => isLost(d) && (d.setPoint_W ?? 0) > 0)) return 'DEVICE_LOST';
  return counted.some((d) => told(d) > 0) ? 'DEVICE_MINIMUM' : 'HOUSEHOLD_LOAD';
}

/** Judged by the meter: what it shows is what was reached. */
function ofExport(image: Image, limit: ActiveLimit): Shortfall | null {
  const { value, ageMs } = image.grid_W;
  if (value === null || ageMs > image.site.staleAfterMs) return { excess_W: null, reason: ofMeter(image) };
  const excess_W = -value - limit.limit_W;
  if (excess_W <= TOLERANCE_W) return null;
  const lost = image.devices.some((d) => isProducer(d) && isLost(d));
  return { excess_W, reason: lost ? 'DEVICE_LOST' : 'UNSTEERED_PRODUCTION' };
}
