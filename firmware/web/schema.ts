/** What crosses the API, once: the handlers check with it, OpenAPI is made from it, the page takes its types from it. */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';

const ms = z.number().meta({ description: 'milliseconds since 1970-01-01T00:00:00Z' });
const power_W = z
  .number()
  .nullable()
  .meta({ description: 'W; import and consumption positive; null is unknown' });
const sentence = z.string().meta({ description: 'one plain sentence for the owner' });
const id = z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of a-z, 0-9 and -');

export const faultSchema = z
  .object({ code: z.string(), message: z.string() })
  .meta({ id: 'Fault', description: 'a coded refusal; the code never changes its meaning' });

export const overrideSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('automatic') }),
    z.strictObject({ kind: z.literal('now'), untilMs: ms.nullable() }),
    z.strictObject({ kind: z.literal('notBefore'), atMs: ms }),
    z.strictObject({ kind: z.literal('off') }),
  ])
  .meta({ id: 'Override' });

const plannedSchema = z.object({ fromMs: ms, untilMs: ms, power_W: z.number() }).meta({ id: 'PlannedSlot' });

export const deviceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.string(),
    controllable: z.boolean(),
    producer: z.boolean(),
    health: z.enum(['connecting', 'ok', 'silent', 'faulty']),
    healthSentence: sentence,
    power_W,
    setPoint_W: power_W,
    max_W: power_W,
    state: z.enum(['on', 'off', 'producing', 'unknown']),
    stateWords: z.string(),
    reason: sentence,
    reasons: z.array(z.object({ code: z.string(), sentence })),
    override: overrideSchema,
    overrideSentence: sentence.nullable(),
    planned: z.array(plannedSchema),
    needByMs: ms.nullable(),
    need_Wh: z.number().nullable(),
    status: z.string().nullable(),
    statusSentence: sentence.nullable(),
  })
  .meta({ id: 'Device' });

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

const qualitySchema = z
  .object({
    source: z.enum(['history', 'clear-sky', 'latest', 'none']),
    meanError_W: z.number().nullable(),
    bias_W: z.number().nullable(),
  })
  .meta({ id: 'ForecastQuality', description: 'how a forecast did on the last whole day' });
const planSchema = z
  .object({
    madeMs: ms,
    untilMs: ms,
    cost: z.number().meta({ description: 'of the plan, in the currency of the site' }),
    bound: z.number().nullable().meta({ description: 'no plan costs less; null is not proven' }),
    gap: z.number().nullable(),
    source: z.enum(['solver', 'stand-in', 'last plan']),
    load: qualitySchema,
    solar: qualitySchema,
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

const money = z.number().nullable().meta({ description: 'in the currency of the site; null is unknown' });
const energy = z.number().nullable().meta({ description: 'Wh; null is unknown' });

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
  })
  .meta({ id: 'KeyTrial' });

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

export const deviceParams = z.strictObject({ id });
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

export type View = z.infer<typeof viewSchema>;
export type DeviceView = z.infer<typeof deviceSchema>;
export type MeterCard = z.infer<typeof meterSchema>;
export type Today = z.infer<typeof todaySchema>;
export type Prices = z.infer<typeof pricesSchema>;
export type JournalPage = z.infer<typeof journalSchema>;
export type OverrideForm = z.infer<typeof overrideSchema>;

export type SessionState = z.infer<typeof sessionSchema>;
