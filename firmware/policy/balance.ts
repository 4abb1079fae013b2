/** Arithmetic on the frozen image that several rules share: what the house draws besides what we can steer. */
import { minOf } from '../domain/flexibility.ts';
import { type DeviceImage, FOLLOWS_MS, type Image, type Known } from '../domain/image.ts';
import { isControllable, isLost, isProducer } from './plan.ts';

export const isFresh = (known: Known, staleAfterMs: number): boolean =>
  known.value !== null && known.ageMs <= staleAfterMs;

/** It is heard, and does not vouch for what it says. */
export const isDoubtful = (known: Known, staleAfterMs: number): boolean =>
  known.value === null && known.ageMs <= staleAfterMs;

/**
 * What a device drew when the meter was read, else its measured power when fresh, else 0: its draw then counts as base
 * load, the cautious reading.
 */
export function measured_W(device: DeviceImage, staleAfterMs: number): number {
  if (device.atGrid_W !== undefined) return device.atGrid_W;
  return isFresh(device.power_W, staleAfterMs) ? (device.power_W.value ?? 0) : 0;
}

const isSteered = (device: DeviceImage): boolean => isControllable(device) && !isProducer(device);

/**
 * Net power of everything that is not a controllable consumer or store, import positive (own production makes it small
 * or negative). Null when the meter is stale or missing.
 */
export function baseLoad_W(image: Image): number | null {
  const { staleAfterMs } = image.site;
  if (!isFresh(image.grid_W, staleAfterMs) || image.grid_W.value === null) return null;
  const steered = image.devices.filter(isSteered).reduce((sum, d) => sum + measured_W(d, staleAfterMs), 0);
  return image.grid_W.value - steered;
}

/** What the house draws besides them, whatever of it comes from its own roofs. Null as above. */
export function houseLoad_W(image: Image): number | null {
  const base_W = baseLoad_W(image);
  if (base_W === null) return null;
  const roofs = image.devices.filter(isProducer);
  return roofs.reduce((sum, d) => sum - measured_W(d, image.site.staleAfterMs), base_W);
}

/**
 * What a store will go on giving when it takes the set-point `point_W`, 0 or less: no more than it gives already, because
 * nobody may draw on what is only promised.
 */
export function given_W({ grid_W, site }: Image, device: DeviceImage, point_W: number): number {
  const { staleAfterMs } = site;
  // A meter that is silent says nothing of what it gives by now: only the device itself may.
  const atGrid_W = isFresh(grid_W, staleAfterMs) ? device.atGrid_W : undefined;
  const now_W = atGrid_W ?? (isFresh(device.power_W, staleAfterMs) ? (device.power_W.value ?? 0) : 0);
  return Math.min(0, Math.max(point_W, now_W));
}

/** Its last command is not yet in what the meter shows: nobody knows what of that it draws. */
export const isUnseen = ({ grid_W }: Image, device: DeviceImage): boolean =>
  !isLost(device) && (device.sinceChangedMs ?? Infinity) < grid_W.ageMs + FOLLOWS_MS;

/**
 * How much more may flow on account of a device whose last command is unseen, W, 0 or more, than where it drew what
 * `measured_W` says and gives what is counted on (`given_W`) besides nothing at all. Infinity: nobody can say.
 */
export function unseen_W(image: Image, device: DeviceImage, given_W: number): number {
  if (!isUnseen(image, device)) return 0;
  const { mayDraw_W } = device;
  if (!mayDraw_W) return Infinity;
  const { min_W, max_W } = mayDraw_W;
  // Of a roof the reading itself is counted on: it may be all that it ever gave, and the least from now on.
  if (isProducer(device)) return max_W - min_W;
  return Math.max(0, measured_W(device, image.site.staleAfterMs) - min_W) + Math.max(0, max_W - given_W);
}

/** How much less sun there may be to spare for a device than the meter shows, W, until it has seen what the others do. */
export const unseenBeside_W = (image: Image, device: DeviceImage): number =>
  image.devices
    .filter((d) => d.id !== device.id && isControllable(d))
    .reduce((sum, d) => sum + unseen_W(image, d, d.mayDraw_W?.max_W ?? 0), 0);

/** The most that it has been told so far, W, 0 or more: whatever is above is a rise. */
export const told_W = ({ setPoint_W, underWay_W }: DeviceImage): number =>
  Math.max(0, setPoint_W ?? 0, underWay_W ?? 0);

/**
 * What the house besides our devices may draw from one phase when the meter gives only the sum: production that is not
 * measured may feed another phase and hide it. It is bounded by what the house is said to draw at worst, so that a roof
 * does not keep everything off for good; what is fed in proves a roof that nobody told of, taken to hide as much again.
 * Without a meter the worst case.
 */
export function onOnePhase_W(image: Image): number {
  const { staleAfterMs, baseWorstCase_W, productionWorstCase_W = 0 } = image.site;
  const base_W = baseLoad_W(image);
  if (base_W === null) return baseWorstCase_W;
  const roofs = image.devices.filter((d) => isControllable(d) && isProducer(d));
  const rest_W = roofs.reduce((sum, d) => sum - measured_W(d, staleAfterMs), base_W);
  const unheard_W = image.devices
    .filter((d) => isControllable(d) && d.atGrid_W === undefined && !isFresh(d.power_W, staleAfterMs))
    .reduce((sum, d) => sum - Math.min(0, minOf(d.flexibility)), 0);
  const hidden_W = Math.max(productionWorstCase_W + unheard_W, -2 * rest_W);
  return Math.max(0, rest_W, Math.min(rest_W + hidden_W, baseWorstCase_W));
}

/** Base current per phase in A without controllable consumers, or null where the meter does not say. */
export function basePhases_A(image: Image): readonly (number | null)[] {
  const { staleAfterMs, nominal_V } = image.site;
  return image.gridPhase_A.map((known, index) => {
    if (!isFresh(known, staleAfterMs) || known.value === null) return null;
    const steered = image.devices
      .filter((d) => isSteered(d) && d.flexibility.phases.some((p) => p === index + 1))
      .reduce((sum, d) => sum + measured_W(d, staleAfterMs) / d.flexibility.phases.length / nominal_V, 0);
    return known.value - steered;
  });
}
