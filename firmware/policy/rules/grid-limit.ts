/**
 * The operator's limits, shared out with least harm: the most needed device keeps most. Unknown base
 * load counts as the worst case of the site, without own production.
 */
import { maxOf, minOf, setPointUnder } from '../../domain/flexibility.ts';
import type { ActiveLimit, DeviceImage, Image } from '../../domain/image.ts';
import type { Reason } from '../../domain/instruction.ts';
import { activeLimits } from '../active-limits.ts';
import { baseLoad_W, isFresh, measured_W, unseen_W } from '../balance.ts';
import { mostNeeded } from '../give-way.ts';
import {
  because,
  byPriority,
  isControllable,
  isLost,
  isProducer,
  narrow,
  type Plan,
  type Rule,
  type RuleContext,
} from '../plan.ts';
import { riseUnder } from './settle.ts';

/** Kept free below a limit, so that the noise of the base load does not cross it between two cycles. */
const LIMIT_MARGIN_W = 100;

export const importLimit: Rule = (context, plan) =>
  limitsOf(context, 'import').reduce((p, limit) => shareImport(context, limit, p), plan);

export const exportLimit: Rule = (context, plan) =>
  limitsOf(context, 'export').reduce((p, limit) => capExport(context, limit, p), plan);

/** Those on some devices first: what they take from one the others can give to another. */
const limitsOf = ({ image }: RuleContext, direction: ActiveLimit['direction']): ActiveLimit[] =>
  activeLimits(image)
    .filter((limit) => limit.direction === direction)
    .sort((a, b) => Number(a.scope === 'site') - Number(b.scope === 'site'));

export function reasonOf(limit: ActiveLimit): Reason {
  return because(codeOf(limit), {
    limit_W: limit.limit_W,
    source: limit.source,
    untilMs: limit.untilMs,
    scope: limit.scope,
  });
}

function codeOf({ restoring, direction, source }: ActiveLimit): Reason['code'] {
  if (restoring) return 'RESTORING';
  if (direction === 'export') return 'EXPORT_LIMIT';
  return source === 'failsafe' ? 'FAILSAFE_LIMIT' : 'GRID_LIMIT';
}

const consumers = (image: Image): DeviceImage[] =>
  image.devices.filter((d) => isControllable(d) && !isProducer(d));

const counts = (limit: ActiveLimit, { flexibility }: DeviceImage): boolean =>
  limit.scope === 'site' || flexibility.steerable;

/** What the devices under an import limit may draw together. */
function headroom_W(context: RuleContext, limit: ActiveLimit): number {
  const { image, wishes, given_W } = context;
  const given = consumers(image).reduce((sum, d) => sum + given_W(d), 0);
  const base = (baseLoad_W(image) ?? image.site.baseWorstCase_W) + given;
  if (limit.scope === 'site') return limit.limit_W - base;
  // § 14a: what counts is what the controllable devices draw from the grid. The rest of the house is free, and has
  // the first right to own production; what it leaves of that may be drawn on top (BK6-22-300 annex 1, 2.3).
  const others = consumers(image)
    .filter((d) => !counts(limit, d))
    .reduce((sum, d) => sum + Math.max(measured_W(d, image.site.staleAfterMs), wishes.get(d.id) ?? 0), 0);
  const stuck = consumers(image)
    .filter((d) => counts(limit, d) && isLost(d))
    .reduce((sum, d) => sum + Math.max(0, d.setPoint_W ?? d.flexibility.worstCase_W), 0);
  return limit.limit_W + Math.max(0, -(base + others)) - stuck;
}

function shareImport(context: RuleContext, limit: ActiveLimit, plan: Plan): Plan {
  const lostCounts = limit.scope === 'controllable';
  const counted = consumers(context.image).filter((d) => counts(limit, d) && !(lostCounts && isLost(d)));
  let left = Math.max(0, headroom_W(context, limit) - margin(limit));
  const unseen = (d: DeviceImage): number => unseen_W(context.image, d, context.given_W(d));
  let sure = left - context.image.devices.filter(isControllable).reduce((sum, d) => sum + unseen(d), 0);
  return mostNeeded(context.image, counted).reduce((p, device) => {
    const wish = Math.max(0, context.wishes.get(device.id) ?? maxOf(device.flexibility));
    const share = setPointUnder(device.flexibility, Math.min(left, wish)) ?? 0;
    const under = share < wish ? narrow(p, device.id, { max_W: share }, reasonOf(limit)) : p;
    const next = riseUnder(context, under, device, sure);
    // A device that does not want to run, or must not, leaves its share to the next, and the limit is not its reason.
    const taken = Math.min(share, Math.max(0, next.get(device.id)?.max_W ?? share));
    left = Math.max(0, left - taken);
    if (unseen(device) === 0) sure -= taken;
    return next;
  }, plan);
}

/**
 * Whatever can give power shares what may be fed in: a battery as far as it wants to, production all it can. What the
 * house takes itself may be given on top; unknown, it is taken as nothing.
 */
function capExport({ image, wishes }: RuleContext, limit: ActiveLimit, plan: Plan): Plan {
  const { staleAfterMs } = image.site;
  const controllable = image.devices.filter(isControllable);
  const sources = controllable.filter((d) => minOf(d.flexibility) < 0);
  const known = isFresh(image.grid_W, staleAfterMs) && sources.every((d) => isFresh(d.power_W, staleAfterMs));
  const drawn = (d: DeviceImage): number => measured_W(d, staleAfterMs);
  const open_W = (d: DeviceImage): number =>
    Math.min(d.underWay_W ?? d.setPoint_W ?? Infinity, plan.get(d.id)?.max_W ?? 0);
  // It goes on only as far as it is drawn, wished for and allowed already.
  const goesOn = (d: DeviceImage): number =>
    Math.max(0, Math.min(drawn(d), wishes.get(d.id) ?? 0, open_W(d)));
  const rest = (image.grid_W.value ?? 0) - controllable.reduce((sum, d) => sum + drawn(d), 0);
  const taken = controllable.reduce((sum, d) => sum + goesOn(d), rest);
  const unsteered = image.site.productionWorstCase_W ?? 0;
  let left = Math.max(0, limit.limit_W + (known ? taken : -unsteered));
  return byPriority(sources).reduce((p, device) => {
    const wish = isProducer(device)
      ? -(plan.get(device.id)?.min_W ?? 0)
      : Math.max(0, -(wishes.get(device.id) ?? 0));
    const most = Math.min(left, wish);
    left -= most;
    return isProducer(device) || most < wish ? narrow(p, device.id, { min_W: -most }, reasonOf(limit)) : p;
  }, plan);
}

const margin = (limit: ActiveLimit): number => Math.min(LIMIT_MARGIN_W, limit.limit_W / 10);
