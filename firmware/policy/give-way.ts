/**
 * Who keeps power when there is not enough for all: the owner's priorities first; among equals whoever has the least
 * comfort left (a program that has begun has none at all), then what runs already (switching wears), then whom waiting would cost most.
 */
import type { DeviceImage, Image } from '../domain/image.ts';
import { comfortLeftMs, waitingCosts } from './alternative.ts';
import { comfortAt } from './comfort.ts';
import { hasBegun } from './program-start.ts';

/** Nearer to its deadline than this a device has no comfort left to give. */
const URGENT_MS = 3_600_000;

/** A program under way, urgent, then who states no need and may do harm that nobody knows, then who can wait. */
function harm(image: Image, device: DeviceImage): number {
  const { store } = device.flexibility;
  if (hasBegun(device)) return -1;
  if (store?.kind === 'battery') return 3;
  if (store?.kind === 'heat' && store.temperature_C !== null) {
    const wallMs = image.wallTrusted ? image.wallMs : null;
    return store.temperature_C < comfortAt(store, wallMs, image.site.timeZone).lo_C ? 0 : 2;
  }
  const leftMs = comfortLeftMs(image, device);
  if (leftMs === null && device.flexibility.program && !device.run) return 3;
  if (leftMs === null) return (device.flexibility.need?.energy_Wh ?? 1) > 0 ? 1 : 3;
  return leftMs < URGENT_MS ? 0 : 2;
}

/** Nothing is lost when it does later what it does now, as far as its needs are known. */
export const canWait = (image: Image, device: DeviceImage): boolean => harm(image, device) >= 2;

/** Strongest first; the smaller value keeps its power. Each is worked out only where those before it tie. */
const MEASURES: readonly ((image: Image, device: DeviceImage) => number)[] = [
  (_image, { priority }) => priority,
  harm,
  (_image, { setPoint_W }) => ((setPoint_W ?? 0) > 0 ? 0 : 1),
  (image, device) => -(waitingCosts(image, device) ?? 0),
];

/** Most needed first; gives way in reverse. The same image always gives the same order. */
export function mostNeeded(image: Image, devices: readonly DeviceImage[]): DeviceImage[] {
  return [...devices].sort((a, b) => {
    for (const measure of MEASURES) {
      const difference = measure(image, a) - measure(image, b);
      if (Math.abs(difference) > 1e-9) return difference;
    }
    return a.id.localeCompare(b.id);
  });
}
