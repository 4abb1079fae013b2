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

/** A raw value that a register is given. */
const setting = z.strictObject({ register, value: z.int() });

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
    enable: setting.optional(),
  }),
  /** The power of a battery in W; its `scale` is negative where the product counts discharging positive. */
  z.strictObject({
    kind: z.literal('power'),
    register,
    /** The most it takes and gives, where the house says no less. */
    charge_W: z.number().positive(),
    discharge_W: z.number().min(0),
    /** Steps of the menu: not every flicker of the house is worth a write. */
    step_W: z.number().positive().default(10),
    /** The register counts in percent of what this one says in W. */
    percentOf: register.optional(),
    /**
     * The most that it gives and the most that it takes stand in two neighbouring registers, as in SunSpec model 124: a
     * set-point is then a window without width, the first the same as the second with its sign turned.
     */
    isWindow: z.boolean().default(false),
    /** Written after each set-point, which also starts the product's own timer anew. */
    enable: setting.optional(),
  }),
  /** A few modes, each with what it draws at most, the least first; a heat pump's thermostat may draw less. */
  z.strictObject({
    kind: z.literal('levels'),
    register,
    levels: z
      .array(z.strictObject({ raw: z.int(), power_W: z.number().min(0) }))
      .min(2)
      .max(8)
      .refine(
        (levels) => levels.every(({ power_W }, i) => i === 0 || power_W > (levels[i - 1]?.power_W ?? 0)),
        'expected rising powers',
      )
      .refine((levels) => levels[0]?.power_W === 0, 'expected 0 W first: off'),
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
  /** State of charge of its store in percent, temperature of its tank or room and outdoors in °C. */
  fill: register.optional(),
  temperature: register.optional(),
  outdoor: register.optional(),
  control,
  /**
   * What has to stand in the device before its first command, such as its own timer. Without one that is `optional` the
   * device is steered all the same, but is not trusted to fall back by itself.
   */
  prepare: z.array(setting.extend({ optional: z.boolean().default(false) })).default([]),
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
  /** A battery follows the meter in RAM: 40 000 are one in two seconds, all day. */
  writesPerDay: z.int().positive(),
});

export type Profile = z.infer<typeof profileSchema>;
export type Control = Profile['control'];
export type Register = z.infer<typeof register>;
export type Setting = z.infer<typeof setting>;
