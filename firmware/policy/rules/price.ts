/**
 * Run where it is cheap before the deadline. Without a price or a clock a device runs at once: comfort does not
 * wait for a broken link. What own solar covers is left to the next rule.
 */
import type { DeviceImage, Image } from '../../domain/image.ts';
import { priceAt } from '../../domain/price-curve.ts';
import { comfortLeftMs, startingNowCosts, waitingCosts } from '../alternative.ts';
import { modeNow } from '../followers/follow.ts';
import { because, explain, isControllable, isProducer, narrow, type Plan, type Rule } from '../plan.ts';
import { pricePlan } from '../price-plan.ts';
import { surplusFor_W } from './own-solar.ts';
import { isForced } from './owner.ts';

export const price: Rule = ({ image }, plan) =>
  image.devices
    .filter((d) => isControllable(d) && !isProducer(d) && d.mode === 'cheap' && !isLed(d))
    .reduce((p, d) => choose(image, p, d), plan);

/** Its thermostat or its program has decided already. */
const isLed = ({ flexibility: { store, need, program } }: DeviceImage): boolean =>
  (store?.kind === 'heat' && !need) || program !== undefined;

function choose(image: Image, plan: Plan, device: DeviceImage): Plan {
  if (isForced(image, device) || modeNow(image, device)) return plan;
  const { verdict, slots } = pricePlan(image, device);
  const now = priceAt(image.signals, 'importPrice', image.site, image.wallMs);
  const values = {
    price: now,
    fromMs: slots[0]?.fromMs ?? null,
    byMs: device.flexibility.need?.byMs ?? null,
  };
  if (verdict === 'free') return explain(plan, device.id, freeBecause(image, device));
  if (verdict === 'run') {
    const waiting = { waitingCosts: waitingCosts(image, device) };
    return explain(plan, device.id, because(runCode(image, device), { ...values, ...waiting }));
  }
  if (surplusFor_W(image, device) > 0) return plan;
  return narrow(
    plan,
    device.id,
    { max_W: 0 },
    slots.length === 0
      ? because('NO_NEED', values)
      : because('PRICE_WAIT', { ...values, startingNowCosts: startingNowCosts(image, device) }),
  );
}

/** No hour that is cheaper could be waited for: the deadline decides, not the price. */
const runCode = (image: Image, device: DeviceImage): 'DEADLINE_RUN' | 'PRICE_RUN' =>
  (comfortLeftMs(image, device) ?? Infinity) <= 0 ? 'DEADLINE_RUN' : 'PRICE_RUN';

function freeBecause(image: Image, device: DeviceImage) {
  if (!device.flexibility.need) return because('FREE');
  return because(image.wallTrusted ? 'NO_PRICE' : 'NO_CLOCK');
}
