/** What crosses the API, once: the handlers check with it, OpenAPI is made from it, the page takes its types from it. */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { ms, power_W, sentence, share } from './schema-atoms.ts';
import { deviceSchema } from './schema-device.ts';

export { faultSchema } from './schema-atoms.ts';
export * from './schema-device.ts';
export * from './schema-history.ts';
export * from './schema-radio.ts';

export const meterSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    health: z.enum(['connecting', 'ok', 'silent', 'faulty']),
    sentence,
    lastMs: ms.nullable(),
    values: z.array(
      z.object({
        point: z.string(),
        label: z.string(),
        value: z.number().nullable(),
        unit: z.string(),
        text: z.string().meta({ description: 'with the unit a household knows; a dash is unknown' }),
        group: z.enum(['main', 'behind', 'tariffs', 'phases', 'more']),
      }),
    ),
    notes: z
      .array(sentence)
      .meta({ description: 'what the meter noted (tampering, battery) and is not over' }),
    faults: z.array(z.object({ code: z.string(), count: z.number(), sentence })),
  })
  .meta({ id: 'Meter' });

const source = z.enum(['supplied', 'history', 'clear-sky', 'latest', 'none']);
const temperatureSchema = z
  .object({ source, meanError_C: z.number().nullable(), bias_C: z.number().nullable() })
  .meta({ id: 'TemperatureQuality', description: 'how a forecast did on the last whole day' });
const qualitySchema = z
  .object({
    source,
    meanError_W: z.number().nullable(),
    bias_W: z.number().nullable(),
  })
  .meta({ id: 'ForecastQuality', description: 'how a forecast did on the last whole day' });
const planSchema = z
  .object({
    madeMs: ms,
    untilMs: ms,
    bill: z
      .number()
      .meta({ description: 'to be paid until then, in the currency of the site; less than 0: earned' }),
    cost: z.number().meta({
      description: 'what plans are judged by: bill, wear, comfort, carbon, less what is stored at the end',
    }),
    bound: z.number().nullable().meta({ description: 'no plan costs less; null is not proven' }),
    gap: z.number().nullable(),
    source: z.enum(['solver', 'stand-in', 'last plan']),
    load: qualitySchema,
    solar: qualitySchema,
    temperature: temperatureSchema.nullable().meta({ description: 'outdoors; null: no plan needs it' }),
    hotWater: qualitySchema.nullable(),
    sentences: z.array(sentence),
  })
  .meta({ id: 'HousePlan' });

export const viewSchema = z
  .object({
    atMs: ms,
    cycle: z.number(),
    wallTrusted: z.boolean(),
    startedMs: ms,
    home: z.string(),
    version: z.string(),
    timeZone: z.string(),
    currency: z.string(),
    headline: sentence,
    grid: z.object({ power_W, stale: z.boolean(), ageMs: z.number().nullable() }),
    flow: z.object({
      grid_W: power_W,
      solar_W: power_W.meta({ description: 'production, positive; null is unknown' }),
      hasSolar: z.boolean(),
      battery_W: power_W.meta({ description: 'charging positive' }),
      hasBattery: z.boolean(),
      batteryFill: share.meta({ description: 'of all batteries together, 0 to 1; null is unknown' }),
      house_W: power_W.meta({ description: 'everything that the home draws' }),
      other_W: power_W.meta({ description: 'what no known device accounts for' }),
    }),
    price: z.object({
      import: z.number().nullable().meta({ description: 'currency per kWh, now' }),
      export: z.number().nullable(),
    }),
    limits: z.array(
      z.object({
        limit_W: z.number(),
        direction: z.enum(['import', 'export']),
        scope: z.enum(['site', 'controllable']),
        source: z.string(),
        untilMs: ms.nullable(),
        sentence,
      }),
    ),
    alerts: z.array(z.object({ source: z.string(), text: z.string(), untilMs: ms.nullable() })),
    notices: z.array(sentence),
    devices: z.array(deviceSchema),
    meters: z.array(meterSchema),
    broker: z.object({ connected: z.boolean(), sinceMs: ms.nullable(), sentence }),
    plan: planSchema.nullable(),
  })
  .meta({ id: 'View' });

export const sessionSchema = z
  .object({
    setUp: z.boolean(),
    /** Whether setting the first password asks for the code on the board. */
    setupCode: z.boolean(),
    signedIn: z.boolean(),
    home: z.string().nullable(),
  })
  .meta({ id: 'SessionState' });

const newPassword = z
  .string()
  .min(LIMITS.passwordMin_chars, `must have at least ${LIMITS.passwordMin_chars} characters`)
  .max(LIMITS.passwordMax_chars, `must have at most ${LIMITS.passwordMax_chars} characters`);
const password = z.string().max(LIMITS.passwordMax_chars);
export const setupSchema = z.strictObject({
  password: newPassword,
  code: z.string().max(LIMITS.passwordMax_chars).optional(),
});
export const passwordSchema = z.strictObject({ password });
export const changePasswordSchema = z.strictObject({ password, next: newPassword });

export type View = z.infer<typeof viewSchema>;
export type MeterCard = z.infer<typeof meterSchema>;

export type SessionState = z.infer<typeof sessionSchema>;
