/** A row of `meters`: what all have, and what is particular to each protocol. */
import * as z from 'zod';
import { METER_PROTOCOLS, type MeterProtocol } from '../adapters/registry.ts';
import { LIMITS } from '../domain/limits.ts';
import { id, meterLink, secretRef } from './fields.ts';

const PROTOCOLS = Object.keys(METER_PROTOCOLS) as [MeterProtocol, ...MeterProtocol[]];

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

export const meterSchema = z.strictObject({
  id,
  name: z.string().min(1),
  protocol: z.enum(PROTOCOLS),
  address: z.string().max(32).default(''),
  intervalMs: z.int().min(1000).max(86_400_000).default(60_000),
  role: z.enum(['grid', 'sub']).default('grid'),
  /** Wireless M-Bus: the radio receiver that hangs on the link, for all meters on it. */
  receiver: z.enum(['im871a', 'amb8465', 'cul', 'rc1180', 'rtl-wmbus']).optional(),
  mode: z.enum(['S1', 'T1', 'C1', 'C1+T1']).default('C1+T1'),
  link: meterLink,
  key: secretRef.optional(),
  authKey: secretRef.optional(),
  iec: iec.optional(),
  pulses: pulses.optional(),
});
