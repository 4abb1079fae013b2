/** The same days under another contract: "would a dynamic tariff have paid?" */
import * as z from 'zod';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { type Days, slotOfDay, slotOfTime } from './days.ts';

const price = z.number().min(-1e3).max(1e3);
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM');

/** Currency per kWh. `steps`: from that local time on, the last step of the day holding until the first. */
const tariff = z.object({
  import: z.union([
    z.object({ fixed: price }),
    z.object({
      steps: z
        .array(z.object({ from: time, price }))
        .min(1)
        .max(24),
    }),
    /** Market price times a factor plus what is added to each kWh. */
    z.object({
      market: z.array(price).max(LIMITS.simulatedSlots),
      factor: price.default(1),
      plus: price.default(0),
    }),
  ]),
  export: z.object({ fixed: price }).optional(),
});

/** `days` with other prices. SCENARIO_INVALID. */
export function tariffOf(input: unknown, days: Days): Result<Days> {
  const parsed = tariff.safeParse(input);
  if (!parsed.success) return refuse('SCENARIO_INVALID', `tariff: ${parsed.error.issues[0]?.message}`);
  const { import: buy, export: sell } = parsed.data;
  const n = days.base_load_kw.length;
  if ('market' in buy && buy.market.length !== n)
    return refuse('SCENARIO_INVALID', `tariff: ${buy.market.length} market prices, ${n} expected`);
  const priceAt = (t: number): number => {
    if ('fixed' in buy) return buy.fixed;
    if ('market' in buy) return (buy.market[t] ?? 0) * buy.factor + buy.plus;
    const steps = buy.steps.map((s) => ({ slot: slotOfTime(days, s.from), price: s.price }));
    const sorted = steps.sort((a, b) => a.slot - b.slot);
    const now = sorted.filter((s) => s.slot <= slotOfDay(days, t)).at(-1) ?? sorted.at(-1);
    return now?.price ?? 0;
  };
  return ok({
    ...days,
    prices: {
      import: days.base_load_kw.map((_, t) => priceAt(t)),
      export: sell ? days.base_load_kw.map(() => sell.fixed) : days.prices.export,
    },
  });
}
