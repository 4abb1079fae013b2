/** No raising right after a lowering: the house does not hunt when its base load flickers below a limit. */
import { because, isControllable, isProducer, narrow, type Rule } from '../plan.ts';

/** After a set-point was lowered it is not raised for so long. */
export const SETTLE_MS = 60_000;

export const settle: Rule = ({ image }, plan) =>
  image.devices
    .filter(
      (d) => isControllable(d) && !isProducer(d) && d.setPoint_W !== null && d.sinceLoweredMs < SETTLE_MS,
    )
    .reduce(
      (p, d) =>
        narrow(
          p,
          d.id,
          { max_W: d.setPoint_W ?? 0 },
          because('SETTLING', { leftMs: SETTLE_MS - d.sinceLoweredMs }),
        ),
      plan,
    );
