/** What was: energy, cost, prices, stored values and the journal. */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { energy, money, ms, plannedSchema, sentence } from './schema-atoms.ts';

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
    planned: z.array(z.object({ id: z.string(), name: z.string(), slots: z.array(plannedSchema) })),
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

export type Today = z.infer<typeof todaySchema>;
export type Prices = z.infer<typeof pricesSchema>;
export type JournalPage = z.infer<typeof journalSchema>;
