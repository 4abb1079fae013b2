/** Without a fresh meter nobody knows what the house draws: nothing may rise, what runs may go on. */
import { isFresh } from '../balance.ts';
import { because, isControllable, isProducer, narrow, type Rule } from '../plan.ts';

export const staleMeter: Rule = ({ image }, plan) => {
  if (isFresh(image.grid_W, image.site.staleAfterMs)) return plan;
  return image.devices
    .filter((d) => isControllable(d) && !isProducer(d))
    .reduce(
      (p, d) => narrow(p, d.id, { max_W: Math.max(0, d.setPoint_W ?? 0) }, because('STALE_METER')),
      plan,
    );
};
