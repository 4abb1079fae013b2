/** The same days under another contract: "would a dynamic tariff have paid?" */
import { localMs } from '../../domain/calendar.ts';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { type Tariff, tariffAt } from '../../domain/tariff.ts';
import { msOf, zoneOf } from './day-slots.ts';
import type { Days } from './days.ts';

export interface Trial {
  readonly import: Tariff | MarketTerms;
  /** Empty: what feeding in earned stays as it was. */
  readonly export: Tariff;
}

/** Currency per kWh: the market's price by slot, times a factor, plus what is added to each kWh. */
export interface MarketTerms {
  readonly market: readonly number[];
  readonly factor: number;
  readonly plus: number;
}

/** `days` with other prices. SCENARIO_INVALID where the contract does not say them all. */
export function underTariff(trial: Trial, days: Days): Result<Days> {
  const n = days.base_load_kw.length;
  const buy = 'market' in trial.import ? bought(trial.import, n) : fixed(trial.import, days);
  if (!buy.ok) return buy;
  const sell = trial.export.length > 0 ? fixed(trial.export, days) : ok(days.prices.export);
  return sell.ok ? ok({ ...days, prices: { import: buy.value, export: sell.value } }) : sell;
}

function bought({ market, factor, plus }: MarketTerms, n: number): Result<number[]> {
  if (market.length !== n)
    return refuse('SCENARIO_INVALID', `tariff: ${market.length} market prices, ${n} expected`);
  return ok(market.map((price) => price * factor + plus));
}

function fixed(tariff: Tariff, d: Days): Result<number[]> {
  const prices: number[] = [];
  for (const t of d.base_load_kw.keys()) {
    const price = tariffAt(tariff, zoneOf(d), msOf(d, t));
    if (price === null) {
      const day = new Date(localMs(msOf(d, t), zoneOf(d))).toISOString().slice(0, 10);
      return refuse('SCENARIO_INVALID', `tariff: no price on ${day}`);
    }
    prices.push(price * 1000);
  }
  return ok(prices);
}
