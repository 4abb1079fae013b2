/** Without a fresh meter nobody knows what the house draws: nothing may rise, what runs may go on. */
import { isDoubtful, isFresh } from '../balance.ts';
import { because, isControllable, isProducer, narrow, type Rule } from '../plan.ts';

export const staleMeter: Rule = ({ image }, plan) => {
  const { staleAfterMs } = image.site;
  if (isFresh(image.grid_W, staleAfterMs)) return plan;
  const reason = because(
    'STALE_METER',
    isDoubtful(image.grid_W, staleAfterMs) ? { power: 'doubtful' } : undefined,
  );
  return image.devices
    .filter((d) => isControllable(d) && !isProducer(d))
    .reduce((p, d) => narrow(p, d.id, { max_W: Math.max(0, d.setPoint_W ?? 0) }, reason), plan);
};
