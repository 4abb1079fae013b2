/** Minimum on and off times of a device. Unknown history: no bound. */

import type { DeviceImage } from '../../domain/image.ts';
import { because, isControllable, isProducer, narrow, type Plan, type Rule } from '../plan.ts';

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
  return plan;
}
