/** What the file states in the site's currency, against a decimal point that slipped: euro times what a euro buys. */
import { MOST_EUR_PER_KWH, MOST_PER_EURO, perEuro } from '../domain/currency.ts';
import type { Mistake } from './mistake.ts';

/** The most of each, in euro, by the name that it has in the file. */
const MOST_EUR = {
  importTariff: MOST_EUR_PER_KWH,
  exportTariff: MOST_EUR_PER_KWH,
  price: MOST_EUR_PER_KWH,
  plus: MOST_EUR_PER_KWH,
  wear_perKWh: 10,
  price_perKW: 1000,
  co2_perKg: 100,
} as const;

type Money = keyof typeof MOST_EUR;

/** What the schema can state, which does not know the currency: the bound of the one that has the most zeros. */
export const mostMoney = (name: Money): number => MOST_EUR[name] * MOST_PER_EURO;

/** Sites, programmes and devices nest no deeper. */
const DEPTH = 6;

export function moneyRules(part: unknown, path: string, currency: unknown, depth = DEPTH): Mistake[] {
  if (typeof part !== 'object' || part === null || depth === 0) return [];
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) => {
    const at = Array.isArray(part) ? `${path}[${key}]` : `${path}.${key}`;
    if (typeof value === 'number' && isMoney(key)) return outside(value, at, MOST_EUR[key], currency);
    return moneyRules(value, at, currency, depth - 1);
  });
}

const isMoney = (key: string): key is Money => Object.hasOwn(MOST_EUR, key);

function outside(value: number, path: string, most_EUR: number, currency: unknown): Mistake[] {
  const code = typeof currency === 'string' ? currency : null;
  const most = most_EUR * perEuro(code);
  if (Math.abs(value) <= most) return [];
  const bound = value > 0 ? `at most ${most}` : `at least ${-most}`;
  return [{ path, message: `expected ${bound}${code === null ? '' : ` ${code}`}, got ${value}` }];
}
