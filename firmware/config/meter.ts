/** A row of `meters`: what all have, and what is particular to each protocol. */
import * as z from 'zod';
import { MBUS_DEFAULTS } from '../adapters/meters/mbus/index.ts';
import { METER_PROTOCOLS, type MeterProtocol } from '../adapters/registry.ts';
import { BAUD_RATES } from '../codecs/mbus/requests.ts';
import { LIMITS } from '../domain/limits.ts';
import { id, meterLink, secretRef } from './fields.ts';

const PROTOCOLS = Object.keys(METER_PROTOCOLS) as [MeterProtocol, ...MeterProtocol[]];

/** What is particular to a meter of IEC 62056-21 that is asked. */
const iec = z.strictObject({
  /** Speed of the first contact: 300, unless a fixed-speed line (RS-485) says otherwise. */
  baudRate: z.int().min(300).max(115_200).default(300),
  /** A battery meter has to be woken. */
  wakeUp: z.boolean().default(false),
  /** Visits a day that its battery gives, null without bound; by itself 24 for a meter that has to be woken. */
  readsPerDay: z.int().min(1).max(86_400).nullable().optional(),
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

/** What an SML meter does differently, where its number does not tell. */
const sml = z.strictObject({
  /** The power is unsigned though it is tagged as signed: some DZG meters. */
  unsignedPower: z.boolean().optional(),
  /** The bit of the status word that says that the house delivers, for a power without sign. */
  deliveryBit: z.int().min(0).max(63).optional(),
});

/** What is particular to a meter whose pulses are counted. */
const pulses = z.strictObject({
  quantity: z
    .enum(['activeEnergyImport', 'activeEnergyExport', 'heatEnergy', 'volume'])
    .default('activeEnergyImport'),
  /** Pulses per kWh, or per m3: it is printed on the meter. */
  constant: z.number().positive().max(1e6),
  debounceMs: z.int().min(0).max(1000).default(15),
  /** What the display of the meter showed, in kWh or m3, and when it was read. Compared and taken once. */
  reading: z.strictObject({ value: z.number().min(0), at: z.iso.datetime({ offset: true }) }).optional(),
  /** The id of a meter of this house that reads the same meter by another port. */
  register: id.optional(),
});

const logicalName = z
  .string()
  .regex(/^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}$/, 'expected a code such as 1-0:99.1.0');

/** What is particular to a meter that is asked over DLMS; the operator gives client, mechanism and keys. */
const dlms = z.strictObject({
  /** HDLC on a serial line, the wrapper on a network, unless it is said here. */
  carrier: z.enum(['hdlc', 'wrapper']).optional(),
  /** Optical port: begins with the sign-on of IEC 62056-21. */
  modeE: z.boolean().default(false),
  baudRate: z.int().min(300).max(115_200).default(300),
  client: z.int().min(1).max(127).default(16),
  logicalDevice: z.int().min(0).max(0x3fff).default(1),
  physicalDevice: z.int().min(0).max(0x3fff).nullable().default(17),
  addressBytes: z.union([z.literal(1), z.literal(2), z.literal(4)]).default(2),
  mechanism: z.enum(['none', 'low', 'gmac']).default('none'),
  password: secretRef.optional(),
  protection: z.enum(['none', 'authenticated', 'encrypted', 'both']).default('none'),
  suite: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(0),
  /** The client's own, where the operator demands a certain one. */
  systemTitle: z
    .string()
    .regex(/^[0-9a-fA-F]{16}$/, 'expected 16 hexadecimal digits')
    .nullable()
    .default(null),
  /** Object in which the meter shows the counter that it expects: 0-0:43.1.0 */
  counterCode: logicalName.nullable().default(null),
  /** Registers to read, `4/1-0:1.6.0` for another class than 3; without any the meter says what it has. */
  registers: z
    .array(
      z
        .string()
        .regex(
          /^(\d{1,2}\/)?\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}$/,
          'expected a code such as 1-0:1.8.0',
        ),
    )
    .max(LIMITS.pointsPerMeter)
    .default([]),
  profile: z
    .strictObject({
      code: logicalName.default('1-0:99.1.0'),
      periodMs: z.int().min(60_000).max(86_400_000).default(900_000),
      /** How many periods back are fetched at the first reading. */
      periods: z
        .int()
        .min(1)
        .max(LIMITS.iecProfileRows)
        .default(31 * 96),
    })
    .nullable()
    .default(null),
  answerMs: z.int().min(200).max(60_000).default(3000),
});

/** What is particular to a wired M-Bus meter. */
const mbus = z
  .strictObject({
    baudRate: z
      .union(
        BAUD_RATES.map((b) => z.literal(b)),
        { error: `expected one of ${BAUD_RATES.join(', ')}` },
      )
      .default(MBUS_DEFAULTS.baudRate),
    /** What its battery gives; null for a meter with power from bus or mains. */
    readsPerDay: z.int().min(1).max(86_400).nullable().default(MBUS_DEFAULTS.readsPerDay),
    /** Sent before each readout: a subcode, "plain" for none. */
    applicationReset: z
      .union([z.int().min(0).max(255), z.literal('plain')])
      .nullable()
      .default(MBUS_DEFAULTS.applicationReset),
    latencyMs: z.int().min(0).max(5000).nullable().default(MBUS_DEFAULTS.latencyMs),
  })
  .prefault({});

const DEFAULT_INTERVAL_MS = { grid: 10_000, sub: 60_000 } as const;

export const meterSchema = z
  .strictObject({
    id,
    name: z.string().min(1),
    protocol: z.enum(PROTOCOLS),
    address: z.string().max(32).default(''),
    /** How often it is asked; a meter at the connection must be heard before it counts as silent. */
    intervalMs: z.int().min(1000).max(86_400_000).optional(),
    role: z.enum(['grid', 'sub']).default('grid'),
    /** Wireless M-Bus: the radio receiver that hangs on the link, for all meters on it. */
    receiver: z.enum(['im871a', 'amb8465', 'cul', 'rc1180', 'rtl-wmbus']).optional(),
    mode: z.enum(['S1', 'T1', 'C1', 'C1+T1']).default('C1+T1'),
    link: meterLink,
    key: secretRef.optional(),
    authKey: secretRef.optional(),
    iec: iec.optional(),
    sml: sml.optional(),
    mbus,
    dlms: dlms.optional(),
    pulses: pulses.optional(),
  })
  .transform((meter) => ({ ...meter, intervalMs: meter.intervalMs ?? DEFAULT_INTERVAL_MS[meter.role] }));
