/**
 * The operator's limits, shared out by the owner's priorities: the most important device keeps most. Unknown base
 * load counts as the worst case of the site, without own production.
 */
import { maxOf, setPointUnder } from '../../domain/flexibility.ts';
import type { ActiveLimit, Image } from '../../domain/image.ts';
import type { Reason } from '../../domain/instruction.ts';
import { activeLimits } from '../active-limits.ts';
import { baseLoad_W, isFresh } from '../balance.ts';
import { because, byPriority, isControllable, isProducer, narrow, type Plan, type Rule } from '../plan.ts';

/** Kept free below a limit, so that the noise of the base load does not cross it between two cycles. */
export const LIMIT_MARGIN_W = 100;

export const gridLimit: Rule = (context, plan) =>
  activeLimits(context.image).reduce(
    (p, limit) =>
      limit.direction === 'import'
        ? shareImport(context.image, context.wishes, limit, p)
        : capExport(context.image, limit, p),
    plan,
  );

export function reasonOf(limit: ActiveLimit): Reason {
  const code =
    limit.direction === 'export'
      ? 'EXPORT_LIMIT'
      : limit.source === 'failsafe'
        ? 'FAILSAFE_LIMIT'
        : 'GRID_LIMIT';
  return because(code, {
    limit_W: limit.limit_W,
    source: limit.source,
    untilMs: limit.untilMs,
    scope: limit.scope,
  });
}

/** What the devices under an import limit may draw together. */
export function headroom_W(image: Image, limit: ActiveLimit): number {
  const base = baseLoad_W(image) ?? image.site.baseWorstCase_W;
  // § 14a: the draw of the controllable devices counts, and own production may cover more (grid-effective draw).
  if (limit.scope === 'controllable') return limit.limit_W + Math.max(0, -base);
  return limit.limit_W - base;
}

function shareImport(
  image: Image,
  wishes: ReadonlyMap<string, number>,
  limit: ActiveLimit,
  plan: Plan,
): Plan {
  const counted = image.devices.filter(
    (d) => isControllable(d) && !isProducer(d) && (limit.scope === 'site' || d.flexibility.steerable),
  );
  let left = Math.max(0, headroom_W(image, limit) - margin(limit));
  return byPriority(counted).reduce((p, device) => {
    const wish = Math.max(0, wishes.get(device.id) ?? maxOf(device.flexibility));
    const share = setPointUnder(device.flexibility, Math.min(left, wish)) ?? 0;
    left = Math.max(0, left - share);
    // A device that does not want to run leaves its share to the next, and the limit is not its reason.
    return share < wish ? narrow(p, device.id, { max_W: share }, reasonOf(limit)) : p;
  }, plan);
}

const margin = (limit: ActiveLimit): number => Math.min(LIMIT_MARGIN_W, limit.limit_W / 10);

function capExport(image: Image, limit: ActiveLimit, plan: Plan): Plan {
  const producers = image.devices.filter((d) => isControllable(d) && isProducer(d));
  const { staleAfterMs } = image.site;
  const known =
    isFresh(image.grid_W, staleAfterMs) && producers.every((d) => isFresh(d.power_W, staleAfterMs));
  const produced = producers.reduce((sum, d) => sum - (d.power_W.value ?? 0), 0);
  // What the house takes itself may be produced on top of the limit; unknown, it is taken as nothing.
  let left = limit.limit_W + (known ? Math.max(0, (image.grid_W.value ?? 0) + produced) : 0);
  return byPriority(producers).reduce((p, device) => {
    const most = Math.min(left, -(plan.get(device.id)?.min_W ?? 0));
    left -= most;
    return narrow(p, device.id, { min_W: -most }, reasonOf(limit));
  }, plan);
}
