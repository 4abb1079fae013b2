/** Devices that a plan has given a mode do as it says, on what is measured now. Without a plan it closes nothing. */
import { setPointOver } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import type { Reason } from '../../domain/instruction.ts';
import type { Mode, ModeSlot } from '../../domain/mode.ts';
import { priceAt } from '../../domain/price-curve.ts';
import { feedingInCosts_perWh, fixed_W, followed_W, isLed, modeNow } from '../followers/follow.ts';
import { reasonOf } from '../followers/under-peak.ts';
import { because, explain, isProducer, narrow, type Plan, type Rule } from '../plan.ts';

export const follow: Rule = ({ image, led }, plan) => {
  const points = led ?? followed_W(image, plan);
  return image.devices.reduce((p, d) => lead(image, p, d, points.get(d.id)), plan);
};

function lead(image: Image, plan: Plan, device: DeviceImage, point_W: number | undefined): Plan {
  const slot = modeNow(image, device);
  if (!slot || point_W === undefined) return plan;
  const { mode } = slot;
  // What it waits for, while the sun gives less than the least that it can take.
  const waiting =
    mode.kind === 'surplus' && point_W === 0 ? { needs_W: setPointOver(device.flexibility, 1) } : {};
  const wanted_W = givesWayFrom_W(plan, device, slot, point_W);
  const costs = isProducer(device) && !isOfPlan(slot) ? feedingInCosts_perWh(image) : null;
  const why =
    wanted_W !== null
      ? reasonOf(image, device, slot, { wanted_W, point_W })
      : costs !== null
        ? because('EXPORT_COSTS', { costs })
        : because('PLANNED', { ...whyOf(image, device, slot), ...waiting });
  const span = isProducer(device) ? { min_W: point_W } : { min_W: point_W, max_W: point_W };
  const narrowed = narrow(plan, device.id, span, why);
  return narrowed === plan ? explain(plan, device.id, why) : narrowed;
}

/** What a load would take that takes less for the sake of a peak, W; null: it does not. */
function givesWayFrom_W(plan: Plan, device: DeviceImage, slot: ModeSlot, point_W: number): number | null {
  const { mode, importUpTo_W } = slot;
  if (importUpTo_W === undefined || isLed(mode) || device.flexibility.kind === 'battery') return null;
  const wanted_W = Math.min(fixed_W(device, mode), plan.get(device.id)?.max_W ?? 0);
  return point_W < wanted_W ? wanted_W : null;
}

/** What of price, deadline and store stood behind it, and what the other choice would cost as far as the plan tells. */
function whyOf(
  { signals, site, wallMs }: Image,
  { flexibility }: DeviceImage,
  slot: ModeSlot,
): Reason['values'] {
  const { mode, fromMs, untilMs, startingNowCosts = null, waitingCosts = null } = slot;
  const { store, need } = flexibility;
  const isPlan = isOfPlan(slot);
  return {
    mode: mode.kind,
    ...(mode.kind === 'heat' && { level: mode.level }),
    fromMs,
    untilMs,
    ...(isPlan && { price: priceAt(signals, 'importPrice', site, wallMs) }),
    ...(isPlan && need && !store && { byMs: need.byMs }),
    ...(store?.kind === 'battery' && { fill: store.fill }),
    ...(store?.kind === 'heat' && { temperature_C: store.temperature_C }),
    ...(isPlan && (waits(mode) ? { startingNowCosts } : { waitingCosts })),
  };
}

/** Not what a device does by itself. */
const isOfPlan = ({ fromMs, untilMs }: ModeSlot): boolean => untilMs > fromMs;

/** A battery waits when it may not give, and nothing is said of taking from the grid. */
const waits = (mode: Mode): boolean =>
  mode.kind === 'heat'
    ? mode.level === 'off'
    : mode.kind === 'selfConsume'
      ? mode.dischargeUpTo_W === 0 || mode.chargeUpTo_W === 0
      : ['off', 'hold', 'surplus'].includes(mode.kind);
