/**
 * The planner's problem, format `hems-scenario/1`. Units: kW, kWh, °C, currency per kWh, g CO2 per kWh; powers are
 * never negative and named by their direction. What comes from a file is checked here, once.
 */
import * as z from 'zod';
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';

const real = z.number().min(-1e6).max(1e6);
const positive = z.number().min(0).max(1e6);
const slot = z.number().int().min(-1e6).max(1e6);
/** So many `dt_h`, of which the first may have begun before the horizon: so much of it is over. */
const period = z.object({
  ticks: z.number().int().min(1).max(288),
  past_ticks: z.number().int().min(0).max(287).default(0),
});
const series = z.array(real).max(LIMITS.planSlots);
const powers = z.array(positive).max(LIMITS.planSlots);
const id = z.string().min(1).max(64);

const pv = z.object({
  id,
  type: z.literal('pv'),
  available_kw: powers,
  forecast_kw: powers.optional(),
  curtailable: z.boolean(),
});
const battery = z.object({
  id,
  type: z.literal('battery'),
  soc0_kwh: positive,
  soc_min_kwh: positive,
  soc_max_kwh: positive,
  charge_max_kw: positive,
  discharge_max_kw: positive,
  eta_charge: z.number().min(0.05).max(1),
  eta_discharge: z.number().min(0.05).max(1),
  wear_per_kwh: real.default(0),
  terminal_value_per_kwh: real.default(0),
  grid_charge: z.boolean().default(true),
  grid_discharge: z.boolean().default(true),
  steerable: z.boolean().default(false),
});
const ev = z.object({
  id,
  type: z.literal('ev'),
  arrive_slot: slot,
  depart_slot: slot,
  required_kwh: positive,
  capacity_left_kwh: positive,
  min_kw: positive,
  max_kw: positive,
  /** What is finer than a hundredth of a watt is no step. */
  step_kw: z
    .number()
    .min(0)
    .max(100)
    .nullish()
    .transform((step) => (step && step >= 1e-5 ? step : null)),
  unserved_per_kwh: real,
  extra_value_per_kwh: real.default(0),
  steerable: z.boolean().default(false),
  /** It changes its power only where such a period begins, or an event begins or ends. Not of the format. */
  steady: period.nullish(),
});
const thermal = z.object({
  id,
  type: z.literal('thermal'),
  c_kwh_per_k: z.number().min(1e-3).max(1e4),
  ua_kw_per_k: positive,
  ambient: z.enum(['outdoor', 'fixed']),
  ambient_c: real.nullish(),
  t0_c: real,
  lo_c: series,
  hi_c: series,
  hard_max_c: real.nullish(),
  hard_min_c: real.nullish(),
  cop: series,
  gain_kw: series,
  draw_kw: series,
  cop_forecast: series.optional(),
  gain_forecast_kw: series.optional(),
  draw_forecast_kw: series.optional(),
  min_kw: positive,
  max_kw: positive,
  min_on_slots: z.number().int().min(0).max(LIMITS.planSlots).default(1),
  min_off_slots: z.number().int().min(0).max(LIMITS.planSlots).default(1),
  init_on: z.boolean().default(false),
  init_slots: z.number().int().min(0).default(1_000_000),
  discomfort_per_kh: real,
  terminal_value_per_k: real.default(0),
  steerable: z.boolean().default(false),
});
const appliance = z.object({
  id,
  type: z.literal('appliance'),
  profile_kw: powers.min(1),
  earliest_slot: slot,
  latest_end_slot: slot,
  skip_penalty: real.nullish(),
});
const curtailable = z.object({
  id,
  type: z.literal('curtailable'),
  demand_kw: powers,
  max_fraction: z.number().min(0).max(1),
  max_kwh: positive.nullish(),
  penalty_per_kwh: real,
});
const device = z.discriminatedUnion('type', [pv, battery, ev, thermal, appliance, curtailable]);

const event = z.object({
  id: z.string().max(64).default('event'),
  kind: z.enum(['import_limit', 'export_limit', 'steerable_limit', 'reduce', 'incentive']),
  start: slot.min(0),
  end: slot,
  hard: z.boolean().default(true),
  limit_kw: positive.optional(),
  /** By slot of the window, instead of `limit_kw`. Not of the format: our own houses have it. */
  limits_kw: powers.optional(),
  penalty_per_kwh: real.optional(),
  percent: z.number().min(0).max(100).optional(),
  measure: z.enum(['slot', 'window']).optional(),
  baseline_kw: series.optional(),
  reward_per_kwh: real.optional(),
  announced_slot: slot.default(0),
  /** Energy left over from slots of the window that are past: allowance minus import, in kWh. */
  carry_kwh: real.optional(),
});

/** They share a conductor (groups.ts): together they draw no more than this in each slot, each counted with its share. */
const group = z.object({ id, limit_kw: powers, shares: z.record(id, z.number().min(0).max(1)) });

/** Its mean is billed; absent: every slot by itself. So much was imported in what is over of the first. */
const billedPeriod = period.extend({ past_kwh: positive.default(0) });

const scenario = z.object({
  format: z.literal('hems-scenario/1').optional(),
  id: z.string().max(128).default('scenario'),
  /** Local time with offset of the first slot. */
  start: z.string().max(40).optional(),
  n: z.number().int().min(1).max(LIMITS.planSlots),
  dt_h: z
    .number()
    .min(1 / 60)
    .max(24),
  /** Slots of other lengths: how many `dt_h` each is long (slots.ts). Not of the format: our own houses have it. */
  spans: z.array(z.number().int().min(1).max(288)).max(LIMITS.planSlots).nullish(),
  grid: z.object({
    import_max_kw: positive,
    export_max_kw: positive,
    peak: z.object({ price_per_kw: real, free_kw: positive, period: billedPeriod.nullish() }).nullish(),
  }),
  prices: z.object({
    import: series,
    export: series,
    import_forecast: series.nullish(),
    export_forecast: series.nullish(),
    publish: z
      .array(z.object({ at_slot: slot, until_slot: slot }))
      .max(LIMITS.planSlots)
      .nullish(),
  }),
  co2: z.object({ g_per_kwh: series, price_per_kg: real }).nullish(),
  base_load_kw: series,
  base_load_forecast_kw: series.nullish(),
  t_out_c: series.nullish(),
  t_out_forecast_c: series.nullish(),
  devices: z.array(device).max(LIMITS.planDevices),
  /** Not of the format: the phases of our own houses. */
  groups: z.array(group).max(3).nullish(),
  events: z
    .array(event)
    .max(LIMITS.planEvents)
    .nullish()
    .transform((events) => events ?? []),
});

export type Scenario = z.infer<typeof scenario>;
export type Device = Scenario['devices'][number];
export type DeviceOf<T extends Device['type']> = Extract<Device, { type: T }>;
export type Period = z.infer<typeof period>;
export type Group = z.infer<typeof group>;
export type PlanEvent = Scenario['events'][number];

export interface DeviceSchedule {
  used_kw?: number[];
  charge_kw?: number[];
  discharge_kw?: number[];
  power_kw?: number[];
  start?: number | null;
  curtailed_kw?: number[];
}
/** By device id; a device that is left out stands still, solar that is left out uses all it has. */
export type Schedule = Record<string, DeviceSchedule>;

/** Reads a scenario from parsed JSON. Everything is bounded; every series has `n` values. SCENARIO_INVALID. */
export function parseScenario(input: unknown): Result<Scenario> {
  const parsed = scenario.safeParse(input);
  if (!parsed.success) {
    if (input === null || input === undefined) return refuse('SCENARIO_INVALID', 'no JSON object');
    const issue = parsed.error.issues[0];
    return refuse(
      'SCENARIO_INVALID',
      [issue?.path.join('.'), issue?.message].filter(Boolean).join(': ') || 'invalid',
    );
  }
  const wrong = mistakeIn(parsed.data);
  return wrong === null ? ok(parsed.data) : refuse('SCENARIO_INVALID', wrong);
}

/** The same where all slots must have one length: the line protocol and the simulations count in slots. */
export function parseEvenScenario(input: unknown): Result<Scenario> {
  const parsed = parseScenario(input);
  if (!parsed.ok) return parsed;
  const { spans, grid, devices, groups, events } = parsed.value;
  const isEven = !spans && !grid.peak?.period && !devices.some((d) => d.type === 'ev' && d.steady);
  return isEven && !groups && !events.some((e) => e.limits_kw)
    ? parsed
    : refuse('SCENARIO_INVALID', 'spans: only slots of one length here');
}

function mistakeIn(s: Scenario): string | null {
  const lengths: [string, readonly unknown[] | null | undefined][] = [
    ['prices.import', s.prices.import],
    ['prices.export', s.prices.export],
    ['base_load_kw', s.base_load_kw],
    ['t_out_c', s.t_out_c],
    ['co2.g_per_kwh', s.co2?.g_per_kwh],
    ['spans', s.spans],
  ];
  for (const g of s.groups ?? []) lengths.push([`groups.${g.id}.limit_kw`, g.limit_kw]);
  const ids = new Set<string>();
  for (const d of s.devices) {
    if (ids.has(d.id)) return `devices: "${d.id}" is there twice`;
    ids.add(d.id);
    if (d.type === 'pv') lengths.push([`${d.id}.available_kw`, d.available_kw]);
    if (d.type === 'curtailable') lengths.push([`${d.id}.demand_kw`, d.demand_kw]);
    if (d.type === 'battery' && d.soc_max_kwh < d.soc_min_kwh)
      return `${d.id}: soc_max_kwh is below soc_min_kwh`;
    if (d.type === 'ev' && d.max_kw < d.min_kw) return `${d.id}: max_kw is below min_kw`;
    if (d.type !== 'thermal') continue;
    if (d.max_kw < d.min_kw) return `${d.id}: max_kw is below min_kw`;
    if (d.ambient === 'outdoor' && !s.t_out_c) return `${d.id}: needs t_out_c`;
    if (d.ambient === 'fixed' && typeof d.ambient_c !== 'number') return `${d.id}: needs ambient_c`;
    for (const key of ['lo_c', 'hi_c', 'cop', 'gain_kw', 'draw_kw'] as const)
      lengths.push([`${d.id}.${key}`, d[key]]);
  }
  const short = lengths.find(([, values]) => values && values.length !== s.n);
  if (short) return `${short[0]}: ${short[1]?.length} values, ${s.n} expected`;
  return s.events.map((e) => mistakeInEvent(e, s.n)).find((m) => m !== null) ?? null;
}

function mistakeInEvent(e: PlanEvent, n: number): string | null {
  const say = (text: string): string => `events.${e.id}: ${text}`;
  if (e.end <= e.start || e.end > n) return say('ends before it starts, or after the horizon');
  if (e.limits_kw && e.limits_kw.length !== e.end - e.start)
    return say('limits_kw must have a value for every slot of the window');
  if (e.kind.endsWith('_limit') && e.limit_kw === undefined && !e.limits_kw)
    return say('limit_kw is missing');
  if ((e.kind === 'reduce' || e.kind === 'incentive') && e.baseline_kw?.length !== e.end - e.start)
    return say('baseline_kw must have a value for every slot of the window');
  if (e.kind === 'reduce' && e.percent === undefined) return say('percent is missing');
  if (e.kind === 'incentive' && e.reward_per_kwh === undefined) return say('reward_per_kwh is missing');
  if (e.kind !== 'incentive' && !e.hard && e.penalty_per_kwh === undefined)
    return say('penalty_per_kwh is missing');
  return null;
}

/** The value at `i`, and 0 past the end: series are checked for their length when they are read. */
export const at = (values: ArrayLike<number> | null | undefined, i: number): number => values?.[i] ?? 0;

/** Slots from local midnight to the first slot of the scenario; without `start` it begins at midnight. */
export function firstSlotOfDay(s: Scenario): number {
  const time = /T(\d\d):(\d\d)/.exec(s.start ?? '');
  return time ? Math.floor((Number(time[1]) + Number(time[2]) / 60) / s.dt_h) : 0;
}

/** What an event allows in slot `t` (kW); null where it says nothing about single slots. */
export function limitAt(e: PlanEvent, t: number): number | null {
  if (t < e.start || t >= e.end || e.kind === 'incentive') return null;
  if (e.kind !== 'reduce') return e.limits_kw ? at(e.limits_kw, t - e.start) : (e.limit_kw ?? 0);
  return (1 - (e.percent ?? 0) / 100) * at(e.baseline_kw, t - e.start);
}

export const isWindow = (e: PlanEvent): boolean => e.kind === 'reduce' && e.measure === 'window';

/** What a kWh of import costs in slot `t`, carbon included. */
export const importPrice = (s: Scenario, t: number): number =>
  at(s.prices.import, t) + (s.co2 ? (at(s.co2.g_per_kwh, t) / 1000) * s.co2.price_per_kg : 0);

export const ambientAt = (s: Scenario, d: DeviceOf<'thermal'>, t: number): number =>
  d.ambient === 'outdoor' ? at(s.t_out_c, t) : (d.ambient_c ?? 0);
