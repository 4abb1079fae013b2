/**
 * Days of a home, as many as there are: measured load and sun, prices, and what can be steered. Format `hearth-days/1`;
 * units as in the planner's scenarios (kW, kWh, currency per kWh). Every series has one value a slot.
 */
import * as z from 'zod';
import { isZone } from '../../domain/calendar.ts';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';

const real = z.number().min(-1e6).max(1e6);
const positive = z.number().min(0).max(1e6);
const series = z.array(real).max(LIMITS.simulatedSlots);
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM');

/** Of a day that there is, from 1970 on. */
function isLocalTime(text: string): boolean {
  const minute = text.slice(0, 16);
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text) ? Date.parse(`${minute}Z`) : Number.NaN;
  return ms >= 0 && new Date(ms).toISOString().startsWith(minute);
}

const battery = z.object({
  capacity_kwh: positive,
  least_kwh: positive.default(0),
  charge_max_kw: positive,
  discharge_max_kw: positive,
  eta_charge: z.number().min(0.3).max(1).default(0.95),
  eta_discharge: z.number().min(0.3).max(1).default(0.95),
  wear_per_kwh: positive.default(0),
  /** Whether it may charge from the grid and feed it. */
  grid_charge: z.boolean().default(true),
  grid_discharge: z.boolean().default(true),
});
/** Comes home and leaves every day at these local times and needs that much each time. */
const car = z
  .object({
    arrives: time,
    leaves: time,
    need_kwh: positive,
    /** 6 A on one phase, where nothing is said. */
    min_kw: positive.optional(),
    max_kw: positive,
  })
  .transform((c) => ({ ...c, min_kw: c.min_kw ?? Math.min(1.38, c.max_kw) }));

const days = z.object({
  format: z.literal('hearth-days/1'),
  name: z.string().max(200).default('home'),
  /** Local time of the first slot. */
  start: z.string().refine(isLocalTime, 'expected 2026-01-01T00:00'),
  /** Series run through the changes of its clock; absent: local time never changes. */
  time_zone: z.string().max(64).refine(isZone, 'expected an IANA time zone such as Europe/Berlin').optional(),
  dt_h: z.union([z.literal(0.25), z.literal(0.5), z.literal(1)]),
  currency: z.string().max(8).default('EUR'),
  grid: z.object({ import_max_kw: positive, export_max_kw: positive }),
  prices: z.object({ import: series, export: series }),
  base_load_kw: series,
  pv_kw: series.optional(),
  battery: battery.optional(),
  car: car.optional(),
});

export type Days = z.infer<typeof days>;
export type Car = z.infer<typeof car>;

/** Reads days from parsed JSON. SCENARIO_INVALID. */
export function parseDays(input: unknown): Result<Days> {
  const parsed = days.safeParse(input);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return refuse('SCENARIO_INVALID', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`);
  }
  const d = parsed.data;
  const n = d.base_load_kw.length;
  const short = [d.prices.import, d.prices.export, d.pv_kw ?? d.base_load_kw].find((x) => x.length !== n);
  if (short) return refuse('SCENARIO_INVALID', `${short.length} values in a series, ${n} in base_load_kw`);
  if (n < (d.time_zone ? 23 : 24) / d.dt_h) return refuse('SCENARIO_INVALID', 'less than a day');
  if (d.battery && d.battery.least_kwh > d.battery.capacity_kwh)
    return refuse('SCENARIO_INVALID', 'battery: least_kwh is above capacity_kwh');
  if (d.car && d.car.min_kw > d.car.max_kw) return refuse('SCENARIO_INVALID', 'car: min_kw is above max_kw');
  return ok(d);
}
