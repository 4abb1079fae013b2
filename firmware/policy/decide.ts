/** From a frozen image to set-points with reasons: the rules in order, each choosing only inside what is left. */
import { setPointUnder } from '../domain/flexibility.ts';
import type { Decision, DeviceDecision, DeviceImage, Image } from '../domain/image.ts';
import type { Mode } from '../domain/mode.ts';
import { activeLimits } from './active-limits.ts';
import { heatPower_W } from './followers/heat-levels.ts';
import { guard } from './guard.ts';
import {
  type Allowance,
  because,
  isControllable,
  isLost,
  isProducer,
  type Plan,
  type Rule,
  wholeMenu,
} from './plan.ts';
import { pricePlan } from './price-plan.ts';
import { programSlots } from './program-start.ts';
import { admission } from './rules/admission.ts';
import { follow } from './rules/follow.ts';
import { gridLimit } from './rules/grid-limit.ts';
import { houseFuse } from './rules/house-fuse.ts';
import { minimumTimes } from './rules/minimum-times.ts';
import { ownSolar } from './rules/own-solar.ts';
import { owner } from './rules/owner.ts';
import { price } from './rules/price.ts';
import { program } from './rules/program.ts';
import { settle } from './rules/settle.ts';
import { staleMeter } from './rules/stale-meter.ts';
import { thermostat } from './rules/thermostat.ts';
import { asks, withAsked } from './set-point.ts';

/** What a device wants for itself. */
const WISHES: readonly Rule[] = [minimumTimes, program, owner, thermostat, follow, price, ownSolar];

/** Strongest first. The shared budgets come before the wishes and are given out according to them. */
export const RULES: readonly Rule[] = [staleMeter, gridLimit, houseFuse, admission, settle, ...WISHES];

/** One decision for one image; the same image always gives the same decision. */
export function decide(image: Image): Decision {
  const devices = image.devices.filter(isControllable);
  const menu = wholeMenu(devices);
  const alone = wishesOf(image, devices, menu);
  const asked = withAsked(image, alone);
  const wishes = asked === image ? alone : wishesOf(asked, devices, menu);
  const plan = apply([...RULES, asks(image)], asked, wishes, menu);
  const wanted = devices.map((device) => decisionFor(image, device, plan));
  const { decisions, corrections } = guard(image, wanted);
  return {
    cycle: image.cycle,
    wallMs: image.wallMs,
    limits: activeLimits(image),
    devices: decisions,
    corrections,
  };
}

/** What each device would take if there were no limits. */
function wishesOf(image: Image, devices: readonly DeviceImage[], menu: Plan): Map<string, number> {
  const plan = apply(WISHES, image, new Map(), menu);
  return new Map(devices.map((d) => [d.id, setPoint_W(d, plan)]));
}

const apply = (rules: readonly Rule[], image: Image, wishes: ReadonlyMap<string, number>, menu: Plan): Plan =>
  rules.reduce((plan, rule) => rule({ image, wishes }, plan), menu);

/** Consumers take the most that is open, producers give the most. */
function setPoint_W(device: DeviceImage, plan: Plan): number {
  const open = plan.get(device.id);
  if (!open) return 0;
  if (isProducer(device)) return open.min_W;
  return Math.max(open.min_W, setPointUnder(device.flexibility, open.max_W) ?? 0);
}

function decisionFor(image: Image, device: DeviceImage, plan: Plan): DeviceDecision {
  const wanted_W = setPoint_W(device, plan);
  const reasons = isLost(device)
    ? [because('DEVICE_LOST'), ...reasonsOf(plan.get(device.id))]
    : reasonsOf(plan.get(device.id));
  const planned = plannedFor(image, device, wanted_W);
  return { resource: device.id, setPoint_W: wanted_W, reasons, planned };
}

/** Where it is meant to run, for the page: by the plan where there is one, else in the cheapest hours. */
function plannedFor(image: Image, device: DeviceImage, power_W: number): DeviceDecision['planned'] {
  if (device.flexibility.program) return programSlots(image, device);
  const modes = image.modes?.[device.id];
  if (!modes)
    return pricePlan(image, device).slots.map(({ fromMs, untilMs }) => ({ fromMs, untilMs, power_W }));
  if (!image.wallTrusted) return [];
  return modes.flatMap(({ fromMs, untilMs, mode }) => {
    const planned_W = untilMs > image.wallMs ? takes_W(device, mode) : 0;
    return planned_W > 0 ? [{ fromMs, untilMs, power_W: planned_W }] : [];
  });
}

/** What a mode has it take, as far as that is a power; 0 where it follows the meter. */
function takes_W(device: DeviceImage, mode: Mode): number {
  if (mode.kind === 'charge' || mode.kind === 'run') return mode.upTo_W;
  return mode.kind === 'heat' ? heatPower_W(device, mode) : 0;
}

const reasonsOf = (open: Allowance | undefined): DeviceDecision['reasons'] =>
  open && open.reasons.length > 0 ? open.reasons : [because('FREE')];
