/**
 * Devices that follow own production get what would otherwise be exported, most important first. Without a fresh
 * meter there is no surplus.
 */
import { type Program, setPointUnder } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { startingNowCosts } from '../alternative.ts';
import { baseLoad_W, told_W, unseenBeside_W } from '../balance.ts';
import { modeNow } from '../followers/follow.ts';
import {
  because,
  byPriority,
  explain,
  isControllable,
  isProducer,
  narrow,
  type Plan,
  type Rule,
} from '../plan.ts';
import { pricePlan } from '../price-plan.ts';
import { hasBegun, latestStartMs, programStart } from '../program-start.ts';
import { isForced } from './owner.ts';

/** What has had power for so long and does not draw is not waited for. */
const BEGINS_MS = 300_000;

export const ownSolar: Rule = ({ image }, plan) =>
  image.devices.filter((d) => followsSun(image, d)).reduce((p, d) => limit(image, p, d), plan);

/** Mode `solar`, and `cheap` while it waits for its slot. */
export function followsSun(image: Image, device: DeviceImage): boolean {
  // A program takes the sun where it starts, and is not stopped for a cloud.
  if (device.flexibility.program) return false;
  if (!isControllable(device) || isProducer(device) || isForced(image, device) || modeNow(image, device))
    return false;
  return device.mode === 'solar' || (device.mode === 'cheap' && pricePlan(image, device).verdict === 'wait');
}

/**
 * The set-point that own production carries for this device after those more important than it, and after all programs that
 * are under way: those do not stop for a cloud. It rises only on what is there whatever the last commands of others do.
 * Whoever begins with this decision has its sun already.
 */
export function surplusFor_W(image: Image, device: DeviceImage): number {
  const base = baseLoad_W(image);
  if (base === null) return 0;
  const consumers = byPriority(image.devices.filter((d) => isControllable(d) && !isProducer(d)));
  const firm = consumers.filter((d) => d.id !== device.id && runsAnyway(image, d));
  const taken_W = firm.reduce((sum, d) => sum + firm_W(d, device), 0);
  const others = consumers.filter((d) => !firm.includes(d));
  const share_W = shareOf(image, device, others, -base - taken_W);
  if (share_W <= told_W(device)) return share_W;
  const sure_W = shareOf(image, device, others, -base - taken_W - unseenBeside_W(image, device));
  return Math.max(sure_W, told_W(device));
}

/** Most important first, of so much. */
function shareOf(image: Image, device: DeviceImage, consumers: readonly DeviceImage[], sun_W: number) {
  let left = Math.max(0, sun_W);
  for (const other of consumers) {
    const share = setPointUnder(other.flexibility, left) ?? 0;
    if (other.id === device.id) return Math.max(0, share);
    const taken = followsSun(image, other) || waitsForSun(image, other) ? share : drawn_W(other);
    left = Math.max(0, left - taken);
  }
  return 0;
}

const drawn_W = ({ power_W }: DeviceImage): number => Math.max(0, power_W.value ?? 0);

/** A program that has power, or gets it now whatever the sun does. */
function runsAnyway(image: Image, device: DeviceImage): boolean {
  if (hasBegun(device)) return (device.setPoint_W ?? 0) > 0 || (device.underWay_W ?? 0) > 0;
  const { mode, run } = device;
  if (!run || !mayBegin(image, device)) return false;
  if (isForced(image, device) || run.byMs === null || mode === 'always') return true;
  if (image.wallMs >= (latestStartMs(device) ?? Infinity)) return true;
  const slot = modeNow(image, device);
  if (slot || mode === 'solar') return slot?.mode.kind === 'run';
  return (programStart(image, device)?.atMs ?? 0) <= image.wallMs;
}

/** A program that begins as soon as there is enough of it. */
const waitsForSun = (image: Image, device: DeviceImage): boolean =>
  device.mode === 'solar' &&
  device.run?.doneMs === null &&
  mayBegin(image, device) &&
  !modeNow(image, device);

/** Neither its owner nor the operator has it wait for an hour. */
function mayBegin({ admissions, wallMs, wallTrusted }: Image, { id, override }: DeviceImage): boolean {
  const state = admissions?.byDevice[id];
  const isLater = state?.kind === 'later' && wallMs < state.notBeforeMs;
  return wallTrusted && !isLater && override.kind !== 'off' && override.kind !== 'notBefore';
}

/**
 * What a program takes of the sun, W: what it draws, and until it does or nobody hears it the most that it may. One that is
 * to begin beside it counts with the most that is still to come, because neither will stop.
 */
function firm_W(device: DeviceImage, beside: DeviceImage): number {
  const { flexibility, run, power_W, inStateMs, setPoint_W } = device;
  const doneMs = run?.doneMs ?? 0;
  const isBeginning = doneMs === 0 && !((setPoint_W ?? 0) > 0 && inStateMs >= BEGINS_MS);
  const isMost = isBeginning || power_W.value === null || (beside.flexibility.program && doneMs > 0);
  return Math.max(drawn_W(device), isMost ? mostFrom_W(flexibility.program, doneMs) : 0);
}

/** The most that is still to be drawn when so much is done. */
function mostFrom_W(program: Program | undefined, doneMs: number): number {
  let untilMs = 0;
  return (program?.steps ?? []).reduce((most, { forMs, power_W }) => {
    untilMs += forMs;
    return untilMs > doneMs ? Math.max(most, power_W) : most;
  }, 0);
}

function limit(image: Image, plan: Plan, device: DeviceImage): Plan {
  const surplus_W = surplusFor_W(image, device);
  const costs = device.mode === 'cheap' ? { startingNowCosts: startingNowCosts(image, device) } : {};
  const why = because('OWN_SOLAR', { surplus_W, ...costs });
  const next = narrow(plan, device.id, { max_W: surplus_W }, why);
  // With sun enough for all that it can take the sun is why it runs.
  return next === plan && plan.get(device.id)?.reasons.length === 0 ? explain(plan, device.id, why) : next;
}
