/** What the owner asked for by hand. It beats price and solar, never a limit, the fuse or a minimum time. */
import type { DeviceImage, Image } from '../../domain/image.ts';
import { because, explain, isControllable, isProducer, narrow, type Plan, type Rule } from '../plan.ts';

export const owner: Rule = ({ image }, plan) =>
  image.devices
    .filter((d) => isControllable(d) && !isProducer(d))
    .reduce((p, d) => follow(image, p, d), plan);

/** Whether the owner's "now" holds for the device, so that price and solar leave it alone. */
export function isForced(image: Image, { override }: DeviceImage): boolean {
  if (override.kind !== 'now') return false;
  return override.untilMs === null || !image.wallTrusted || image.wallMs < override.untilMs;
}

/** A battery does not give either. */
const RESTS = { min_W: 0, max_W: 0 };

function follow(image: Image, plan: Plan, device: DeviceImage): Plan {
  const { override, id } = device;
  if (isForced(image, device)) {
    const untilMs = override.kind === 'now' ? override.untilMs : null;
    return explain(plan, id, because('OWNER_NOW', { untilMs }));
  }
  if (override.kind === 'off') return narrow(plan, id, RESTS, because('OWNER_OFF'));
  // Without a clock nobody knows whether the hour has come: waiting is what the owner asked for.
  if (override.kind === 'notBefore' && (!image.wallTrusted || image.wallMs < override.atMs)) {
    return narrow(plan, id, RESTS, because('OWNER_NOT_BEFORE', { atMs: override.atMs }));
  }
  return plan;
}
