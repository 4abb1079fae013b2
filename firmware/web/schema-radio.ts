/** Wireless meters that are heard and not read. */
import * as z from 'zod';
import { faultSchema, ms, sentence } from './schema-atoms.ts';

export const heardSchema = z
  .object({
    meters: z.array(
      z.object({
        id: z.string(),
        manufacturer: z.string().optional(),
        version: z.number().optional(),
        medium: z.string().optional(),
        configured: z.boolean().meta({ description: 'in the configuration, with no key or a wrong one' }),
        telegrams: z.number(),
        lastMs: ms,
        signal_dBm: z.number().nullable(),
        refused: faultSchema.nullable().meta({ description: 'why it is not read; null: it needs no key' }),
        kept: z.number().meta({ description: 'encrypted telegrams that a key can be tried on' }),
        maker: z.string().nullable(),
        encrypted: z.boolean(),
        row: z
          .record(z.string(), z.unknown())
          .nullable()
          .meta({ description: 'for `meters` of the configuration; null where it has one' }),
      }),
    ),
  })
  .meta({ id: 'HeardMeters' });

export const keySchema = z.strictObject({
  meter: z.string().regex(/^[A-Z@]{3} [0-9A-F]{8}$/, 'must be a meter such as KAM 12345678'),
  key: z.string().regex(/^([0-9a-fA-F]{16}|[0-9a-fA-F]{32})$/, 'must be 32 hexadecimal digits'),
});

export const trialSchema = z
  .object({
    tried: z.number(),
    opened: z.number(),
    refused: faultSchema.nullable().meta({ description: 'why the newest was not opened; null: it was' }),
    readings: z.array(z.record(z.string(), z.unknown())),
    sentence,
  })
  .meta({ id: 'KeyTrial' });

export type HeardMeters = z.infer<typeof heardSchema>;
export type KeyTrialAnswer = z.infer<typeof trialSchema>;
