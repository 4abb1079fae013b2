/** A device across the API: what it does and why, what it stores or runs, and what its owner may ask of it. */
import * as z from 'zod';
import { energy, ms, plannedSchema, power_W, sentence, share } from './schema-atoms.ts';

const id = z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be 1 to 32 of a-z, 0-9 and -');

const nowUntilMs = ms.nullable().meta({
  description:
    'null: until something else is asked for. Of a device with a program null is one run, and a time, at most an hour ahead, gives it power for being set until then',
});

export const overrideSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('automatic') }),
    z.strictObject({ kind: z.literal('now'), untilMs: nowUntilMs }),
    z.strictObject({ kind: z.literal('notBefore'), atMs: ms }),
    z.strictObject({ kind: z.literal('runBy'), byMs: ms }),
    z.strictObject({ kind: z.literal('off') }),
  ])
  .meta({ id: 'Override' });

const temperature_C = z.number().nullable().meta({ description: '°C; null is unknown' });

const batterySchema = z
  .object({
    kind: z.literal('battery'),
    fill: share,
    leastFill: z.number().meta({ description: 'kept in reserve, 0 to 1' }),
    mostFill: z.number().meta({ description: 'never filled beyond, 0 to 1' }),
    capacity_Wh: z.number(),
    stored_Wh: energy,
    sentence,
  })
  .meta({ id: 'BatteryStore' });
const heatSchema = z
  .object({
    kind: z.literal('heat'),
    what: z.enum(['tank', 'house']),
    temperature_C,
    outdoor_C: temperature_C,
    most_C: temperature_C.meta({ description: 'never heated above; null: the device sees to it' }),
    lo_C: temperature_C.meta({ description: 'the least that is wanted now; null without a clock' }),
    hi_C: temperature_C,
    sentence,
  })
  .meta({ id: 'HeatStore' });

const runSchema = z
  .object({
    byMs: ms.nullable().meta({ description: 'when it has to be done; null: as soon as it may run' }),
    doneMs: z.number().nullable().meta({ description: 'how much of it is done, ms; null: it has not begun' }),
    leftMs: z.number().meta({ description: 'how much of it is to be done, ms' }),
    startsMs: ms.nullable().meta({ description: 'null: it has begun, or nobody knows yet' }),
    endsMs: ms.nullable(),
    sentence,
  })
  .meta({ id: 'ProgramRun', description: 'the run that was asked for and has not ended' });
const programSchema = z
  .object({
    lengthMs: z.number().meta({ description: 'how long a run takes, ms' }),
    steps: z.array(z.object({ forMs: z.number(), power_W: z.number() })),
    energy_Wh: z.number().meta({ description: 'of a run' }),
    sentence,
    run: runSchema.nullable().meta({ description: 'null: it is not asked to run' }),
  })
  .meta({ id: 'Program', description: 'what an appliance does, once started; begun it runs to its end' });

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
    need_Wh: energy,
    store: z.discriminatedUnion('kind', [batterySchema, heatSchema]).nullable(),
    program: programSchema.nullable(),
    status: z.string().nullable(),
    statusSentence: sentence.nullable(),
  })
  .meta({ id: 'Device' });

export const deviceParams = z.strictObject({ id });
export type DeviceView = z.infer<typeof deviceSchema>;
export type OverrideForm = z.infer<typeof overrideSchema>;
