/** What the one configuration file may say. Every default stands here and beside it; what spans several rows is in `across.ts`. */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';
import { programSchema } from '../signals/program.ts';
import { id, link, secretRef, zone } from './fields.ts';
import { meterSchema } from './meter.ts';
import { mostMoney } from './money.ts';
import { programStepsSchema } from './program.ts';
import { batterySchema, heatSchema } from './store.ts';
import { tariffSchema } from './tariff.ts';

const deviceSchema = z
  .strictObject({
    id,
    name: z.string().min(1),
    profile: z.string().min(1),
    link,
    unitId: z.int().min(0).max(247).default(1),
    priority: z.int().min(0).max(99).default(50),
    /** By itself `always`; with a program `cheap`: what is asked for by an hour may wait for it. */
    mode: z.enum(['cheap', 'solar', 'always']).optional(),
    deadline: z
      .strictObject({
        time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM'),
        energy_Wh: z.number().positive(),
        /** It comes home at that time; by itself it is always there. */
        from: z
          .string()
          .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM')
          .exactOptional(),
      })
      .refine(({ from, time }) => from !== time, { path: ['from'], error: 'expected another time' })
      .nullable()
      .default(null),
    /** What differs from house to house, laid over the profile. */
    rated_W: z.number().positive().optional(),
    writesPerDay: z.int().min(1).max(100_000).optional(),
    minOnMs: z.int().min(0).max(86_400_000).optional(),
    minOffMs: z.int().min(0).max(86_400_000).optional(),
    phases: z
      .array(z.union([z.literal(1), z.literal(2), z.literal(3)]))
      .min(1)
      .optional(),
    /** What each level above off draws at most, rising. */
    levels_W: z
      .array(z.number().positive())
      .max(7)
      .refine(
        (powers) => powers.every((power, i) => i === 0 || power > (powers[i - 1] ?? 0)),
        'expected rising powers',
      )
      .optional(),
    battery: batterySchema.optional(),
    heat: heatSchema.optional(),
    program: programStepsSchema.optional(),
  })
  .transform(({ mode, ...device }) => ({ ...device, mode: mode ?? (device.program ? 'cheap' : 'always') }));

export const configSchema = z.strictObject({
  site: z.strictObject({
    name: z.string().min(1).max(64).default('Home'),
    timeZone: zone,
    /** Degrees, north and east positive; for the sun on the roof. Null is unknown. */
    latitude: z.number().min(-90).max(90).nullable().default(null),
    longitude: z.number().min(-180).max(180).nullable().default(null),
    /** Degrees from the horizontal, and from north over east; without it the roof is learnt from its production. */
    roof: z
      .strictObject({
        peak_W: z.number().positive(),
        tilt: z.number().min(0).max(90),
        azimuth: z.number().min(0).max(360),
      })
      .nullable()
      .default(null),
    currency: z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code such as EUR'),
    fuse_A: z.number().min(6).max(400),
    phases: z.union([z.literal(1), z.literal(3)]),
    nominal_V: z.number().min(100).max(260).default(230),
    baseWorstCase_W: z.number().min(0).default(3000),
    /** Of production that cannot be steered, such as a balcony's panel. */
    productionWorstCase_W: z.number().min(0).default(0),
    staleAfterMs: z.int().min(1000).max(600_000).default(30_000),
    /** Where no price signal says otherwise. */
    importTariff: tariffSchema,
    exportTariff: tariffSchema,
    /** What the month's highest mean import of a quarter hour costs, where the contract or the grid bills it. */
    peak: z
      .strictObject({
        price_perKW: z.number().min(0).max(mostMoney('price_perKW')),
        /** Billed at least. */
        free_kW: z.number().min(0).max(1000).default(0),
      })
      .nullable()
      .default(null),
    /** What it is worth to the owner, in the site's currency, that a kilogram of CO2 is not made. */
    co2_perKg: z.number().min(0).max(mostMoney('co2_perKg')).default(0),
  }),
  store: z.strictObject({ path: z.string().min(1) }),
  web: z
    .strictObject({
      host: z.string().min(1).default('0.0.0.0'),
      port: z.int().min(0).max(65535).default(8080),
      /** Further names under which the page is opened, such as `hearth.example.net`. */
      hosts: z.array(z.string().min(1).max(253)).max(16).default([]),
      /** Printed on the board: without it nobody on the network may set the owner's password at the first start. */
      setupCode: secretRef.optional(),
      /** Lets a monitoring program read /metrics; without it only the owner does. */
      metricsToken: secretRef.optional(),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  mqtt: z
    .strictObject({
      url: z.string().regex(/^mqtts?:\/\/.+/, 'expected mqtt:// or mqtts://'),
      clientId: z.string().min(1).max(64),
      username: z.string().optional(),
      password: secretRef.optional(),
      ca: z.string().optional(),
      cert: z.string().optional(),
      key: z.string().optional(),
      topics: z.array(z.string().min(1)).min(1).max(32),
      signed: z.boolean().default(false),
      programs: z.array(programSchema),
      /** Where the operator is told what became of its limits, and by what name it knows this home. */
      reports: z
        .strictObject({ topic: z.string().min(1), clientName: z.string().min(1).max(128).optional() })
        .optional(),
      /** Whom to ask before a large load starts, on which topics, and how long to wait for an answer. */
      admission: z
        .strictObject({
          name: z.string().min(1),
          requestTopic: z.string().min(1),
          answerTopic: z.string().min(1),
          clientName: z.string().min(1).max(128).optional(),
          least_W: z.number().positive().default(3000),
          waitMs: z.int().min(100).max(60_000).default(5000),
        })
        .optional(),
    })
    .nullable()
    .default(null),
  failsafe: z
    .strictObject({
      limit_W: z.number().min(0),
      exportLimit_W: z.number().min(0).optional(),
      scope: z.enum(['site', 'controllable']).optional(),
      afterMs: z.int().min(10_000),
      durationMs: z.int().min(7_200_000).max(86_400_000).nullable().optional(),
      heartbeat: z.strictObject({ topic: z.string().min(1) }).optional(),
    })
    .nullable()
    .default(null),
  meters: z.array(meterSchema).max(LIMITS.meters),
  devices: z.array(deviceSchema).max(LIMITS.devices),
});

export type Config = z.infer<typeof configSchema>;
