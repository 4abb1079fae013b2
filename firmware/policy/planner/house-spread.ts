/** How far the house may be from what is expected: learnt from the last day, as the rolling planner learns from its own. */
import type { LastDay, Told } from '../forecast/house.ts';
import { spreadAt } from './forecast-correction.ts';
import type { Spread } from './outlook.ts';
import type { Scenario } from './scenario.ts';

export function houseSpread(s: Scenario, lastDay: LastDay | null): Spread {
  const slots = lastDay?.load.expected.length ?? 0;
  const led = (which: keyof Told): Scenario => ({
    ...s,
    n: s.n + slots,
    base_load_kw: [...kw(lastDay?.load[which]), ...s.base_load_kw],
    prices: { ...s.prices, import: [...new Array<number>(slots).fill(0), ...s.prices.import] },
    devices: s.devices.map((d) =>
      d.type === 'pv' ? { ...d, available_kw: [...kw(lastDay?.solar[which]), ...d.available_kw] } : d,
    ),
  });
  return spreadAt(led('expected'), led('actual'), slots);
}

const kw = (values_W: readonly number[] | undefined): number[] => (values_W ?? []).map((x) => x / 1000);
