/** What a device stores in this house: electricity, or heat in a tank or in the house itself. Every default stands here. */
import * as z from 'zod';
import type { BatteryStore, DeviceKind, HeatStore } from '../domain/flexibility.ts';
import { mostMoney } from './money.ts';

const share = z.number().min(0).max(1);
/** Worse than any product that is sold; a typing error all the same. */
const efficiency = z.number().min(0.3).max(1);
const temperature_C = z.number().min(-30).max(100);
const currency_perKWh = z.number().min(0).max(mostMoney('wear_perKWh'));

const LEAST_WIDTH = 0.05;

export const batterySchema = z
  .strictObject({
    capacity_Wh: z.number().min(100).max(1_000_000),
    /** What the owner keeps in reserve, and the most that it is filled to, as shares of the capacity. */
    leastShare: share.default(0.1),
    mostShare: share.default(1),
    charge_W: z.number().min(50).max(100_000),
    /** 0: it is never discharged on command. */
    discharge_W: z.number().min(0).max(100_000),
    /** From its terminals into the cells, and out again. */
    chargeEfficiency: efficiency.default(0.95),
    dischargeEfficiency: efficiency.default(0.95),
    /** In the site's currency: some 400 a kWh of capacity, over 6000 cycles, of which a part is age and not use. */
    wear_perKWh: currency_perKWh.default(0.02),
    gridCharge: z.boolean().default(true),
    /** Many contracts forbid to feed the grid from a battery. */
    gridDischarge: z.boolean().default(false),
  })
  // Nearer than their memory both ends would stay closed for good.
  .refine(({ leastShare, mostShare }) => mostShare - leastShare >= LEAST_WIDTH - 1e-9, {
    path: ['leastShare'],
    message: `expected at least ${LEAST_WIDTH} less than mostShare`,
  });

const band = z
  .strictObject({
    from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM'),
    lo_C: temperature_C,
    hi_C: temperature_C,
  })
  .refine(({ lo_C, hi_C }) => lo_C < hi_C, { path: ['lo_C'], message: 'expected less than hi_C' });

export const heatSchema = z
  .strictObject({
    what: z.enum(['tank', 'house']),
    /** Of water in the tank, or what warms by one kelvin with so many Wh: one of them. */
    litres: z.number().min(10).max(20_000).optional(),
    capacity_WhPerK: z.number().min(10).max(1_000_000).optional(),
    loss_WPerK: z.number().min(0.1).max(5000).optional(),
    /** Where it stands; null: outdoors, as a house does. */
    ambient_C: temperature_C.nullable().optional(),
    /** By local time; each row holds until the next, the last one over midnight. */
    comfort: z
      .array(band)
      .min(1)
      .max(24)
      .refine(
        (rows) => rows.every(({ from }, i) => i === 0 || from > (rows[i - 1]?.from ?? '')),
        'expected rows by time, each later than the one before',
      )
      .optional(),
    /** Never heated above this; null: the device sees to it. */
    most_C: temperature_C.nullable().optional(),
    /** Heat made of one unit of electricity, by outdoor temperature. */
    cop: z
      .array(z.strictObject({ outdoor_C: z.number().min(-50).max(50), cop: z.number().min(0.5).max(12) }))
      .min(1)
      .max(16)
      .refine(
        (rows) => rows.every(({ outdoor_C }, i) => i === 0 || outdoor_C > (rows[i - 1]?.outdoor_C ?? 0)),
        'expected rows by outdoor temperature, each warmer than the one before',
      )
      .optional(),
  })
  .superRefine((heat, context) => {
    const wrong = (path: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (heat.what === 'house' && heat.litres !== undefined)
      wrong('litres', 'expected capacity_WhPerK for a house');
    else if (heat.litres !== undefined && heat.capacity_WhPerK !== undefined)
      wrong('litres', 'expected litres or capacity_WhPerK, not both');
    else if (heat.litres === undefined && heat.capacity_WhPerK === undefined)
      wrong(
        'capacity_WhPerK',
        `expected ${heat.what === 'tank' ? 'litres or capacity_WhPerK' : 'a number'}: how much it holds`,
      );
    const { comfort = DEFAULTS[heat.what].comfort, most_C = DEFAULTS[heat.what].most_C } = heat;
    if (most_C !== null && comfort.some(({ hi_C }) => hi_C >= most_C))
      wrong('most_C', `expected above the hi_C of every comfort row, which is never above ${most_C} °C`);
  });

export type BatteryConfig = z.infer<typeof batterySchema>;
export type HeatConfig = z.infer<typeof heatSchema>;

/**
 * A tank of 300 l of class C loses some 2 W/K to the cellar; water above 60 °C scales and scalds. A house of the nineties
 * loses some 150 W/K.
 */
const DEFAULTS = {
  tank: {
    loss_WPerK: 2,
    ambient_C: 18,
    comfort: [{ from: '00:00', lo_C: 45, hi_C: 55 }],
    most_C: 60,
  },
  house: {
    loss_WPerK: 150,
    ambient_C: null,
    comfort: [{ from: '00:00', lo_C: 20, hi_C: 22 }],
    most_C: null,
  },
} as const;

/** An air-to-water heat pump, to water of 55 °C and to a floor of 35 °C (field trials: somewhat below the data sheets). */
const COP = {
  tank: [
    { outdoor_C: -10, cop: 1.9 },
    { outdoor_C: 2, cop: 2.4 },
    { outdoor_C: 7, cop: 2.8 },
    { outdoor_C: 20, cop: 3.4 },
  ],
  house: [
    { outdoor_C: -10, cop: 2.5 },
    { outdoor_C: 2, cop: 3.3 },
    { outdoor_C: 7, cop: 4 },
    { outdoor_C: 15, cop: 4.8 },
  ],
} as const;
const ELECTRIC = [{ outdoor_C: 0, cop: 1 }];
/** 4.187 kJ/(kg K). */
const WATER_WH_PER_LK = 1.163;

export function batteryStoreOf(battery: BatteryConfig): BatteryStore {
  const { leastShare, mostShare, wear_perKWh, ...same } = battery;
  return {
    kind: 'battery',
    fill: null,
    ...same,
    leastFill: leastShare,
    mostFill: mostShare,
    wear_perWh: wear_perKWh / 1000,
  };
}

/** Whatever is not a heat pump makes one unit of heat of one of electricity. */
export function heatStoreOf(heat: HeatConfig, device: DeviceKind): HeatStore {
  const { what, litres = 0 } = heat;
  const usual = DEFAULTS[what];
  const {
    capacity_WhPerK = litres * WATER_WH_PER_LK,
    loss_WPerK = usual.loss_WPerK,
    ambient_C = usual.ambient_C,
    comfort = usual.comfort,
    most_C = usual.most_C,
    cop = device === 'heat-pump' ? COP[what] : ELECTRIC,
  } = heat;
  return {
    kind: 'heat',
    what,
    temperature_C: null,
    outdoor_C: null,
    ...{ capacity_WhPerK, loss_WPerK, ambient_C, comfort, most_C, cop },
  };
}
