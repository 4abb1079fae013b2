/** Minimum on and off times of a device, and no raising right after a lowering. Unknown history: no bound. */

import type { DeviceImage } from '../../domain/image.ts';
import { because, isControllable, isProducer, narrow, type Plan, type Rule } from '../plan.ts';

/** After a set-point was lowered it is not raised for so long: the house does not hunt. */
export const SETTLE_MS = 60_000;

export const minimumTimes: Rule = ({ image }, plan) =>
  image.devices.filter((d) => isControllable(d) && !isProducer(d)).reduce(hold, plan);

function hold(plan: Plan, device: DeviceImage): Plan {
  const { minOnMs, minOffMs, ranges } = device.flexibility;
  const on = (device.setPoint_W ?? 0) > 0;
  if (on && device.inStateMs < minOnMs) {
    const least = ranges
      .filter((r) => r.max_W > 0)
      .reduce((min, r) => Math.min(min, Math.max(r.min_W, 1)), Infinity);
    return narrow(
      plan,
      device.id,
      { min_W: least },
      because('MINIMUM_ON', { leftMs: minOnMs - device.inStateMs }),
    );
  }
  if (!on && device.setPoint_W !== null && device.inStateMs < minOffMs) {
    return narrow(
      plan,
      device.id,
      { max_W: 0 },
      because('MINIMUM_OFF', { leftMs: minOffMs - device.inStateMs }),
    );
  }
  if (device.sinceLoweredMs < SETTLE_MS && device.setPoint_W !== null) {
    return narrow(
      plan,
      device.id,
      { max_W: device.setPoint_W },
      because('SETTLING', { leftMs: SETTLE_MS - device.sinceLoweredMs }),
    );
  }
  return plan;
}
