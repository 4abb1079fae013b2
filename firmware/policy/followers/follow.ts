/**
 * The fast loop: carries the modes of a plan out on what the meter shows now. Pure; the rules of limits and fuse come
 * before it and the guard after it, so it can ask for less than a limit, never for more.
 */
import { setPointOver, setPointUnder } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import type { HeatLevel, Mode, ModeSlot } from '../../domain/mode.ts';
import { isFresh, measured_W } from '../balance.ts';
import { byPriority, isControllable, isLost } from '../plan.ts';
import { isForced } from '../rules/owner.ts';

/** A set-point is left as it is for less than this: writes wear, and the house flickers. */
const DEADBAND_W = 50;

/** What a device is to do now; null when no plan says anything, or the owner's "now" holds. */
export function modeNow(image: Image, device: DeviceImage): ModeSlot | null {
  const { modes, wallMs, wallTrusted } = image;
  if (isForced(image, device)) return null;
  const slots = wallTrusted ? modes?.[device.id] : undefined;
  return slots?.find((s) => s.fromMs <= wallMs && wallMs < s.untilMs) ?? byItself(image, device);
}

/** A battery that no plan leads keeps the house off the grid; anything else is left to the other rules. */
const byItself = ({ wallMs }: Image, { flexibility }: DeviceImage): ModeSlot | null =>
  flexibility.kind === 'battery' ? { fromMs: wallMs, untilMs: wallMs, mode: { kind: 'selfConsume' } } : null;

/** Whether it is led by what the meter shows, rather than told a power. */
export const isLed = ({ kind }: Mode): boolean => ['selfConsume', 'gridTarget', 'surplus'].includes(kind);

/** Set-points in W of all devices that have a mode now, by id. */
export function followed_W(image: Image): ReadonlyMap<string, number> {
  const followers = byPriority(image.devices.filter(isControllable)).flatMap((device) => {
    const slot = modeNow(image, device);
    return slot ? [{ device, mode: slot.mode }] : [];
  });
  const told = followers.filter((f) => !isLed(f.mode));
  const led = followers.filter((f) => isLed(f.mode));
  const points = new Map(told.map(({ device, mode }) => [device.id, fixed_W(device, mode)]));
  let net_W = without_W(
    image,
    followers.map((f) => f.device),
  );
  for (const { device } of told) net_W = plus(net_W, points.get(device.id) ?? 0);
  for (const { device, mode } of led) {
    const point = ledTo_W(image, device, mode, net_W);
    points.set(device.id, point);
    net_W = plus(net_W, point);
  }
  return points;
}

const plus = (a: number | null, b: number): number | null => (a === null ? null : a + b);

/** What would flow at the connection without the followers; null when the meter does not say. */
function without_W({ grid_W, site }: Image, followers: readonly DeviceImage[]): number | null {
  if (!isFresh(grid_W, site.staleAfterMs) || grid_W.value === null) return null;
  return followers.reduce((sum, d) => sum - measured_W(d, site.staleAfterMs), grid_W.value);
}

function fixed_W({ flexibility }: DeviceImage, mode: Mode): number {
  const under = (power_W: number): number => Math.max(0, setPointUnder(flexibility, power_W) ?? 0);
  switch (mode.kind) {
    case 'charge':
    case 'run':
      return under(mode.upTo_W);
    case 'discharge':
      return Math.min(0, setPointOver(flexibility, -mode.target_W) ?? 0);
    case 'produce':
      return Math.min(0, setPointOver(flexibility, -mode.upTo_W) ?? 0);
    case 'heat':
      return heat_W(flexibility.ranges, mode.level);
    default:
      return 0;
  }
}

/** The running powers of a menu in order: the least is reduced, the most is boost, and normal the one below where there is one. */
function heat_W(ranges: DeviceImage['flexibility']['ranges'], level: HeatLevel): number {
  if (level === 'off') return 0;
  const powers = [...new Set(ranges.flatMap((r) => [r.min_W, r.max_W]))]
    .filter((p) => p > 0)
    .sort((a, b) => a - b);
  const index = {
    reduced: 0,
    normal: powers.length > 2 ? powers.length - 2 : powers.length - 1,
    boost: powers.length - 1,
  };
  return powers[index[level]] ?? 0;
}

/** Without the meter nobody leads it: it rests. */
function ledTo_W(image: Image, device: DeviceImage, mode: Mode, net_W: number | null): number {
  if (net_W === null || isLost(device)) return 0;
  const told_W = device.underWay_W ?? device.setPoint_W;
  // Until the meter has seen what was told last, the difference is not known.
  if (told_W !== null && (device.sinceChangedMs ?? Infinity) <= image.grid_W.ageMs) return told_W;
  const wanted = within(mode, (mode.kind === 'gridTarget' ? mode.grid_W : 0) - net_W);
  const { flexibility } = device;
  // Towards 0 on the menu: never more drawn or given than wanted.
  const point =
    wanted >= 0
      ? Math.max(0, setPointUnder(flexibility, wanted) ?? 0)
      : Math.min(0, setPointOver(flexibility, wanted) ?? 0);
  return told_W !== null && Math.abs(told_W - point) < DEADBAND_W && Math.abs(told_W) <= Math.abs(point)
    ? told_W
    : point;
}

function within(mode: Mode, power_W: number): number {
  if (mode.kind === 'surplus') return Math.max(0, power_W);
  if (mode.kind !== 'selfConsume') return power_W;
  const { chargeUpTo_W = Infinity, dischargeUpTo_W = Infinity } = mode;
  return Math.min(chargeUpTo_W, Math.max(-dischargeUpTo_W, power_W));
}
