/**
 * What the supply contract fixes, in the currency per kWh, made to prices per Wh: one number; or periods by the date
 * from which they hold, each with a price or with steps by local time.
 */
import * as z from 'zod';
import { fixedPeriod, fixedTariff, type Tariff, type TariffPeriod } from '../domain/tariff.ts';
import { mostMoney } from './money.ts';

/** The currency says more (`money.ts`). */
export const perKWh = z.number().min(-mostMoney('price')).max(mostMoney('price'));

const step = z.strictObject({
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM'),
  days: z.enum(['all', 'workdays', 'weekends']).default('all'),
  price: perKWh,
});

const isDate = (text: string): boolean => z.iso.date().safeParse(text).success;

/** Of every year is any day that a leap year has. */
const holiday = z
  .string()
  .refine((day) => isDate(day) || isDate(`2024-${day}`), 'expected YYYY-MM-DD, or MM-DD for every year');

const from = z.iso.date('expected YYYY-MM-DD').nullable().default(null);

const period = z.union(
  [
    z.strictObject({ from, price: perKWh }),
    z.strictObject({
      from,
      steps: z
        .array(step)
        .min(1)
        .max(48)
        .refine(coverAllDays, 'expected a step for workdays and for weekends'),
      holidays: z.array(holiday).max(256).default([]),
    }),
  ],
  { error: 'expected {"from": date, "price": number} or {"from": date, "steps": […]}' },
);

export const tariffSchema = z
  .union(
    [perKWh, z.array(period).max(64).refine(isInOrder, 'expected each period to begin after the one before')],
    {
      error: 'expected a price per kWh, or periods with "from" and "price" or "steps"',
    },
  )
  .default([])
  .transform((terms) => perWh(typeof terms === 'number' ? fixedTariff(terms) : terms.map(stepped)));

const stepped = (terms: z.infer<typeof period>): TariffPeriod =>
  'price' in terms ? { ...fixedPeriod(terms.price), from: terms.from } : terms;

const perWh = (tariff: Tariff): Tariff =>
  tariff.map(({ steps, ...rest }) => ({
    ...rest,
    steps: steps.map((s) => ({ ...s, price: s.price / 1000 })),
  }));

function coverAllDays(steps: readonly z.infer<typeof step>[]): boolean {
  const said = new Set(steps.map(({ days }) => days));
  return said.has('all') || (said.has('workdays') && said.has('weekends'));
}

function isInOrder(periods: readonly z.infer<typeof period>[]): boolean {
  return periods.every(({ from: begins }, i) => i === 0 || (begins ?? '') > (periods[i - 1]?.from ?? ''));
}
