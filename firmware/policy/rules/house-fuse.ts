/**
 * The main fuse, per phase. Where the meter gives no current of a phase, all that may be drawn besides our devices is
 * taken to be drawn from each phase in question.
 */
import { setPointUnder } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { basePhases_A, isUnseen, onOnePhase_W, unseen_W } from '../balance.ts';
import { mostNeeded } from '../give-way.ts';
import { because, isControllable, isProducer, narrow, type Rule, type RuleContext } from '../plan.ts';
import { riseUnder } from './settle.ts';

export const houseFuse: Rule = (context, plan) => {
  const { image, wishes, given_W } = context;
  const { nominal_V, fuse_A } = image.site;
  const left_A = headroomPhases_A(image);
  const consumers = image.devices.filter((d) => isControllable(d) && !isProducer(d));
  for (const d of consumers) take(left_A, d, given_W(d), nominal_V);
  const sure_A = seenPhases_A(context, left_A);
  return mostNeeded(image, consumers).reduce((p, device) => {
    const wish = Math.max(0, wishes.get(device.id) ?? Infinity);
    const share = setPointUnder(device.flexibility, Math.min(open_W(left_A, device, nominal_V), wish)) ?? 0;
    const under =
      share < wish ? narrow(p, device.id, { max_W: share }, because('HOUSE_FUSE', { fuse_A })) : p;
    const next = riseUnder(context, under, device, open_W(sure_A, device, nominal_V));
    const taken = Math.max(0, Math.min(share, next.get(device.id)?.max_W ?? share));
    take(left_A, device, taken, nominal_V);
    if (!isUnseen(image, device)) take(sure_A, device, taken, nominal_V);
    return next;
  }, plan);
};

/** What the phases of a device leave it. */
function open_W(left_A: readonly number[], { flexibility: { phases } }: DeviceImage, nominal_V: number) {
  return Math.max(0, Math.min(...phases.map((ph) => left_A[ph - 1] ?? 0)) * nominal_V * phases.length);
}

function headroomPhases_A(image: Image): number[] {
  const { fuse_A, nominal_V } = image.site;
  const assumed_A = onOnePhase_W(image) / nominal_V;
  return basePhases_A(image).map((base) => fuse_A - (base ?? Math.min(assumed_A, fuse_A)));
}

/**
 * As far as it is sure while commands are unseen. On a phase that the meter does not show those of all phases count, and so
 * does, for the connection as a whole, a device of which nobody can say what it takes.
 */
function seenPhases_A({ image, given_W }: RuleContext, left_A: readonly number[]): number[] {
  const seen_A = [...left_A];
  const bases_A = basePhases_A(image);
  for (const device of image.devices.filter(isControllable)) {
    const { phases } = device.flexibility;
    const unseen_A = unseen_W(image, device, given_W(device)) / image.site.nominal_V;
    if (unseen_A === 0) continue;
    bases_A.forEach((base_A, index) => {
      const isHere = phases.some((p) => p === index + 1);
      const all = base_A === null || unseen_A === Infinity;
      if (all || isHere) seen_A[index] = (seen_A[index] ?? 0) - unseen_A / (all ? 1 : phases.length);
    });
  }
  return seen_A;
}

function take(left_A: number[], device: DeviceImage, power_W: number, nominal_V: number): void {
  const { phases } = device.flexibility;
  for (const phase of phases)
    left_A[phase - 1] = (left_A[phase - 1] ?? 0) - power_W / phases.length / nominal_V;
}
