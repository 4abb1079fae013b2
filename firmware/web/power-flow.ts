/** Where the power flows now, from what is measured: sums of what is known, null as soon as a part of it is not. Pure. */
import { maxOf, minOf } from '../domain/flexibility.ts';
import type { DeviceImage, Image, Known } from '../domain/image.ts';
import { capital } from './phrase.ts';
import type { View } from './schema.ts';

/** Below this a load is off and a flow is none: meters and drivers idle at a few watts. */
export const IDLE_W = 15;

export const fresh = (known: Known, image: Image): number | null =>
  known.ageMs <= image.site.staleAfterMs ? known.value : null;

/** It is heard, but its quality is such that its value does not count. */
export const isDoubtful = (known: Known, image: Image): boolean =>
  known.value === null && known.ageMs <= image.site.staleAfterMs;

/** Sum of what is known; null when there are some and none is known, or one is missing. */
function total(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

export function flowOf(image: Image): View['flow'] {
  const power = (devices: readonly DeviceImage[]): number | null =>
    total(devices.map((device) => fresh(device.power_W, image)));
  const solar = image.devices.filter(isProducer);
  const batteries = image.devices.filter(isBattery);
  const loads = image.devices.filter((device) => !isProducer(device) && !batteries.includes(device));
  const grid_W = fresh(image.grid_W, image);
  const produced = power(solar);
  const solar_W = produced === null ? null : Math.max(0, -produced);
  const battery_W = power(batteries);
  const house = total([grid_W, solar_W, battery_W === null ? null : -battery_W]);
  const house_W = house === null ? null : Math.max(0, house);
  // Loads that do not say what they draw are part of the rest.
  const known = loads.reduce((sum, device) => sum + (fresh(device.power_W, image) ?? 0), 0);
  return {
    grid_W,
    solar_W,
    hasSolar: solar.length > 0,
    battery_W,
    hasBattery: batteries.length > 0,
    batteryFill: fillOf(batteries),
    house_W,
    other_W: house_W === null ? null : Math.max(0, house_W - known),
  };
}

export const isBattery = ({ flexibility }: DeviceImage): boolean =>
  flexibility.kind === 'battery' || flexibility.store?.kind === 'battery';

/** Something that can only produce: its whole menu is at or below zero, and not because it is full. */
export function isProducer(device: DeviceImage): boolean {
  const { flexibility } = device;
  if (isBattery(device)) return false;
  if (flexibility.kind === 'inverter') return true;
  return flexibility.ranges.length > 0 && minOf(flexibility) < 0 && maxOf(flexibility) <= 0;
}

/** Of all batteries together, by what each can hold; null when one does not say. */
function fillOf(batteries: readonly DeviceImage[]): number | null {
  const stores = batteries.flatMap(({ flexibility: { store } }) =>
    store?.kind === 'battery' ? [store] : [],
  );
  const capacity_Wh = stores.reduce((sum, store) => sum + store.capacity_Wh, 0);
  const stored_Wh = total(stores.map(({ fill, capacity_Wh: size }) => (fill === null ? null : fill * size)));
  const isKnown = stores.length === batteries.length && capacity_Wh > 0;
  return isKnown && stored_Wh !== null ? stored_Wh / capacity_Wh : null;
}

/** @param isHeard the grid meter is, and only its power is doubtful where that is not known */
export function headline({ grid_W, solar_W, battery_W }: View['flow'], isHeard = false): string {
  if (grid_W === null)
    return `The grid meter ${isHeard ? 'does not vouch for its power: it' : 'is silent: power'} is unknown.`;
  const sun = solar_W !== null && solar_W > IDLE_W ? ['sun'] : [];
  const battery = battery_W !== null && battery_W < -IDLE_W ? ['battery'] : [];
  const own = [...sun, ...battery];
  if (grid_W < -IDLE_W) {
    if (own.join() === 'battery') return 'Your battery gives power to the grid.';
    return 'Your home gives power to the grid.';
  }
  if (grid_W <= IDLE_W) {
    if (own.length === 0) return 'Almost nothing flows to or from the grid.';
    return `Your home runs on its own ${own.join(' and ')}.`;
  }
  if (own.length > 0) return `${capital(own.join(', '))} and grid power your home together.`;
  return battery_W !== null && battery_W > IDLE_W
    ? 'Your home draws from the grid and charges its battery.'
    : 'Your home draws from the grid.';
}
