/** What the levels of a heat store are on a menu of running powers. */
import type { HeatLevel } from '../../domain/mode.ts';

/** That run; where two are the same power the first name counts. */
export const HEAT_LEVELS: readonly [HeatLevel, ...HeatLevel[]] = ['normal', 'reduced', 'boost'];

/**
 * W of `levels_W`, the running powers in order: the least is reduced, the most is boost, and normal the one below it where
 * there are more than two.
 */
export function levelPower_W(levels_W: readonly number[], level: HeatLevel): number {
  if (level === 'off') return 0;
  const last = levels_W.length - 1;
  return levels_W[{ reduced: 0, normal: last > 1 ? last - 1 : last, boost: last }[level]] ?? 0;
}
