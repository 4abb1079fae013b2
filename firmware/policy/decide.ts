/** From a frozen image to set-points with reasons: the rules in order, each choosing only inside what is left. */
import { setPointUnder } from '../domain/flexibility.ts';
import type { Decision, DeviceDecision, DeviceImage, Image } from '../domain/image.ts';
import type { Mode } from '../domain/mode.ts';
import { activeLimits } from './active-limits.ts';
import { given_W } from './balance.ts';
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
  type RuleContext,
  wholeMenu,
} from './plan.ts';
import { pricePlan } from './price-plan.ts';
import { programSlots } from './program-start.ts';
import { admission, runsUnasked, toldLater } from './rules/admission.ts';
import { follow } from './rules/follow.ts';
import { exportLimit, importLimit } from './rules/grid-limit.ts';
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
export const RULES: readonly Rule[] = [
  ...[staleMeter, toldLater, importLimit, houseFuse, admission, settle, exportLimit],
  ...WISHES,
];

/** What may hold off a load that somebody else is led by. */
const WITHOUT_EXPORT = RULES.filter((rule) => rule !== exportLimit);

type Points = ReadonlyMap<string, number>;

/** One decision for one image; the same image always gives the same decision. */
export function decide(image: Image): Decision {
  const devices = image.devices.filter(isControllable);
  const menu = wholeMenu(devices);
  const alone = wishesOf(image, devices, menu);
  const asked = withAsked(image, alone);
  const wanted = ledBy(asked, menu, asked === image ? alone : wishesOf(asked, devices, menu));
  const mayGive_W = gives(asked, menu, wanted.led);
  const given = (d: DeviceImage): number => given_W(asked, d, mayGive_W(d));
  const rules = [...RULES, asks(image)];
  const planBy = (some: readonly Rule[]): Plan =>
    apply(some, { image: asked, ...wanted, given_W: given }, menu);
  const plan = planBy(rules);
  const isHeld = devices.some((device) => hasMinimum(plan.get(device.id)));
  const unheld = isHeld ? planBy(rules.filter((rule) => rule !== minimumTimes)) : plan;
  const { decisions, corrections } = guard(
    image,
    devices.map((device) => decisionFor(image, device, plan, unheld)),
  );
  return {
    cycle: image.cycle,
    wallMs: image.wallMs,
    limits: activeLimits(image),
    devices: decisions,
    corrections,
  };
}

/** What each device would take if there were no limits. */
function wishesOf(image: Image, devices: readonly DeviceImage[], menu: Plan): Points {
  return pointsOf(devices, apply(WISHES, { image, wishes: new Map(), given_W: () => 0 }, menu));
}

const pointsOf = (devices: readonly DeviceImage[], plan: Plan): Points =>
  new Map(devices.map((d) => [d.id, setPoint_W(d, plan)]));

const apply = (rules: readonly Rule[], context: RuleContext, menu: Plan): Plan =>
  rules.reduce((plan, rule) => rule(context, plan), menu);

/** What one does when another is held off may hold off a third, and so on: so far it is followed, then no promise counts. */
const ROUNDS = 8;

/**
 * What followers take by their modes once it is known whom the stronger rules hold off, and what is shared out by. Limits and
 * fuse are taken to be relieved by all that a battery then gives: it may begin to give for a load that comes on when it
 * does, but gives nothing for one that would not.
 */
function ledBy(image: Image, menu: Plan, alone: Points): Required<Pick<RuleContext, 'wishes' | 'led'>> {
  const devices = image.devices.filter(isControllable);
  let [wishes, led] = [alone, alone];
  for (let round = 1; round <= ROUNDS; round++) {
    const before = led;
    const promised_W = gives(image, menu, before);
    const already_W = (d: DeviceImage): number => given_W(image, d, promised_W(d));
    const counted = round < ROUNDS ? promised_W : already_W;
    led = pointsOf(devices, apply(WITHOUT_EXPORT, { image, wishes, given_W: counted }, menu));
    if (devices.every(({ id }) => led.get(id) === before.get(id))) break;
    wishes = countedWith(wishes, led);
  }
  return { wishes, led };
}

/** What each gives as it is led, W, 0 or less, as far as it may feed in. */
function gives(image: Image, menu: Plan, led: Points): RuleContext['given_W'] {
  const open = apply([exportLimit], { image, wishes: led, given_W: () => 0 }, menu);
  return ({ id }) => Math.min(0, Math.max(led.get(id) ?? 0, open.get(id)?.min_W ?? 0));
}

/** Whoever takes more while others are held off is counted with that, and whoever gives with what it then gives. */
const countedWith = (wishes: Points, led: Points): Points =>
  new Map(
    [...led].map(([id, point_W]) => [id, point_W < 0 ? point_W : Math.max(point_W, wishes.get(id) ?? 0)]),
  );

/** Consumers take the most that is open, producers give the most. */
function setPoint_W(device: DeviceImage, plan: Plan): number {
  const open = plan.get(device.id);
  if (!open) return 0;
  if (isProducer(device)) return open.min_W;
  return Math.max(open.min_W, setPointUnder(device.flexibility, open.max_W) ?? 0);
}

const hasMinimum = (open: Allowance | undefined): boolean =>
  open?.reasons.some(({ code }) => code === 'MINIMUM_ON' || code === 'MINIMUM_OFF') === true;

/** `unheld`: without minimum times. They are no reason for a device that would stand there anyway. */
function decisionFor(image: Image, device: DeviceImage, plan: Plan, unheld: Plan): DeviceDecision {
  const wanted_W = setPoint_W(device, plan);
  const open = plan.get(device.id);
  const standsAnyway = hasMinimum(open) && setPoint_W(device, unheld) === wanted_W;
  const why = reasonsOf(standsAnyway ? unheld.get(device.id) : open);
  const reasons = isLost(device) ? [because('DEVICE_LOST'), ...why] : why;
  const planned = plannedFor(image, device, wanted_W);
  const unasked = runsUnasked(image, device, wanted_W) && { isUnasked: true as const };
  return { resource: device.id, setPoint_W: wanted_W, reasons, ...unasked, planned };
}

/** Where it is meant to run, for the page: by the plan where there is one, else in the cheapest hours. */
function plannedFor(image: Image, device: DeviceImage, power_W: number): DeviceDecision['planned'] {
  if (device.flexibility.program) return programSlots(image, device, power_W);
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
