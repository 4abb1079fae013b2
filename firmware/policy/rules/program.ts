/**
 * The program of an appliance runs once when its owner asks, in one piece. What has begun is interrupted by nothing weaker
 * than a limit, the fuse, a guess without a meter, or its owner's "off", and goes on after it. Until it begins it waits for
 * its plan, else for the cheapest start, else for the sun; without a price or a clock it does not wait. Not asked for: off,
 * unless its owner asked for power to set it.
 */
import { lengthMsOf, maxOf } from '../../domain/flexibility.ts';
import type { DeviceImage, Image, ProgramRun } from '../../domain/image.ts';
import type { Reason } from '../../domain/instruction.ts';
import { priceAt } from '../../domain/price-curve.ts';
import { modeNow } from '../followers/follow.ts';
import { because, isControllable, narrow, type Plan, type Rule } from '../plan.ts';
import { latestStartMs, programStart } from '../program-start.ts';
import { surplusFor_W } from './own-solar.ts';
import { isForced } from './owner.ts';

/** The planner is given so long for a wish that is new to it; the network, after a start, to set the clock. */
const PLAN_COMES_MS = 60_000;
const CLOCK_COMES_MS = 300_000;

export const program: Rule = ({ image }, plan) =>
  image.devices
    .filter((d) => isControllable(d) && d.flexibility.program)
    .reduce((p, d) => lead(image, p, d), plan);

function lead(image: Image, plan: Plan, device: DeviceImage): Plan {
  const { id, flexibility, override, run } = device;
  const on_W = maxOf(flexibility);
  const turn = (power_W: number, reason: Reason): Plan =>
    narrow(plan, id, { min_W: power_W, max_W: power_W }, reason);
  if (override.kind === 'off') return plan;
  if (!run) return override.kind === 'notBefore' || isBeingSet(device) ? plan : turn(0, because('NO_NEED'));
  if (run.doneMs !== null) {
    const lengthMs = flexibility.program ? lengthMsOf(flexibility.program) : 0;
    return turn(on_W, because('PROGRAM_RUNS', { leftMs: Math.max(0, lengthMs - run.doneMs) }));
  }
  // Its owner says why.
  if (isForced(image, device) || run.byMs === null) return plan;
  const choice = choose(image, device, run);
  return choice ? turn(choice.runs ? on_W : 0, choice.reason) : plan;
}

/** It has power until a time, for choosing its program at its panel; the gateway ends it. */
const isBeingSet = ({ override }: DeviceImage): boolean =>
  override.kind === 'now' && override.untilMs !== null;

interface Choice {
  readonly runs: boolean;
  readonly reason: Reason;
}

const runs = (reason: Reason): Choice => ({ runs: true, reason });
const waits = (reason: Reason): Choice => ({ runs: false, reason });

/** Of one that has not begun; null: its plan says it, or nothing holds it back. */
function choose(image: Image, device: DeviceImage, run: ProgramRun): Choice | null {
  const { wallMs, wallTrusted, site, signals, modes } = image;
  const knownForMs = run.knownForMs ?? Infinity;
  const isAtOnce = device.mode === 'always';
  if (!wallTrusted) {
    if (isAtOnce) return null;
    return knownForMs < CLOCK_COMES_MS ? waits(because('NO_CLOCK')) : runs(because('NO_CLOCK'));
  }
  const values = { price: priceAt(signals, 'importPrice', site, wallMs), byMs: run.byMs };
  if (wallMs >= (latestStartMs(device) ?? Infinity)) return runs(because('DEADLINE_RUN', values));
  if (modeNow(image, device) || isAtOnce) return null;
  if (device.mode === 'solar') return bySun(image, device);
  if (modes && knownForMs < PLAN_COMES_MS) return waits(because('PRICE_WAIT', { ...values, fromMs: null }));
  return byPrice(image, device, values);
}

/** It starts when the sun carries the most that it draws. */
function bySun(image: Image, device: DeviceImage): Choice {
  const surplus_W = surplusFor_W(image, device);
  const reason = because('OWN_SOLAR', { surplus_W });
  return surplus_W > 0 ? runs(reason) : waits(reason);
}

function byPrice(image: Image, device: DeviceImage, values: Reason['values']): Choice {
  const start = programStart(image, device);
  if (!start) return runs(because('NO_PRICE'));
  const { atMs, startingNowCosts, waitingCosts } = start;
  if (atMs <= image.wallMs) return runs(because('PRICE_RUN', { ...values, fromMs: atMs, waitingCosts }));
  return waits(because('PRICE_WAIT', { ...values, fromMs: atMs, startingNowCosts }));
}
