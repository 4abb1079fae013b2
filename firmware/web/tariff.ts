/** "Would a price by the hour have paid?": a month's own import at the prices that were kept and at the contract's own. */
import { energyHistory } from '../domain/energy-history.ts';
import type { Snapshot } from '../domain/image.ts';
import { PRICE_SOURCE } from '../domain/price-curve.ts';
import type { SeriesStore } from '../domain/storage.ts';
import { type Tariff, tariffAt } from '../domain/tariff.ts';
import type { WallMs } from '../domain/time.ts';
import { moneyWords, priceWords } from './phrase.ts';
import type { TariffCheck } from './schema.ts';
import { monthName } from './zone.ts';

/** Less than this part of the month in the comparison is no answer for the month. */
const ENOUGH = 0.5;

export function tariffCheck(
  { image: { site } }: Snapshot,
  series: Pick<SeriesStore, 'points' | 'read'>,
  meter: string | null,
  fromMs: WallMs,
  untilMs: WallMs,
): TariffCheck {
  const slots = meter === null ? [] : energyHistory(series, meter, 'activeEnergyImport', fromMs, untilMs);
  const prices = new Map(
    series
      .read(`${PRICE_SOURCE}/importPrice`, 'quarter', fromMs, untilMs)
      .map((row) => [row.atMs, row.value] as const),
  );
  const sum = { compared_Wh: 0, unpriced_Wh: 0, hourly: 0, compared: 0, missing: 0 };
  const { importTariff, timeZone } = site;
  let fixed: number | null = 0;
  for (const { fromMs: at, energy_Wh } of slots) {
    const price = prices.get(at) ?? null;
    if (energy_Wh === null) sum.missing += 1;
    else if (price === null) sum.unpriced_Wh += energy_Wh;
    else {
      sum.compared += 1;
      sum.compared_Wh += energy_Wh;
      sum.hourly += energy_Wh * price;
      const contract = tariffAt(importTariff, timeZone, at);
      fixed = fixed === null || contract === null ? null : fixed + energy_Wh * contract;
    }
  }
  const facts = {
    ...{ fromMs, untilMs, currency: site.currency, slots: Math.round((untilMs - fromMs) / 900_000) },
    ...sum,
    hourly: sum.compared === 0 ? null : sum.hourly,
    fixed: sum.compared === 0 ? null : fixed,
  };
  return { ...facts, sentences: sentencesOf(facts, importTariff, monthName(timeZone, fromMs)) };
}

type Facts = Omit<TariffCheck, 'sentences'>;

function sentencesOf(facts: Facts, tariff: Tariff, month: string): string[] {
  const { slots, compared, hourly, fixed, currency } = facts;
  if (tariff.length === 0) return ['No fixed price is configured to compare with.'];
  if (hourly === null) return [`No prices by the hour were kept for ${month}.`];
  if (fixed === null) return [`The configured contract fixes no price for ${month}.`];
  const money = (value: number): string => moneyWords(value, currency);
  const enough = compared >= ENOUGH * slots;
  const part = enough ? `In ${month}` : `In the part of ${month} that is known (${percent(compared, slots)})`;
  const saved = fixed - hourly;
  const mean = priceWords(fixed / Math.max(1, facts.compared_Wh), currency);
  const isFixed = tariff.length === 1 && tariff[0]?.steps.length === 1;
  const contract = isFixed ? `the fixed price of ${mean}` : `what your contract fixes (${mean} on average)`;
  const verdict =
    Math.abs(saved) < 0.005
      ? 'no difference'
      : saved > 0
        ? `by the hour ${money(saved)} less`
        : `by the hour ${money(-saved)} more`;
  return [
    `${part} your ${kWh(facts.compared_Wh)} from the grid cost ${money(hourly)} at the prices by the hour and ${money(fixed)} at ${contract}: ${verdict}.`,
    ...left(facts),
  ];
}

const percent = (part: number, whole: number): string => `${Math.round((100 * part) / Math.max(1, whole))} %`;
const kWh = (energy_Wh: number): string =>
  `${(energy_Wh / 1000).toLocaleString('en-GB', { maximumFractionDigits: 1 })} kWh`;

/** What is not in the comparison, and what it does not say. */
function left({ slots, compared, unpriced_Wh }: Facts): string[] {
  const unknown = slots - compared;
  return [
    ...(unknown > 0
      ? [
          `Not compared: ${percent(unknown, slots)} of the quarter hours, where a reading or a price is missing` +
            `${unpriced_Wh > 0 ? ` (${kWh(unpriced_Wh)} of them were read)` : ''}.`,
        ]
      : []),
    'Basic fees are not in it, nor what you would have used at other hours.',
  ];
}
