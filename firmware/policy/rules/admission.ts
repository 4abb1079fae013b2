/**
 * A large load asks the operator before it starts. What runs goes on; what the owner wants now, or what can wait no
 * longer, does not ask. Nor does what takes only what would else be fed in, however long the operator said to wait: it loads
 * no grid. When its mode then has it take more than the sun gives, it asks.
 */

import type { AdmissionRequest } from '../../domain/admission.ts';
import { maxOf, setPointUnder } from '../../domain/flexibility.ts';
import type { Decision, DeviceImage, Image } from '../../domain/image.ts';
import type { Reason } from '../../domain/instruction.ts';
import { comfortLeftMs } from '../alternative.ts';
import { modeNow } from '../followers/follow.ts';
import { because, isControllable, isProducer, narrow, type Plan, type Rule } from '../plan.ts';
import { followsSun, surplusFor_W } from './own-solar.ts';
import { isForced } from './owner.ts';

/** Whom the operator told to wait holds no share that another could have: before anything is shared out. */
export const toldLater: Rule = ({ image, wishes }, plan) =>
  image.devices.reduce((p, device) => {
    const wish_W = wishes.get(device.id) ?? 0;
    return wouldStart(image, device, wish_W, wish_W) ? hold(image, p, device, laterFor(image, device)) : p;
  }, plan);

/** Whoever could start now has to ask, and waits for the answer. */
export const admission: Rule = ({ image, wishes }, plan) =>
  image.devices.reduce((p, device) => {
    const wish_W = wishes.get(device.id) ?? 0;
    const open_W = Math.min(wish_W, plan.get(device.id)?.max_W ?? 0);
    return wouldStart(image, device, open_W, wish_W) ? hold(image, p, device, askedFor(image, device)) : p;
  }, plan);

/** What began on the sun stays with it. */
function hold(image: Image, plan: Plan, device: DeviceImage, reason: Reason | null): Plan {
  if (!reason) return plan;
  return narrow(plan, device.id, { max_W: device.isUnasked ? surplusFor_W(image, device) : 0 }, reason);
}

/** It takes nothing from the grid, and would be large on it with that power. */
function wouldStart(image: Image, device: DeviceImage, open_W: number, wish_W: number): boolean {
  const { admissions } = image;
  if (!admissions || !isControllable(device) || isProducer(device) || isForced(image, device)) return false;
  if (isOn(device) && !device.isUnasked) return false;
  if ((setPointUnder(device.flexibility, open_W) ?? 0) < Math.max(1, admissions.least_W)) return false;
  return !isOnSun(image, device, wish_W);
}

const isOn = ({ setPoint_W, underWay_W }: DeviceImage): boolean =>
  (setPoint_W ?? 0) > 0 || (underWay_W ?? 0) > 0;

/** By its mode it takes what would else be fed in, and gives way with it. A program goes on from the grid. */
function isOnSun(image: Image, device: DeviceImage, wish_W: number): boolean {
  if (device.flexibility.program) return false;
  const mode = modeNow(image, device)?.mode;
  if (mode) return mode.kind === 'surplus' || mode.kind === 'selfConsume';
  return followsSun(image, device) && wish_W <= surplusFor_W(image, device);
}

/** Whether it runs with this power without that anybody was asked, who would else be. */
export function runsUnasked(image: Image, device: DeviceImage, power_W: number): boolean {
  const state = image.admissions?.byDevice[device.id]?.kind;
  if (!image.admissions || power_W <= 0 || state === 'granted' || state === 'unanswered') return false;
  if (isForced(image, device) || (isOn(device) && !device.isUnasked)) return false;
  return isOnSun(image, device, power_W) || (device.isUnasked === true && canWait(image, device));
}

const canWait = (image: Image, device: DeviceImage): boolean =>
  (comfortLeftMs(image, device) ?? Infinity) > 0;

function laterFor(image: Image, device: DeviceImage): Reason | null {
  const state = image.admissions?.byDevice[device.id];
  if (state?.kind !== 'later' || !image.wallTrusted || image.wallMs >= state.notBeforeMs) return null;
  if (!image.admissions || !canWait(image, device)) return null;
  return because('ADMISSION_LATER', { source: image.admissions.source, fromMs: state.notBeforeMs });
}

function askedFor(image: Image, device: DeviceImage): Reason | null {
  if (!image.admissions || !canWait(image, device)) return null;
  const { source, byDevice } = image.admissions;
  const state = byDevice[device.id];
  if (!state) return because('ADMISSION_ASKED', { source });
  return state.kind === 'asked' ? because('ADMISSION_ASKED', { source, untilMs: state.untilMs }) : null;
}

function energy_Wh({ flexibility: { need, program } }: DeviceImage): number | null {
  if (!program) return need?.energy_Wh ?? null;
  return program.steps.reduce((sum, { forMs, power_W }) => sum + (forMs * power_W) / 3_600_000, 0);
}

/** What is to be asked now: for devices that this decision holds back for it, and that nobody has asked for yet. */
export function requestsOf(image: Image, { devices }: Decision): AdmissionRequest[] {
  return devices.flatMap(({ resource, reasons }) => {
    const device = image.devices.find((d) => d.id === resource);
    const held = reasons.some((r) => r.code === 'ADMISSION_ASKED');
    if (!device || !held || image.admissions?.byDevice[resource]) return [];
    const left = comfortLeftMs(image, device);
    const request: AdmissionRequest = {
      device: resource,
      power_W: maxOf(device.flexibility),
      energy_Wh: energy_Wh(device),
      priority: device.priority,
      latestStartMs: left === null ? null : image.wallMs + left,
    };
    return [request];
  });
}
