/**
 * The planner slot by slot, in the line protocol of the rolling variant: it knows the slot that begins, forecasts of
 * the rest, and the state of the devices. Every slot is planned anew on its actual values, so that hard limits hold
 * on what is, not on what was expected.
 */
import * as z from 'zod';
import { type Fault, ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { corrected, spreadAt } from './forecast-correction.ts';
import { hedged } from './outlook.ts';
import { makePlan, type PlanOptions, type SolveProgram } from './planner.ts';
import { type Progress, remaining } from './remaining.ts';
import { at, type DeviceSchedule, parseScenario, type Scenario, type Schedule } from './scenario.ts';

const real = z.number().min(-1e6).max(1e6);
/** An answer names no more of what it could not take. */
const MAX_REFUSED = 5;
const state = z.object({
  soc_kwh: real.optional(),
  delivered_kwh: real.optional(),
  t_c: real.optional(),
  on: z.boolean().optional(),
  slots_in_state: z.number().int().min(0).optional(),
  start: z.number().int().nullish(),
  curtailed_kwh: real.optional(),
});
const actual = z.object({
  available_kw: real.optional(),
  cop: real.optional(),
  gain_kw: real.optional(),
  draw_kw: real.optional(),
});
const step = z.object({
  type: z.literal('step'),
  t: z.number().int().min(0),
  now: z.record(z.string(), z.unknown()).default({}),
  state: z.record(z.string(), z.unknown()).default({}),
  past_import_kw: z
    .array(real.nullable().transform((x) => x ?? 0))
    .max(LIMITS.planSlots)
    .nullish()
    .transform((x) => x ?? []),
  events: z
    .array(z.unknown())
    .max(LIMITS.planEvents)
    .nullish()
    .transform((x) => x ?? []),
  prices: z
    .object({ import: z.array(real.nullable()).optional(), export: z.array(real.nullable()).optional() })
    .nullish(),
});
type Step = z.infer<typeof step>;

export interface SetPoint {
  used_kw?: number;
  charge_kw?: number;
  discharge_kw?: number;
  power_kw?: number;
  curtailed_kw?: number;
  start?: boolean;
}
export interface StepAnswer {
  readonly devices: Readonly<Record<string, SetPoint>>;
  readonly faults?: readonly Fault[];
}

export interface RollingOptions {
  readonly solve: SolveProgram | null;
  /** Pull the forecasts towards what was measured. */
  readonly correct?: boolean;
}

export class RollingPlanner {
  readonly #forecast: Scenario;
  #known: Scenario;
  readonly #options: RollingOptions;
  #last: { readonly t: number; readonly schedule: Schedule } | null = null;

  constructor(forecast: Scenario, options: RollingOptions) {
    this.#forecast = forecast;
    this.#known = forecast;
    this.#options = options;
  }

  /** Answers one step. A step that does not fit the protocol is refused, SCENARIO_INVALID. */
  async step(input: unknown): Promise<Result<StepAnswer>> {
    const parsed = step.safeParse(input);
    if (!parsed.success) return refuse('SCENARIO_INVALID', `step: ${mistakeIn(parsed.error)}`);
    const now = parsed.data;
    if (now.t >= this.#known.n) return refuse('SCENARIO_INVALID', 'step: t is after the horizon');
    const { known, refused } = learn(this.#known, now);
    this.#known = known;
    const expected = this.#options.correct === false ? known : corrected(this.#forecast, known, now.t);
    const rest = remaining(expected, now.t, progressOf(now));
    const spread = this.#options.correct === false ? null : spreadAt(this.#forecast, known, now.t);
    if (spread && batteriesAlone(rest)) return ok(answer(rest, hedged(rest, {}, spread), refused));
    const plan = await makePlan(rest, {
      solve: this.#options.solve,
      solverOnly: true,
      ...this.#shifted(rest, now.t),
    });
    this.#last = { t: now.t, schedule: plan.schedule };
    const schedule = spread ? hedged(rest, plan.schedule, spread) : plan.schedule;
    return ok(answer(rest, schedule, [...refused, ...plan.faults]));
  }

  #shifted(rest: Scenario, t: number): Pick<PlanOptions, 'last'> {
    if (!this.#last || this.#last.t >= t) return {};
    const by = t - this.#last.t;
    const before = this.#last.schedule;
    const schedule = Object.fromEntries(rest.devices.map((d) => [d.id, shift(before[d.id] ?? {}, by)]));
    return { last: { schedule, ageSlots: by } };
  }
}

function mistakeIn(error: z.ZodError): string {
  const issue = error.issues[0];
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`;
}

function answer(s: Scenario, schedule: Schedule, faults: readonly Fault[]): StepAnswer {
  const devices = Object.fromEntries(s.devices.map((d) => [d.id, setPoint(schedule[d.id] ?? {})]));
  return faults.length ? { devices, faults } : { devices };
}

/** Nothing but a battery moves and no sum over slots is priced: its values alone are the plan. */
const batteriesAlone = (s: Scenario): boolean =>
  !s.grid.peak &&
  s.devices.every((d) => d.type === 'battery' || d.type === 'pv') &&
  !s.events.some((e) => e.kind === 'incentive' || e.kind === 'reduce');

function shift(p: DeviceSchedule, by: number): DeviceSchedule {
  const moved: DeviceSchedule = {};
  for (const key of ['used_kw', 'charge_kw', 'discharge_kw', 'power_kw', 'curtailed_kw'] as const) {
    const values = p[key];
    if (values) moved[key] = values.slice(by);
  }
  if (typeof p.start === 'number') moved.start = p.start - by;
  return moved;
}

function setPoint(p: DeviceSchedule): SetPoint {
  const out: SetPoint = {};
  for (const key of ['used_kw', 'charge_kw', 'discharge_kw', 'power_kw', 'curtailed_kw'] as const) {
    if (p[key]) out[key] = at(p[key], 0);
  }
  if (p.start !== undefined) out.start = p.start === 0;
  return out;
}

function progressOf(now: Step): Progress {
  const states = Object.entries(now.state).flatMap(([id, value]) => {
    const parsed = state.safeParse(value);
    return parsed.success ? [[id, parsed.data] as const] : [];
  });
  const peak = now.state.peak_import_kw;
  return {
    peak_import_kw: typeof peak === 'number' && Number.isFinite(peak) ? peak : 0,
    past_import_kw: now.past_import_kw,
    states: Object.fromEntries(states),
  };
}

interface Learnt {
  readonly known: Scenario;
  /** What of the message could not be taken: the house is planned without it. */
  readonly refused: readonly Fault[];
}

/**
 * What is known with this step: its actual values, prices and events; checked like any scenario. An event or a value
 * that does not fit is left out and said, so that a step never goes without set-points.
 */
function learn(s: Scenario, now: Step): Learnt {
  const refused: Fault[] = [];
  const attempt = (next: unknown): Scenario | null => {
    const parsed = parseScenario(next);
    if (!parsed.ok) refused.push(parsed.error);
    return parsed.ok ? parsed.value : null;
  };
  let known = attempt(withActuals(s, now)) ?? s;
  const ids = new Set(s.events.map((e) => e.id));
  for (const e of now.events) {
    if (typeof e === 'object' && e !== null && 'id' in e && ids.has(String(e.id))) continue;
    known = attempt({ ...known, events: [...known.events, e] }) ?? known;
  }
  return { known, refused: refused.slice(0, MAX_REFUSED) };
}

/** The scenario with what a step measured and which prices it brought; not checked yet. */
function withActuals(s: Scenario, now: Step): unknown {
  const put = <T extends number[] | null | undefined>(values: T, x: unknown): T =>
    (typeof x === 'number' && values ? values.with(now.t, x) : values) as T;
  const prices = (values: number[], news: readonly (number | null)[] | undefined): number[] =>
    values.map((x, i) => news?.[i] ?? x);
  const devices = s.devices.map((d) => {
    const parsed = actual.safeParse(now.now[d.id]);
    if (!parsed.success) return d;
    const { available_kw, cop, gain_kw, draw_kw } = parsed.data;
    if (d.type === 'pv') return { ...d, available_kw: put(d.available_kw, available_kw) };
    if (d.type !== 'thermal') return d;
    return { ...d, cop: put(d.cop, cop), gain_kw: put(d.gain_kw, gain_kw), draw_kw: put(d.draw_kw, draw_kw) };
  });
  return {
    ...s,
    prices: {
      ...s.prices,
      import: prices(s.prices.import, now.prices?.import),
      export: prices(s.prices.export, now.prices?.export),
    },
    base_load_kw: put(s.base_load_kw, now.now.base_load_kw),
    t_out_c: put(s.t_out_c, now.now.t_out_c),
    devices,
  };
}
