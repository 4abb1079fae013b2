/**
 * No raising right after a lowering, so that the house does not hunt when its base load flickers below a limit; and
 * none before the meter has been read since the last command, because until then nobody knows what is free.
 */
import type { DeviceImage, Image } from '../../domain/image.ts';
import { FOLLOWS_MS } from '../balance.ts';
import { isLed, modeNow } from '../followers/follow.ts';
import {
  because,
  isControllable,
  isLost,
  isProducer,
  narrow,
  type Plan,
  type Rule,
  type RuleContext,
} from '../plan.ts';

/** After a set-point was lowered it is not raised for so long. */
export const SETTLE_MS = 60_000;

export const settle: Rule = (context, plan) => {
  const { image } = context;
  const unsettledMs = unsettled(image);
  return image.devices
    .filter((d) => isControllable(d) && !isProducer(d))
    .reduce((p, d) => hold(context, p, d, unsettledMs), plan);
};

function hold({ image, wishes }: RuleContext, plan: Plan, device: DeviceImage, unsettledMs: number): Plan {
  const { id, setPoint_W, underWay_W, sinceLoweredMs } = device;
  // What follows the meter by its mode goes up and down with it.
  const slot = modeNow(image, device);
  const led = slot !== null && isLed(slot.mode);
  const loweredMs = setPoint_W === null || led ? 0 : SETTLE_MS - sinceLoweredMs;
  const leftMs = Math.max(unsettledMs, loweredMs);
  if (leftMs <= 0) return plan;
  const confirmed_W = setPoint_W ?? 0;
  const told_W = loweredMs > 0 ? confirmed_W : Math.max(confirmed_W, underWay_W ?? confirmed_W);
  // What wants no more has another reason.
  if ((wishes.get(id) ?? Infinity) <= Math.max(0, told_W)) return plan;
  const awaits = loweredMs > 0 ? 'minute' : 'meter';
  return narrow(plan, id, { max_W: Math.max(0, told_W) }, because('SETTLING', { leftMs, awaits }));
}

/** How long until the meter has been read after every device followed its last command; 0 or less: it has. */
function unsettled({ devices, grid_W }: Image): number {
  const since = (d: DeviceImage): number => (isLost(d) ? Infinity : (d.sinceChangedMs ?? Infinity));
  return Math.max(0, ...devices.map((d) => grid_W.ageMs + FOLLOWS_MS - since(d)).filter(Number.isFinite));
}
