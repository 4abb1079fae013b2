/** A home that carries out a rolling planner's set-points on the actual series of a scenario. */

import type { Result } from '../../domain/errors.ts';
import { type Evaluation, evaluate, nextTemperature } from '../planner/model.ts';
import type { SetPoint, StepAnswer } from '../planner/rolling.ts';
import { at, type DeviceSchedule, type Scenario, type Schedule } from '../planner/scenario.ts';

/** The scenario as it is known before its first slot. */
export function forecastOf(s: Scenario): Scenario {
  const known = publishedUntil(s, 0);
  return {
    ...s,
    prices: {
      ...s.prices,
      import: s.prices.import.map((x, i) => (i < known ? x : (s.prices.import_forecast?.[i] ?? x))),
      export: s.prices.export.map((x, i) => (i < known ? x : (s.prices.export_forecast?.[i] ?? x))),
    },
    base_load_kw: s.base_load_forecast_kw ?? s.base_load_kw,
    t_out_c: s.t_out_forecast_c ?? s.t_out_c,
    events: s.events.filter((e) => e.announced_slot <= 0),
    devices: s.devices.map((d) => {
      if (d.type === 'pv') return { ...d, available_kw: d.forecast_kw ?? d.available_kw };
      if (d.type !== 'thermal') return d;
      const { cop, gain_kw, draw_kw } = d;
      return {
        ...d,
        cop: d.cop_forecast ?? cop,
        gain_kw: d.gain_forecast_kw ?? gain_kw,
        draw_kw: d.draw_forecast_kw ?? draw_kw,
      };
    }),
  };
}

function publishedUntil(s: Scenario, t: number): number {
  const published = (s.prices.publish ?? []).filter((p) => p.at_slot <= t).map((p) => p.until_slot);
  return s.prices.publish ? Math.max(0, ...published) : s.n;
}

const KEYS = ['used_kw', 'charge_kw', 'discharge_kw', 'power_kw', 'curtailed_kw'] as const;

/** Runs all slots and prices what was done, on the actual series. */
export async function replay(
  s: Scenario,
  step: (message: unknown) => Promise<Result<StepAnswer>>,
): Promise<Evaluation & { readonly schedule: Schedule }> {
  const done: Schedule = Object.fromEntries(s.devices.map((d) => [d.id, {}]));
  const state = initialState(s);
  const past: number[] = [];
  for (let t = 0; t < s.n; t++) {
    const known = publishedUntil(s, t);
    const message = {
      type: 'step',
      t,
      now: nowOf(s, t),
      state: { ...Object.fromEntries(state), peak_import_kw: Math.max(0, ...past) },
      past_import_kw: [...past],
      events: s.events.filter((e) => e.announced_slot === t && t > 0),
      prices:
        known > publishedUntil(s, t - 1)
          ? { import: s.prices.import.slice(0, known), export: s.prices.export.slice(0, known) }
          : undefined,
    };
    const answer = await step(JSON.parse(JSON.stringify(message)));
    if (!answer.ok) throw new Error(answer.error.message);
    for (const d of s.devices) {
      record(
        done[d.id] ?? {},
        answer.value.devices[d.id] ?? {},
        t,
        d.type === 'pv' ? at(d.available_kw, t) : 0,
        s.n,
      );
      advance(s, d.id, done[d.id] ?? {}, state, t);
    }
    past.push(at(evaluate(s, done).import_kw, t));
  }
  return { ...evaluate(s, done), schedule: done };
}

function record(into: DeviceSchedule, point: SetPoint, t: number, used_kw: number, n: number): void {
  for (const key of KEYS) {
    if (point[key] === undefined && into[key] === undefined) continue;
    into[key] ??= new Array<number>(n).fill(0);
    into[key][t] = point[key] ?? (key === 'used_kw' ? used_kw : 0);
  }
  if (point.start === true) into.start ??= t;
}

type States = Map<string, Record<string, number | boolean | null>>;

function initialState(s: Scenario): States {
  return new Map(
    s.devices.map((d): [string, Record<string, number | boolean | null>] => {
      if (d.type === 'battery') return [d.id, { soc_kwh: d.soc0_kwh }];
      if (d.type === 'ev') return [d.id, { delivered_kwh: 0 }];
      if (d.type === 'thermal') return [d.id, { t_c: d.t0_c, on: d.init_on, slots_in_state: d.init_slots }];
      if (d.type === 'appliance') return [d.id, { start: null }];
      return [d.id, { curtailed_kwh: 0 }];
    }),
  );
}

function nowOf(s: Scenario, t: number): Record<string, unknown> {
  const now: Record<string, unknown> = { base_load_kw: at(s.base_load_kw, t), t_out_c: at(s.t_out_c, t) };
  for (const d of s.devices) {
    if (d.type === 'pv') now[d.id] = { available_kw: at(d.available_kw, t) };
    if (d.type === 'thermal')
      now[d.id] = { cop: at(d.cop, t), gain_kw: at(d.gain_kw, t), draw_kw: at(d.draw_kw, t) };
  }
  return now;
}

function advance(s: Scenario, id: string, p: DeviceSchedule, states: States, t: number): void {
  const d = s.devices.find((x) => x.id === id);
  const x = states.get(id);
  if (!d || !x) return;
  const power = at(p.power_kw, t);
  if (d.type === 'battery') {
    x.soc_kwh =
      Number(x.soc_kwh) +
      s.dt_h * (d.eta_charge * at(p.charge_kw, t) - at(p.discharge_kw, t) / d.eta_discharge);
  } else if (d.type === 'ev') x.delivered_kwh = Number(x.delivered_kwh) + s.dt_h * power;
  else if (d.type === 'curtailable')
    x.curtailed_kwh = Number(x.curtailed_kwh) + s.dt_h * at(p.curtailed_kw, t);
  else if (d.type === 'appliance') x.start = p.start ?? null;
  else if (d.type === 'thermal') {
    x.t_c = nextTemperature(s, d, t, Number(x.t_c), power);
    x.slots_in_state = power > 1e-3 === x.on ? Number(x.slots_in_state) + 1 : 1;
    x.on = power > 1e-3;
  }
}
