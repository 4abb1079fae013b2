/** What devices, grid and events of the program share. */
import type { DeviceSchedule } from '../scenario.ts';
import type { Term } from './linear-program.ts';

/** What the devices add to one slot: terms of net power before constants, of steerable power, and of solar used. */
export interface SlotTerms {
  readonly net: Term[];
  readonly steerable: Term[];
  readonly solar: Term[];
  fixed_kw: number;
  /** The most and the least that the net power of this slot can be, kW. */
  most_kw: number;
  least_kw: number;
}

/** The columns of one device. */
export interface DeviceColumns {
  readonly charge?: readonly number[];
  /** The device's powers out of the values of all columns. */
  read(values: ArrayLike<number>): DeviceSchedule;
  /** The whole-number columns as a schedule has them, for a warm start. */
  start(schedule: DeviceSchedule): Term[];
}

/** Counts `v` (times `factor` kW, at most `most_kw`) into the slot's net power. */
export function draws(slot: SlotTerms | undefined, v: number, factor: number, most_kw: number): void {
  slot?.net.push([v, factor]);
  if (!slot) return;
  if (factor > 0) slot.most_kw += most_kw;
  else slot.least_kw -= most_kw;
}

export const within = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x));
