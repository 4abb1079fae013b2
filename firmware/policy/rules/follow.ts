/** Devices that a plan has given a mode do as it says, on what is measured now. Without a plan it closes nothing. */
import { setPointOver } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { followed_W, modeNow } from '../followers/follow.ts';
import { because, explain, isProducer, narrow, type Plan, type Rule } from '../plan.ts';

export const follow: Rule = ({ image }, plan) => {
  const points = followed_W(image);
  return image.devices.reduce((p, d) => lead(image, p, d, points.get(d.id)), plan);
};

function lead(image: Image, plan: Plan, device: DeviceImage, point_W: number | undefined): Plan {
  const slot = modeNow(image, device);
  if (!slot || point_W === undefined) return plan;
  const { mode, fromMs, untilMs } = slot;
  // What it waits for, while the sun gives less than the least that it can take.
  const waiting =
    mode.kind === 'surplus' && point_W === 0 ? { needs_W: setPointOver(device.flexibility, 1) } : {};
  const why = because('PLANNED', { mode: mode.kind, fromMs, untilMs, ...waiting });
  const span = isProducer(device) ? { min_W: point_W } : { min_W: point_W, max_W: point_W };
  const narrowed = narrow(plan, device.id, span, why);
  return narrowed === plan ? explain(plan, device.id, why) : narrowed;
}
