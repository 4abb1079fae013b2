/**
 * The main fuse, per phase. Where the meter gives no current of a phase, all that may be drawn besides our devices is
 * taken to be drawn from each phase in question.
 */
import { setPointUnder } from '../../domain/flexibility.ts';
import type { DeviceImage, Image } from '../../domain/image.ts';
import { basePhases_A, onOnePhase_W } from '../balance.ts';
import { mostNeeded } from '../give-way.ts';
import { because, isControllable, isProducer, narrow, type Rule } from '../plan.ts';

export const houseFuse: Rule = ({ image, wishes, given_W }, plan) => {
  const left_A = headroomPhases_A(image);
  const consumers = image.devices.filter((d) => isControllable(d) && !isProducer(d));
  for (const d of consumers) take(left_A, d, given_W(d), image.site.nominal_V);
  return mostNeeded(image, consumers).reduce((p, device) => {
    const { phases } = device.flexibility;
    const open_W = Math.max(
      0,
      Math.min(...phases.map((ph) => left_A[ph - 1] ?? 0)) * image.site.nominal_V * phases.length,
    );
    const wish = Math.max(0, wishes.get(device.id) ?? Infinity);
    const share = setPointUnder(device.flexibility, Math.min(open_W, wish)) ?? 0;
    take(
      left_A,
      device,
      Math.max(0, Math.min(share, p.get(device.id)?.max_W ?? share)),
      image.site.nominal_V,
    );
    return share < wish
      ? narrow(p, device.id, { max_W: share }, because('HOUSE_FUSE', { fuse_A: image.site.fuse_A }))
      : p;
  }, plan);
};

function headroomPhases_A(image: Image): number[] {
  const { fuse_A, nominal_V } = image.site;
  const assumed_A = onOnePhase_W(image) / nominal_V;
  return basePhases_A(image).map((base) => fuse_A - (base ?? Math.min(assumed_A, fuse_A)));
}

function take(left_A: number[], device: DeviceImage, power_W: number, nominal_V: number): void {
  const { phases } = device.flexibility;
  for (const phase of phases)
    left_A[phase - 1] = (left_A[phase - 1] ?? 0) - power_W / phases.length / nominal_V;
}
