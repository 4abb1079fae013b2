/**
 * The operator asks for a draw: from above a set-point is a limit like any other, from below it frees devices from
 * waiting for a cheaper hour or for the sun, most important first, until what is expected reaches what is asked for.
 * Nothing runs that its owner has stopped or that has no need, and no program that was not asked for.
 */
import { maxOf } from '../domain/flexibility.ts';
import type { DeviceImage, Image } from '../domain/image.ts';
import { askedFor_W } from './active-limits.ts';
import { baseLoad_W } from './balance.ts';
import { mostNeeded } from './give-way.ts';
import { because, explain, isControllable, isProducer, type Rule } from './plan.ts';
import { latestStartMs } from './program-start.ts';

const waits = (device: DeviceImage): boolean =>
  isControllable(device) &&
  !isProducer(device) &&
  device.flexibility.store === undefined &&
  device.mode !== 'always' &&
  (device.flexibility.program
    ? device.override.kind === 'runBy' && latestStartMs(device) !== null
    : device.override.kind === 'automatic' && (device.flexibility.need?.energy_Wh ?? 1) > 0);

/** The least that it draws when it runs. */
const least_W = ({ flexibility }: DeviceImage): number =>
  flexibility.ranges.reduce(
    (least, { min_W, max_W }) => (max_W > 0 ? Math.min(least, Math.max(min_W, 1)) : least),
    Infinity,
  );

/** The image in which devices that are asked for no longer wait. The same image when none is, or nothing is known. */
export function withAsked(image: Image, wishes: ReadonlyMap<string, number>): Image {
  const asked = askedFor_W(image);
  const base = baseLoad_W(image);
  if (asked === null || base === null) return image;
  let expected = [...wishes.values()].reduce((sum, wish) => sum + wish, base);
  const freed = new Set<string>();
  for (const device of mostNeeded(image, image.devices.filter(waits))) {
    if (least_W(device) > asked - expected) continue;
    freed.add(device.id);
    expected += maxOf(device.flexibility) - (wishes.get(device.id) ?? 0);
  }
  if (freed.size === 0) return image;
  const modes = Object.entries(image.modes ?? {}).filter(([id]) => !freed.has(id));
  return {
    ...image,
    modes: Object.fromEntries(modes),
    devices: image.devices.map((d) => (freed.has(d.id) ? { ...d, mode: 'always' } : d)),
  };
}

/** Says why a device runs that would have waited in `before`. */
export const asks =
  (before: Image): Rule =>
  ({ image }, plan) => {
    const setPoint_W = askedFor_W(image);
    return image.devices
      .filter((d) => before.devices.some((b) => b.id === d.id && b.mode !== d.mode))
      .reduce((p, d) => explain(p, d.id, because('GRID_ASKS', { setPoint_W })), plan);
  };
