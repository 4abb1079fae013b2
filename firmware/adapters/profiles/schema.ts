/** What a product profile says. One file a product, data only; the folder is read at start. */
import * as z from 'zod';

const register = z.strictObject({
  table: z.enum(['coil', 'holding', 'input']),
  /** SunSpec models that have the value at the same place; its addresses then count from the id of the first one found. */
  model: z.array(z.int().min(1).max(65534)).min(1).optional(),
  address: z.int().min(0).max(65535),
  type: z.enum(['bool', 'u16', 's16', 'u32', 's32', 'f32']),
  /** The value is the number on the wire times this. */
  scale: z.number().default(1),
  /** Address (same table) of a SunSpec scale factor, a signed power of ten. */
  scaleRegister: z.int().min(0).max(65535).optional(),
});

const control = z.discriminatedUnion('kind', [
  /** On or off; on draws `rated_W`. */
  z.strictObject({
    kind: z.literal('switch'),
    register,
    on: z.int(),
    off: z.int(),
    rated_W: z.number().positive(),
  }),
  /** A current per phase in A; 0 pauses. */
  z.strictObject({
    kind: z.literal('current'),
    register,
    min_A: z.number().positive(),
    max_A: z.number().positive(),
    step_A: z.number().positive(),
    nominal_V: z.number().positive(),
  }),
  /** The most that may be produced, in percent of `rated_W`. */
  z.strictObject({
    kind: z.literal('productionPercent'),
    register,
    rated_W: z.number().positive(),
    /** Steps of the limit in percent: not every flicker of the house is worth a write. */
    step: z.number().positive().max(50).default(1),
    /** Written after each limit: only then it is in force. */
    enable: z.strictObject({ register, value: z.int() }).optional(),
  }),
]);

export const profileSchema = z.strictObject({
  product: z.string().min(1),
  kind: z.enum([
    'boiler',
    'heater',
    'heat-pump',
    'wallbox',
    'inverter',
    'battery',
    'appliance',
    'relay',
    'other',
  ]),
  /** Asked at commissioning: what differs from house to house. */
  questions: z.array(z.strictObject({ name: z.string(), text: z.string() })).default([]),
  phases: z.array(z.union([z.literal(1), z.literal(2), z.literal(3)])).min(1),
  power: register.optional(),
  energy: register.optional(),
  control,
  /** A device that was restarted is found out at a poll, and has to be below a limit again within 30 s. */
  pollMs: z.int().min(200).max(10_000),
  minOnMs: z.int().min(0).default(0),
  minOffMs: z.int().min(0).default(0),
  steerable: z.boolean().default(false),
  /** What it falls back to by itself without commands; null when it keeps the last. */
  failsafe_W: z.number().nullable().default(null),
  /** Written again so often although nothing changed, because the device falls back otherwise; null never. */
  reassertMs: z.int().positive().nullable().default(null),
  /** Where the register lives: flash wears out, so its writes are counted by the day. */
  memory: z.enum(['ram', 'flash']),
  writesPerDay: z.int().positive(),
});

export type Profile = z.infer<typeof profileSchema>;
export type Register = z.infer<typeof register>;
