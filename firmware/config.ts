/** The one configuration file: its schema, and every mistake in it by path, all at once. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { LIMITS } from './domain/limits.ts';

const BAUDS = [300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] as const;

const id = z.string().regex(/^[a-z0-9-]{1,32}$/, 'expected 1 to 32 of a-z, 0-9 and -');
const zone = z.string().refine((name) => {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}, 'expected an IANA time zone such as Europe/Berlin');

/** A secret is never in the file itself: it names a file or an environment variable. */
const secretRef = z.union(
  [z.strictObject({ file: z.string().min(1) }), z.strictObject({ env: z.string().min(1) })],
  {
    error: 'expected {"file": path} or {"env": NAME}',
  },
);

const tcp = z.strictObject({
  kind: z.literal('tcp'),
  host: z.string().min(1),
  port: z.int().min(1).max(65535),
});
const serial = z.strictObject({
  kind: z.literal('serial'),
  path: z.string().min(1),
  baudRate: z.union(
    BAUDS.map((b) => z.literal(b)),
    { error: `expected one of ${BAUDS.join(', ')}` },
  ),
  dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
  parity: z.enum(['none', 'even', 'odd']).default('none'),
  stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  /** Levels while the port is open: a P1 port's request line, the supply of an optical head. */
  lines: z.strictObject({ dtr: z.boolean().optional(), rts: z.boolean().optional() }).optional(),
});
const link = z.discriminatedUnion('kind', [tcp, serial]);

/** What is particular to a meter of IEC 62056-21 that is asked. */
const iec = z.strictObject({
  /** Speed of the first contact: 300, unless a fixed-speed line (RS-485) says otherwise. */
  baudRate: z.int().min(300).max(115_200).default(300),
  /** A battery meter has to be woken. */
  wakeUp: z.boolean().default(false),
  /** Codes to read in programming mode; without them the whole readout is read. */
  registers: z.array(z.string().min(1).max(16)).max(LIMITS.pointsPerMeter).default([]),
  /** Of programming mode, for a meter that guards its reads. */
  password: secretRef.optional(),
  profile: z
    .strictObject({
      name: z.string().regex(/^P\.\d\d$/, 'expected a profile such as P.01'),
      periodMs: z.int().min(60_000).max(86_400_000).default(900_000),
      /** How many periods back are fetched after a start. */
      periods: z
        .int()
        .min(1)
        .max(LIMITS.iecProfileRows)
        .default(31 * 96),
    })
    .optional(),
});

const configSchema = z
  .strictObject({
    site: z.strictObject({
      name: z.string().default('Home'),
      timeZone: zone,
      currency: z.string().regex(/^[A-Z]{3}$/, 'expected an ISO 4217 code such as EUR'),
      fuse_A: z.number().min(6).max(400),
      phases: z.union([z.literal(1), z.literal(3)]),
      nominal_V: z.number().min(100).max(260).default(230),
      baseWorstCase_W: z.number().min(0).default(3000),
      staleAfterMs: z.int().min(1000).max(600_000).default(30_000),
      /** Currency per kWh where no price signal says otherwise. */
      fixedImportPrice: z.number().nullable().default(null),
      fixedExportPrice: z.number().nullable().default(null),
    }),
    store: z.strictObject({ path: z.string().min(1) }),
    web: z
      .strictObject({ host: z.string().default('0.0.0.0'), port: z.int().min(0).max(65535).default(8080) })
      .prefault({}),
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
        programs: z.array(
          z.strictObject({
            id: z.string().min(1).max(128),
            name: z.string().min(1),
            binding: z.enum(['informational', 'commandable']),
            scope: z.enum(['site', 'controllable']).default('site'),
          }),
        ),
      })
      .nullable()
      .default(null),
    failsafe: z
      .strictObject({ limit_W: z.number().min(0), afterMs: z.int().min(10_000) })
      .nullable()
      .default(null),
    /** What the planner's forecast of the sun starts from; without it the roof is learnt from its production alone. */
    planner: z
      .strictObject({
        latitude: z.number().min(-90).max(90).optional(),
        longitude: z.number().min(-180).max(180).optional(),
        roof: z
          .strictObject({
            peak_W: z.number().positive(),
            tilt: z.number().min(0).max(90),
            azimuth: z.number().min(0).max(360),
          })
          .optional(),
      })
      .prefault({}),
    meters: z
      .array(
        z.strictObject({
          id,
          name: z.string().min(1),
          protocol: z.enum(['dsmr-p1', 'iec62056-21', 'iec62056-21-d', 'sml', 'dlms-push']),
          address: z.string().max(32).default(''),
          intervalMs: z.int().min(1000).max(86_400_000).default(60_000),
          role: z.enum(['grid', 'sub']).default('grid'),
          link,
          key: secretRef.optional(),
          authKey: secretRef.optional(),
          iec: iec.optional(),
        }),
      )
      .max(LIMITS.meters),
    devices: z
      .array(
        z.strictObject({
          id,
          name: z.string().min(1),
          profile: z.string().min(1),
          link,
          unitId: z.int().min(0).max(247).default(1),
          priority: z.int().min(0).max(99).default(50),
          mode: z.enum(['cheap', 'solar', 'always']).default('always'),
          deadline: z
            .strictObject({
              time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM'),
              energy_Wh: z.number().positive(),
            })
            .nullable()
            .default(null),
          /** What differs from house to house, laid over the profile. */
          rated_W: z.number().positive().optional(),
          phases: z
            .array(z.union([z.literal(1), z.literal(2), z.literal(3)]))
            .min(1)
            .optional(),
        }),
      )
      .max(LIMITS.devices),
  })
  .superRefine(({ meters, devices }, context) => {
    const seen = new Set<string>();
    const all = [
      ...meters.map((m, i) => ['meters', i, m.id] as const),
      ...devices.map((d, i) => ['devices', i, d.id] as const),
    ];
    for (const [list, index, name] of all) {
      if (seen.has(name))
        context.addIssue({
          code: 'custom',
          path: [list, index, 'id'],
          message: `expected a name of its own, "${name}" is taken`,
        });
      seen.add(name);
    }
  });

export type Config = z.infer<typeof configSchema>;

export interface Mistake {
  /** `meters[0].link.baudRate` */
  readonly path: string;
  readonly message: string;
}

export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Reads and checks a file; relative paths in it are relative to it. */
export function loadConfig(file: string): Loaded {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return {
      ok: false,
      mistakes: [{ path: file, message: error instanceof Error ? error.message : 'cannot be read' }],
    };
  }
  try {
    return checkConfig(JSON.parse(text));
  } catch (error) {
    return {
      ok: false,
      mistakes: [{ path: file, message: `expected JSON: ${error instanceof Error ? error.message : ''}` }],
    };
  }
}

export function checkConfig(json: unknown): Loaded {
  const parsed = configSchema.safeParse(json);
  if (parsed.success) return { ok: true, config: parsed.data };
  return {
    ok: false,
    mistakes: parsed.error.issues.map((issue) => ({ path: dotted(issue.path), message: said(issue) })),
  };
}

const dotted = (parts: readonly PropertyKey[]): string =>
  parts.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : `${text}${text ? '.' : ''}${String(part)}`,
    '',
  ) || '(file)';

function said(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `expected no key ${issue.keys.map((k) => `"${k}"`).join(', ')}`;
  return issue.message.replace(/^Invalid input: /, '');
}

/** The text of a secret, trimmed; null when the file or variable is not there. Never log it. */
export function resolveSecret(
  reference: z.infer<typeof secretRef>,
  base: string,
  env: NodeJS.ProcessEnv,
): string | null {
  if ('env' in reference) return env[reference.env]?.trim() ?? null;
  try {
    return readFileSync(path.resolve(base, reference.file), 'utf8').trim();
  } catch {
    return null;
  }
}
