/** How far the house may be from what is expected: learnt from the last day, as the rolling planner learns from its own. */
import type { LastDay, Told } from '../forecast/house.ts';
import { spreadAt } from './forecast-correction.ts';
import type { Spread } from './outlook.ts';
import { at, type Scenario } from './scenario.ts';
import { hoursOf } from './slots.ts';

/** By slot of `s`, of which `quarters` tells the quarter hour that it lies in. */
export function houseSpread(s: Scenario, quarters: readonly number[], lastDay: LastDay | null): Spread {
  const past = lastDay?.load.expected.length ?? 0;
  const ahead = (values: readonly number[]): number[] => byQuarter(s, quarters, values);
  const prices = ahead(s.prices.import);
  const led = (which: keyof Told): Scenario => ({
    ...s,
    ...{ n: past + prices.length, dt_h: 0.25, spans: null },
    base_load_kw: [...kw(lastDay?.load[which]), ...ahead(s.base_load_kw)],
    prices: { ...s.prices, import: [...new Array<number>(past).fill(0), ...prices] },
    devices: s.devices.map((d) =>
      d.type === 'pv' ? { ...d, available_kw: [...kw(lastDay?.solar[which]), ...ahead(d.available_kw)] } : d,
    ),
  });
  const spread = spreadAt(led('expected'), led('actual'), past);
  return {
    ...spread,
    solar: quarters.map((q) => spread.solar[q] ?? 0),
    newDay: quarters.map((q, t) => q !== quarters[t - 1] && spread.newDay[q] === true),
  };
}

/** Means over the quarter hours that the slots lie in. */
function byQuarter(s: Scenario, quarters: readonly number[], values: readonly number[]): number[] {
  const [sums, hours]: [number[], number[]] = [[], []];
  quarters.forEach((q, t) => {
    sums[q] = (sums[q] ?? 0) + hoursOf(s, t) * at(values, t);
    hours[q] = (hours[q] ?? 0) + hoursOf(s, t);
  });
  return sums.map((sum, q) => sum / at(hours, q));
}

const kw = (values_W: readonly number[] | undefined): number[] => (values_W ?? []).map((x) => x / 1000);
