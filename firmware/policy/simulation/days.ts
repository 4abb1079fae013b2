/**
 * Days of a home, as many as there are: measured load and sun, prices, and what can be steered. Format `hearth-days/1`;
 * units as in the planner's scenarios (kW, kWh, currency per kWh). Every series has one value a slot.
 */
import * as z from 'zod';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';

const real = z.number().min(-1e6).max(1e6);
const positive = z.number().min(0).max(1e6);
const series = z.array(real).max(LIMITS.simulatedSlots);
const time = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected HH:MM');

const battery = z.object({
  capacity_kwh: positive,
  least_kwh: positive.default(0),
  charge_max_kw: positive,
  discharge_max_kw: positive,
  eta_charge: z.number().min(0.5).max(1).default(0.95),
  eta_discharge: z.number().min(0.5).max(1).default(0.95),
  wear_per_kwh: positive.default(0),
});
/** Comes home and leaves every day at these local times and needs that much each time. */
const car = z.object({
  arrives: time,
  leaves: time,
  need_kwh: positive,
  min_kw: positive.default(1.38),
  max_kw: positive,
});

const days = z.object({
  format: z.literal('hearth-days/1'),
  name: z.string().max(200).default('home'),
  /** Local time of the first slot; series run in local time without changes of the clock. */
  start: z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d/, 'expected 2026-01-01T00:00'),
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
  if (n < 24 / d.dt_h) return refuse('SCENARIO_INVALID', 'less than a day');
  return ok(d);
}

/** Slots a day. */
export const perDay = (d: Days): number => Math.round(24 / d.dt_h);

/** Slot of the day of a local `HH:MM`. */
export const slotOfTime = (d: Days, text: string): number => {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return Math.floor((hours + minutes / 60) / d.dt_h);
};

/** Slot of the day of slot `t`. */
export const slotOfDay = (d: Days, t: number): number =>
  (t + slotOfTime(d, d.start.slice(11, 16))) % perDay(d);

/** The car's stay that holds slot `t` or comes next: from, until (slots of the series). */
export function stayAt(d: Days, c: Car, t: number): { from: number; until: number } {
  const day = t - slotOfDay(d, t);
  const [arrives, leaves] = [slotOfTime(d, c.arrives), slotOfTime(d, c.leaves)];
  const length = (leaves - arrives + perDay(d)) % perDay(d) || perDay(d);
  for (const from of [day + arrives - perDay(d), day + arrives, day + arrives + perDay(d)])
    if (t < from + length) return { from, until: from + length };
  return { from: day + arrives, until: day + arrives + length };
}

/** What the car wants in a stay, kWh: of one that the days begin or end in the middle of, the share of its time. */
export function neededIn(d: Days, c: Car, { from, until }: { from: number; until: number }): number {
  const within = Math.min(until, d.base_load_kw.length) - Math.max(0, from);
  return (c.need_kwh * Math.max(0, within)) / (until - from);
}
