/**
 * A large load asks the operator before it starts. What runs goes on; what the owner wants now, or what can wait no
 * longer, does not ask.
 */

import type { AdmissionRequest } from '../../domain/admission.ts';
import { maxOf, setPointUnder } from '../../domain/flexibility.ts';
import type { Decision, DeviceImage, Image } from '../../domain/image.ts';
import type { Reason } from '../../domain/instruction.ts';
import { comfortLeftMs } from '../alternative.ts';
import { because, isControllable, isProducer, narrow, type Rule } from '../plan.ts';
import { isForced } from './owner.ts';

/** Whom the operator told to wait holds no share that another could have: before anything is shared out. */
export const toldLater: Rule = ({ image, wishes }, plan) =>
  image.devices.reduce((p, device) => {
    const reason = wouldStart(image, device, wishes.get(device.id) ?? 0) ? laterFor(image, device) : null;
    return reason ? narrow(p, device.id, { max_W: 0 }, reason) : p;
  }, plan);

/** Whoever could start now has to ask, and waits for the answer. */
export const admission: Rule = ({ image, wishes }, plan) =>
  image.devices.reduce((p, device) => {
    const open_W = Math.min(wishes.get(device.id) ?? 0, plan.get(device.id)?.max_W ?? 0);
    const reason = wouldStart(image, device, open_W) ? askedFor(image, device) : null;
    return reason ? narrow(p, device.id, { max_W: 0 }, reason) : p;
  }, plan);

/** It is off and would be large with that power. */
function wouldStart(image: Image, device: DeviceImage, open_W: number): boolean {
  const { admissions } = image;
  if (!admissions || !isControllable(device) || isProducer(device) || isForced(image, device)) return false;
  if ((device.setPoint_W ?? 0) > 0 || (device.underWay_W ?? 0) > 0) return false;
  return (setPointUnder(device.flexibility, open_W) ?? 0) >= Math.max(1, admissions.least_W);
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
