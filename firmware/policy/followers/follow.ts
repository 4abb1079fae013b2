/**
 * The fast loop: carries the modes of a plan out on what the meter shows now. Pure; the rules of limits and fuse come
 * before it and the guard after it, so it can ask for less than a limit, never for more.
 */
import { drawAt_W, maxOf, minOf, setPointOver, setPointUnder } from '../../domain/flexibility.ts';
import { type DeviceImage, FOLLOWS_MS, type Image } from '../../domain/image.ts';
import type { Mode, ModeSlot } from '../../domain/mode.ts';
import { priceAt } from '../../domain/price-curve.ts';
import { isFresh, isUnseen, measured_W, told_W, unseenBeside_W } from '../balance.ts';
import { canWait } from '../give-way.ts';
import { type Allowance, byPriority, isControllable, isLost, isProducer, type Plan } from '../plan.ts';
import { hasBegun } from '../program-start.ts';
import { isForced } from '../rules/owner.ts';
import { heatPower_W } from './heat-levels.ts';
import { loadUnderPeak_W, meantToGive_W } from './under-peak.ts';

/** A set-point is left as it is for less than this: writes wear, and the house flickers. */
const DEADBAND_W = 50;

/** What a device is to do now; null when no plan says anything, the owner's "now" holds, or its program has begun. */
export function modeNow(image: Image, device: DeviceImage): ModeSlot | null {
  const { modes, wallMs, wallTrusted } = image;
  if (isForced(image, device) || hasBegun(device)) return null;
  const slots = wallTrusted ? modes?.[device.id] : undefined;
  return slots?.find((s) => s.fromMs <= wallMs && wallMs < s.untilMs) ?? byItself(image, device);
}

/**
 * A battery that no plan leads keeps the house off the grid, and rests while nobody knows how full it is; a roof feeds in
 * nothing where that costs. Anything else is left to the other rules.
 */
function byItself(image: Image, device: DeviceImage): ModeSlot | null {
  const { wallMs } = image;
  const { kind, store } = device.flexibility;
  const now = { fromMs: wallMs, untilMs: wallMs };
  if (isProducer(device))
    return isControllable(device) && !isLost(device) && feedingInCosts_perWh(image) !== null
      ? { ...now, mode: { kind: 'gridTarget', grid_W: 0 } }
      : null;
  if (kind !== 'battery') return null;
  const isUnknown = store?.kind === 'battery' && store.fill === null;
  return { ...now, mode: { kind: isUnknown ? 'hold' : 'selfConsume' } };
}

/** What it costs to feed in now, per Wh; null where it costs nothing, or nobody knows. */
export function feedingInCosts_perWh({ signals, site, wallMs, wallTrusted }: Image): number | null {
  const price = wallTrusted ? priceAt(signals, 'exportPrice', site, wallMs) : null;
  return price !== null && price < 0 ? -price : null;
}

/** Whether it is led by what the meter shows, rather than told a power. */
export const isLed = ({ kind }: Mode): boolean => ['selfConsume', 'gridTarget', 'surplus'].includes(kind);

/**
 * Set-points in W of all devices that have a mode now, by id. What stronger rules have closed in `plan` nobody is led by:
 * a battery does not give for heat that the thermostat keeps off.
 */
export function followed_W(image: Image, plan: Plan): ReadonlyMap<string, number> {
  const followers = byPriority(image.devices.filter(isControllable)).flatMap((device) => {
    const slot = modeNow(image, device);
    return slot ? [{ device, slot, turn: turnOf(image, device, slot) }] : [];
  });
  const points = new Map<string, number>();
  const isAwaited = waitsForMeter(image, plan);
  const led = followers.map((f) => f.device);
  let flow = begun(image, plan, without_W(image, led));
  const sun = sunOf(image, led, flow);
  const relief_W = sun.all_W - sun.inFlow_W + givenBy_W(followers);
  const room_W = roomForSun_W(followers, plan);
  for (const { device, slot, turn } of [...followers].sort((a, b) => a.turn - b.turn)) {
    const wanted_W = isLed(slot.mode)
      ? ledTo_W(image, device, slot.mode, isProducer(device) && flow ? plus(flow, room_W) : flow, isAwaited)
      : forSun_W(device, fixed_W(device, slot.mode), flow, sun);
    const kept_W = turn === TURN.waits ? givingWay_W(device, slot, wanted_W, flow, relief_W) : wanted_W;
    const point_W = within(plan.get(device.id), underPeak_W(device, slot, kept_W, flow));
    points.set(device.id, point_W);
    flow = flow && with_W(flow, device, isProducer(device) ? there_W(image, device, point_W) : point_W);
  }
  return points;
}

const within = (open: Allowance | undefined, point_W: number): number =>
  open ? Math.min(open.max_W, Math.max(open.min_W, point_W)) : point_W;

interface Follower {
  readonly device: DeviceImage;
  readonly slot: ModeSlot;
  readonly turn: number;
}

/** What is told a power before what is led by the rest; batteries that are told one see what the others draw. */
const TURN = { load: 0, waits: 1, battery: 2, roof: 3, led: 4 } as const;

function turnOf(image: Image, device: DeviceImage, { mode, importUpTo_W }: ModeSlot): number {
  if (isProducer(device)) return TURN.roof;
  if (isLed(mode)) return TURN.led;
  if (isBattery(device)) return TURN.battery;
  // Who cannot wait has the first right to what is left below a peak.
  return importUpTo_W !== undefined && canWait(image, device) ? TURN.waits : TURN.load;
}

/** What the batteries among them are meant to give, W. */
const givenBy_W = (followers: readonly Follower[]): number =>
  followers.reduce(
    (sum, { device, slot }) => sum + (isBattery(device) ? meantToGive_W(device, slot.mode) : 0),
    0,
  );

/** A load that can wait takes what is left below the peak that is paid for, with what roofs and batteries give. */
const givingWay_W = (
  device: DeviceImage,
  { importUpTo_W }: ModeSlot,
  wanted_W: number,
  flow: Flow | null,
  relief_W: number,
): number =>
  importUpTo_W === undefined || flow === null
    ? wanted_W
    : loadUnderPeak_W(device, importUpTo_W, wanted_W, importUpTo_W - flow.net_W + relief_W);

/**
 * What batteries can take of the sun, W: a roof that is turned down gives it on top, as if they took it, for nobody else shows
 * them that it is there.
 */
function roomForSun_W(followers: readonly Follower[], plan: Plan): number {
  const cells = followers.filter(
    ({ device, slot }) => isBattery(device) && isLed(slot.mode) && !isLost(device) && !isFull(device),
  );
  return cells.reduce((sum, { device, slot }) => {
    const most_W = plan.get(device.id)?.max_W ?? maxOf(device.flexibility);
    return sum + Math.max(0, Math.min(most_W, balanced_W(slot.mode, Infinity)));
  }, 0);
}

const isFull = ({ flexibility: { store } }: DeviceImage): boolean =>
  store?.kind === 'battery' && store.fill !== null && store.fill >= store.mostFill;

/**
 * Of what may be produced only what is there already covers anything; but a roof that gives all that it was told is held by
 * that and not by the sun.
 */
function there_W({ site }: Image, device: DeviceImage, point_W: number): number {
  const gives_W = Math.min(0, measured_W(device, site.staleAfterMs));
  const isHeld = device.setPoint_W !== null && gives_W <= device.setPoint_W + DEADBAND_W;
  return isHeld ? point_W : Math.max(point_W, gives_W);
}

const isBattery = ({ flexibility }: DeviceImage): boolean => flexibility.kind === 'battery';

/** What the roofs give now, W, 0 or more: in all, and of those that are in the flow which the followers begin with. */
interface Sun {
  readonly all_W: number;
  readonly inFlow_W: number;
}

/** A roof that no device speaks for is seen by what flows out. */
function sunOf({ devices, site }: Image, followers: readonly DeviceImage[], flow: Flow | null): Sun {
  const of = (roofs: readonly DeviceImage[]): number =>
    roofs.reduce((sum, d) => sum + Math.max(0, -measured_W(d, site.staleAfterMs)), 0);
  const roofs = devices.filter(isProducer);
  const others = roofs.filter((d) => !followers.includes(d));
  const inFlow_W = Math.max(of(others), -(flow?.net_W ?? 0));
  return { inFlow_W, all_W: inFlow_W + of(roofs.filter((d) => followers.includes(d))) };
}

/**
 * A battery that may not be charged from the grid takes no more than the sun gives, and one that may not feed it gives no
 * more than the house takes: the plan meant a sun and a load that may not have come. Without the meter it rests.
 */
function forSun_W(device: DeviceImage, point_W: number, flow: Flow | null, sun: Sun): number {
  const { store } = device.flexibility;
  const isFree = store?.kind !== 'battery' || (point_W > 0 ? store.gridCharge : store.gridDischarge);
  if (isFree || point_W === 0) return point_W;
  if (flow === null) return 0;
  if (point_W > 0) return Math.min(point_W, towards0_W(device, sun.all_W));
  return Math.max(point_W, towards0_W(device, Math.min(0, -flow.net_W - sun.inFlow_W)));
}

/** A battery takes less, or gives, rather than let a peak be billed. */
function underPeak_W(
  device: DeviceImage,
  { importUpTo_W }: ModeSlot,
  point_W: number,
  flow: Flow | null,
): number {
  if (importUpTo_W === undefined || flow === null || !isBattery(device)) return point_W;
  const room_W = importUpTo_W - flow.net_W;
  return point_W <= room_W ? point_W : Math.min(point_W, towards0_W(device, room_W));
}

/** On the menu: never more drawn or given than wanted. */
const towards0_W = ({ flexibility }: DeviceImage, wanted_W: number): number =>
  wanted_W >= 0
    ? Math.max(0, setPointUnder(flexibility, wanted_W) ?? 0)
    : Math.min(0, setPointOver(flexibility, wanted_W) ?? 0);

/** What flows at the connection, import positive, as those see it who are led by it. */
interface Flow {
  readonly net_W: number;
  /** Without what batteries take: no battery gives for that. */
  readonly need_W: number;
  /** Without what batteries give: nobody takes that for sun to spare. */
  readonly spare_W: number;
}

function with_W({ net_W, need_W, spare_W }: Flow, device: DeviceImage, point_W: number): Flow {
  return {
    net_W: net_W + point_W,
    need_W: need_W + (isBattery(device) ? Math.min(0, point_W) : point_W),
    spare_W: spare_W + (isBattery(device) ? Math.max(0, point_W) : point_W),
  };
}

const plus = ({ net_W, need_W, spare_W }: Flow, more_W: number): Flow => ({
  net_W: net_W + more_W,
  need_W: need_W + more_W,
  spare_W: spare_W + more_W,
});

/**
 * With what is about to begin: told off, or told on since the meter was read, it runs whatever the price as soon as it may.
 * Nobody leads it, and so nothing else says so before it draws.
 */
function begun(image: Image, plan: Plan, flow: Flow | null): Flow | null {
  const soon = image.devices.filter((d) => !isProducer(d) && !isBattery(d) && isDue(image, plan, d));
  return soon.reduce((f, d) => {
    const more_W = takesNow_W(image, plan, d) - measured_W(d, image.site.staleAfterMs);
    return f && with_W(f, d, Math.max(0, more_W));
  }, flow);
}

function isDue(image: Image, plan: Plan, device: DeviceImage): boolean {
  if (!isControllable(device) || isLost(device) || modeNow(image, device)) return false;
  const isOn = (device.setPoint_W ?? 0) > 0;
  if (isOn && (device.sinceChangedMs ?? Infinity) > image.grid_W.ageMs + FOLLOWS_MS) return false;
  return isForced(image, device) || (plan.get(device.id)?.min_W ?? 0) > 0;
}

/** At the owner's word the most that is open, else the least that it has to; of a program what its present step draws. */
function takesNow_W(image: Image, plan: Plan, device: DeviceImage): number {
  const { flexibility, run } = device;
  const { min_W = 0, max_W = 0 } = plan.get(device.id) ?? {};
  const most_W = Math.max(0, setPointUnder(flexibility, isForced(image, device) ? max_W : min_W) ?? 0);
  const { program } = flexibility;
  if (!program) return most_W;
  // Without a run it has power to be set, and draws next to nothing.
  return run ? Math.min(most_W, drawAt_W(program, run.doneMs ?? 0)) : 0;
}

/** What would flow at the connection without the followers; null when the meter does not say. */
function without_W({ grid_W, site }: Image, followers: readonly DeviceImage[]): Flow | null {
  if (!isFresh(grid_W, site.staleAfterMs) || grid_W.value === null) return null;
  const net_W = followers.reduce((sum, d) => sum - measured_W(d, site.staleAfterMs), grid_W.value);
  return { net_W, need_W: net_W, spare_W: net_W };
}

/** What a mode that is told a power asks for, W. */
export function fixed_W(device: DeviceImage, mode: Mode): number {
  const { flexibility } = device;
  const under = (power_W: number): number => Math.max(0, setPointUnder(flexibility, power_W) ?? 0);
  switch (mode.kind) {
    case 'run':
      // A program takes what it takes, step by step.
      return flexibility.program ? maxOf(flexibility) : under(mode.upTo_W);
    case 'charge':
      return under(mode.upTo_W);
    case 'discharge':
      return Math.min(0, setPointOver(flexibility, -mode.target_W) ?? 0);
    case 'produce':
      return Math.min(0, setPointOver(flexibility, -mode.upTo_W) ?? 0);
    case 'heat':
      return heatPower_W(device, mode);
    default:
      return 0;
  }
}

/**
 * Somebody has its last command behind it and waits until those of others are seen. Who is led by the meter has another one
 * every few seconds: it then leaves its turn out, and takes its next step when all are seen and the other can rise.
 */
const waitsForMeter = (image: Image, plan: Plan): boolean =>
  image.devices.some(
    (d) => !isUnseen(image, d) && plan.get(d.id)?.reasons.some(({ values }) => values.awaits === 'meter'),
  );

/** Without the meter nobody leads it: it rests. */
function ledTo_W(
  image: Image,
  device: DeviceImage,
  mode: Mode,
  flow: Flow | null,
  isAwaited: boolean,
): number {
  // Without the meter a roof gives what it can: that is counted at its worst by those who must.
  if (isProducer(device) && flow === null) return minOf(device.flexibility);
  if (flow === null || isLost(device)) return 0;
  const last_W = device.underWay_W ?? device.setPoint_W;
  // Until the meter has seen what was told last, the difference is not known.
  if (last_W !== null && (isUnseen(image, device) || isAwaited)) return last_W;
  const at = (f: Flow): number =>
    towards0_W(device, mode.kind === 'gridTarget' ? mode.grid_W - f.net_W : balanced_W(mode, balance_W(f)));
  const seen_W = at(flow);
  const unseen_W = seen_W > told_W(device) ? unseenBeside_W(image, device) : 0;
  const point = unseen_W > 0 ? Math.max(told_W(device), at(plus(flow, unseen_W))) : seen_W;
  const isLittle = last_W !== null && Math.abs(last_W - point) < DEADBAND_W;
  return isLittle && (isProducer(device) || Math.abs(last_W) <= Math.abs(point)) ? last_W : point;
}

/** Takes what is to spare, or gives what is needed. */
const balance_W = ({ need_W, spare_W }: Flow): number => (need_W > 0 ? -need_W : Math.max(0, -spare_W));

function balanced_W(mode: Mode, power_W: number): number {
  if (mode.kind === 'surplus') return Math.max(0, power_W);
  if (mode.kind !== 'selfConsume') return power_W;
  const { chargeUpTo_W = Infinity, dischargeUpTo_W = Infinity } = mode;
  return Math.min(chargeUpTo_W, Math.max(-dischargeUpTo_W, power_W));
}
