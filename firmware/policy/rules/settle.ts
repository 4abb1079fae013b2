/**
 * No raising right after a lowering, so that the house does not hunt when its base load flickers below a limit; and
 * none before the meter has been read since the last command, because until then nobody knows what is free.
 */
import type { DeviceImage, Image } from '../../domain/image.ts';
import { because, isControllable, isProducer, narrow, type Rule } from '../plan.ts';

/** After a set-point was lowered it is not raised for so long. */
export const SETTLE_MS = 60_000;
/** So long after a command a device has begun to follow it. */
const FOLLOWS_MS = 1_000;

export const settle: Rule = ({ image }, plan) =>
  image.devices
    .filter((d) => isControllable(d) && !isProducer(d))
    .reduce((p, d) => {
      const leftMs = Math.max(waitsMs(image), d.setPoint_W === null ? 0 : SETTLE_MS - d.sinceLoweredMs);
      return leftMs > 0
        ? narrow(p, d.id, { max_W: Math.max(0, d.setPoint_W ?? 0) }, because('SETTLING', { leftMs }))
        : p;
    }, plan);

/** Until the meter has been read after every device followed its last command. */
function waitsMs({ devices, grid_W }: Image): number {
  const since = (d: DeviceImage): number => (d.health === 'ok' ? (d.sinceChangedMs ?? Infinity) : Infinity);
  return Math.max(0, ...devices.map((d) => grid_W.ageMs + FOLLOWS_MS - since(d)).filter(Number.isFinite));
}
