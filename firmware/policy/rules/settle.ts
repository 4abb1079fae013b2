/**
 * No raising right after a lowering, so that the house does not hunt when its base load flickers below a limit; and
 * none before the meter has been read since the last command of a device, because until then nobody knows what it takes.
 * Others may rise as far as there is room for them whatever that is: `riseUnder`, with which limits and fuse are shared out.
 */
import { setPointUnder } from '../../domain/flexibility.ts';
import { type DeviceImage, FOLLOWS_MS, type Image } from '../../domain/image.ts';
import { isUnseen, told_W } from '../balance.ts';
import { isLed, modeNow } from '../followers/follow.ts';
import {
  because,
  isControllable,
  isProducer,
  narrow,
  type Plan,
  type Rule,
  type RuleContext,
} from '../plan.ts';

/** After a set-point was lowered it is not raised for so long. */
export const SETTLE_MS = 60_000;

export const settle: Rule = (context, plan) =>
  context.image.devices
    .filter((d) => isControllable(d) && !isProducer(d))
    .reduce((p, d) => hold(context, p, d), plan);

function hold(context: RuleContext, plan: Plan, device: DeviceImage): Plan {
  const { image, wishes } = context;
  const { id, setPoint_W, sinceLoweredMs } = device;
  // What follows the meter by its mode goes up and down with it.
  const slot = modeNow(image, device);
  const led = slot !== null && isLed(slot.mode);
  const loweredMs = setPoint_W === null || led ? 0 : SETTLE_MS - sinceLoweredMs;
  if (loweredMs <= 0) return isUnseen(image, device) ? riseUnder(context, plan, device, 0) : plan;
  const confirmed_W = Math.max(0, setPoint_W ?? 0);
  // What wants no more has another reason.
  if ((wishes.get(id) ?? Infinity) <= confirmed_W) return plan;
  const leftMs = Math.max(loweredMs, seenInMs(image));
  return narrow(plan, id, { max_W: confirmed_W }, because('SETTLING', { leftMs, awaits: 'minute' }));
}

/** It takes no more than this on top of what it was told, until the meter has seen all commands. */
export function riseUnder(
  { image, wishes }: RuleContext,
  plan: Plan,
  device: DeviceImage,
  sure_W: number,
): Plan {
  const max_W = Math.max(told_W(device), setPointUnder(device.flexibility, Math.max(0, sure_W)) ?? 0);
  if ((wishes.get(device.id) ?? Infinity) <= max_W) return plan;
  return narrow(
    plan,
    device.id,
    { max_W },
    because('SETTLING', { leftMs: seenInMs(image), awaits: 'meter' }),
  );
}

/** How long until the meter has been read after every device followed its last command. */
function seenInMs(image: Image): number {
  const unseen = image.devices.filter((d) => isUnseen(image, d));
  return Math.max(
    0,
    ...unseen.map((d) => image.grid_W.ageMs + FOLLOWS_MS - (d.sinceChangedMs ?? 0)).filter(Number.isFinite),
  );
}
