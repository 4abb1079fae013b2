/** What the levels of a heat store are on a menu of running powers. */
import { setPointUnder } from '../../domain/flexibility.ts';
import type { DeviceImage } from '../../domain/image.ts';
import type { HeatLevel, Mode } from '../../domain/mode.ts';
import { runningPowers_W } from '../plan.ts';

/** That run; where two are the same power the first name counts. */
export const HEAT_LEVELS: readonly [HeatLevel, ...HeatLevel[]] = ['normal', 'reduced', 'boost'];

/**
 * W of `levels_W`, the running powers in order: the least is reduced, the most is boost, and normal the one below it where
 * there are several (SG Ready: normal, boost).
 */
export function levelPower_W(levels_W: readonly number[], level: HeatLevel): number {
  if (level === 'off') return 0;
  const last = levels_W.length - 1;
  return levels_W[{ reduced: 0, normal: Math.max(0, last - 1), boost: last }[level]] ?? 0;
}

/** W on its menu: of the level, or up to the power that the mode names. */
export function heatPower_W(
  device: DeviceImage,
  { level, upTo_W }: Omit<Extract<Mode, { kind: 'heat' }>, 'kind'>,
): number {
  if (level === 'off' || upTo_W === undefined) return levelPower_W(runningPowers_W(device), level);
  return Math.max(0, setPointUnder(device.flexibility, upTo_W) ?? 0);
}
