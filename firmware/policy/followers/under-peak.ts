/**
 * A load that can wait gives way before a peak is billed: it takes less, or waits, while the rest of the house draws what
 * nobody foresaw, and goes on when there is room: turned up no sooner than after any other lowering (`rules/settle.ts`),
 * switched on after a rest, because an oven switches, too. Minimum times and comfort hold it on, and what its deadline
 * presses is no longer planned (`modesNow`). Judged by what flows now: the mean that is billed can only be below it.
 */
import { minOf, setPointOver, setPointUnder } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import type { Reason } from '../../domain/instruction.ts';
import type { Mode, ModeSlot } from '../../domain/mode.ts';
import { measured_W } from '../balance.ts';
import { because } from '../plan.ts';

/** For so little nothing is switched off: a fridge must not switch a boiler. W, and a share of what is paid for. */
const SLACK_W = 100;
const SLACK_SHARE = 0.05;

/** What was switched off stays off for so long. */
const REST_MS = 300_000;

/** How long it still rests, 0 or less when it does not. */
export const restMs = ({ setPoint_W, inStateMs, sinceLoweredMs }: DeviceImage): number =>
  setPoint_W === 0 ? REST_MS - Math.max(inStateMs, sinceLoweredMs) : 0;

/** On its menu, no more than wanted: what of `room_W` it takes; what is off begins with half of the slack. */
export function loadUnderPeak_W(
  device: DeviceImage,
  importUpTo_W: number,
  wanted_W: number,
  room_W: number,
): number {
  const { flexibility, setPoint_W } = device;
  if (restMs(device) > 0) return 0;
  if (wanted_W <= room_W) return wanted_W;
  const point_W = Math.max(0, setPointUnder(flexibility, Math.max(0, room_W)) ?? 0);
  const least_W = setPointOver(flexibility, 1);
  if (point_W > 0 || least_W === null || least_W > wanted_W) return point_W;
  const slack_W = Math.max(SLACK_W, SLACK_SHARE * importUpTo_W);
  const short_W = least_W - room_W;
  return short_W <= ((setPoint_W ?? 0) > 0 ? slack_W : slack_W / 2) ? least_W : 0;
}

/** What a battery gives by its mode where it is needed, W, 0 or more: loads need not wait for that. */
export function meantToGive_W({ flexibility }: DeviceImage, mode: Mode): number {
  const most_W = Math.max(0, -minOf(flexibility));
  if (mode.kind === 'discharge') return Math.min(most_W, mode.target_W);
  if (mode.kind === 'selfConsume') return Math.min(most_W, mode.dischargeUpTo_W ?? Infinity);
  return mode.kind === 'gridTarget' ? most_W : 0;
}

/** Why it draws `point_W` where its plan wants `wanted_W`: what a quarter hour of that would add to the peak, or its rest. */
export function reasonOf(
  { grid_W, site }: Image,
  device: DeviceImage,
  { importUpTo_W = Infinity }: ModeSlot,
  { wanted_W, point_W }: { readonly wanted_W: number; readonly point_W: number },
): Reason {
  const import_W = (grid_W.value ?? 0) - measured_W(device, site.staleAfterMs) + wanted_W;
  const more_W = Math.min(wanted_W - point_W, Math.max(0, import_W - importUpTo_W));
  const leftMs = restMs(device);
  if (more_W <= 0 && leftMs > 0) return because('MINIMUM_OFF', { leftMs });
  const goingOnCosts = site.peak ? site.peak.price_perW * more_W : null;
  return because('PEAK', { importUpTo_W, goingOnCosts });
}
