/** What was: energy, cost, prices, stored values and the journal. */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { energy, money, ms, power_W, sentence } from './schema-atoms.ts';

export const todaySchema = z
  .object({
    fromMs: ms.meta({
      description: 'start of the day, or the first reading where the day began without one',
    }),
    untilMs: ms,
    complete: z.boolean().meta({ description: 'whether the readings cover the day from its start' }),
    import_Wh: energy,
    export_Wh: energy,
    cost: money.meta({ description: 'paid for import less earned by export' }),
    importCost: money,
    exportIncome: money,
    unpriced_Wh: z.number().meta({ description: 'energy for which no price is known, left out of the cost' }),
    currency: z.string(),
  })
  .meta({ id: 'Today' });

const energyRow = z
  .object({
    fromMs: ms,
    untilMs: ms,
    import_Wh: energy,
    export_Wh: energy,
    cost: money.meta({ description: 'paid for import less earned by export' }),
    unpriced_Wh: z.number().meta({ description: 'import for which no price is known, left out of the cost' }),
    missing: z.number().meta({ description: 'quarter hours of which no reading tells' }),
    spread: z.boolean().meta({ description: 'readings are missing: the sum is measured, its course is not' }),
  })
  .meta({ id: 'EnergyRow' });

export const energyDaysSchema = z
  .object({
    currency: z.string(),
    fromMs: ms,
    untilMs: ms,
    slots: z.array(energyRow),
    total: energyRow,
  })
  .meta({ id: 'EnergyDays' });

export const tariffSchema = z
  .object({
    fromMs: ms,
    untilMs: ms,
    currency: z.string(),
    slots: z.number().meta({ description: 'quarter hours of the month' }),
    compared: z.number().meta({ description: 'of them with a reading and a price' }),
    missing: z.number().meta({ description: 'of them without a reading' }),
    compared_Wh: z.number(),
    unpriced_Wh: z.number(),
    hourly: money,
    fixed: money,
    sentences: z.array(sentence),
  })
  .meta({ id: 'TariffCheck' });

export const savingsSchema = z
  .object({
    currency: z.string(),
    saved: money.meta({ description: 'against the same day without control; negative: it cost more' }),
    error: money.meta({
      description: 'of `saved`, either way: what is not known of the day without control',
    }),
    energy_Wh: energy,
    devices: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        fromMs: ms,
        untilMs: ms.meta({
          description:
            'its last deadline; of a battery the end of yesterday, of a program the end of its last run',
        }),
        energy_Wh: energy,
        saved: money,
        error: money,
        missing: z.number().meta({ description: 'quarter hours without a reading or a price' }),
        sentence,
      }),
    ),
    sentence,
  })
  .meta({ id: 'Savings' });

export const pricesSchema = z
  .object({
    currency: z.string(),
    nowMs: ms,
    slots: z.array(
      z.object({
        fromMs: ms,
        untilMs: ms,
        import: z.number().nullable().meta({ description: 'currency per kWh' }),
        export: z.number().nullable(),
      }),
    ),
    planned: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        kind: z.string(),
        slots: z.array(
          z.object({
            fromMs: ms,
            untilMs: ms,
            power_W: power_W.meta({
              description: 'W; null: not one power, or as much as there is to take or to give',
            }),
            action: z.enum(['run', 'charge', 'discharge', 'heat']),
          }),
        ),
        of: z
          .enum(['fill', 'temperature_C'])
          .nullable()
          .meta({ description: 'what the course is of: a share of the capacity, 0 to 1, or °C' }),
        course: z
          .array(z.object({ atMs: ms, value: z.number() }))
          .meta({ description: 'how full or how warm it will be; empty where that is not known' }),
        least: z.number().nullable().meta({ description: 'that it may come to: reserve, or comfort now' }),
      }),
    ),
  })
  .meta({ id: 'Prices' });

export const journalSchema = z
  .object({
    entries: z.array(
      z.object({
        id: z.number(),
        atMs: ms,
        kind: z.string(),
        subject: z.string().nullable(),
        code: z.string(),
        sentence,
      }),
    ),
    nextBeforeId: z.number().nullable(),
  })
  .meta({ id: 'JournalPage' });

export const seriesSchema = z
  .object({
    point: z.string(),
    rows: z.array(
      z.object({
        atMs: ms,
        value: z.number().nullable(),
        min: z.number().nullable(),
        max: z.number().nullable(),
        quality: z.string(),
      }),
    ),
  })
  .meta({ id: 'Series' });

export const seriesQuery = z.strictObject({
  point: z.string().min(3).max(128),
  resolution: z.enum(['raw', 'quarter', 'day']).default('quarter'),
  from: z.coerce.number().int().min(0).max(8.64e15),
  until: z.coerce.number().int().min(0).max(8.64e15),
});
export const journalQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(LIMITS.journalPage).default(30),
  beforeId: z.coerce.number().int().min(1).optional(),
  kind: z
    .enum([
      'signal',
      'rejected',
      'decision',
      'command',
      'guard',
      'limit',
      'override',
      'config',
      'system',
      'fault',
    ])
    .optional(),
  subject: z.string().max(64).optional(),
});

const date = z
  .string()
  .regex(/^20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'must be a date such as 2026-06-17')
  .refine((text) => new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text) === true, 'is no day of a year');
export const energyQuery = z.strictObject({
  day: date.optional(),
  days: z.coerce.number().int().min(1).max(LIMITS.energyDays).default(1),
  per: z.enum(['quarter', 'day']).default('quarter'),
});
export const tariffQuery = z.strictObject({
  month: z
    .string()
    .regex(/^20\d\d-(0[1-9]|1[0-2])$/, 'must be a month such as 2026-05')
    .optional(),
});

export type EnergyDays = z.infer<typeof energyDaysSchema>;
export type TariffCheck = z.infer<typeof tariffSchema>;
export type Savings = z.infer<typeof savingsSchema>;
export type Today = z.infer<typeof todaySchema>;
export type Prices = z.infer<typeof pricesSchema>;
export type JournalPage = z.infer<typeof journalSchema>;
