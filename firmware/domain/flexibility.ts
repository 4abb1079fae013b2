/**
 * The menu that a resource manager writes and the energy manager picks from, after the control types of
 * S2 (EN 50491-12-2). Powers in W, consumption positive, production negative. Comfort, safety and wear are
 * already in the menu: what it does not offer may not be asked for.
 */

export type ControlType =
  | 'NOT_CONTROLABLE'
  | 'POWER_ENVELOPE_BASED_CONTROL'
  | 'POWER_PROFILE_BASED_CONTROL'
  | 'OPERATION_MODE_BASED_CONTROL'
  | 'FILL_RATE_BASED_CONTROL'
  | 'DEMAND_DRIVEN_BASED_CONTROL';

/** What a person recognises the device by; the page shows a picture and a word for each. */
export type DeviceKind =
  | 'boiler'
  | 'heater'
  | 'heat-pump'
  | 'wallbox'
  | 'inverter'
  | 'battery'
  | 'appliance'
  | 'relay'
  | 'other';

/** What happens to energy that is held back: VANISH is lost (PV), DEFER comes back later (boiler). */
export type Consequence = 'VANISH' | 'DEFER';

/** A range of permitted set-points. `min_W` ≤ `max_W`; production is negative. */
export interface PowerRange {
  readonly min_W: number;
  readonly max_W: number;
}

/**
 * The limited facts that a device registers. `ranges` is the menu now, ascending and not overlapping: an on/off
 * boiler of 2 kW is [{0,0},{2000,2000}], a wallbox from 6 to 16 A is [{0,0},{1380,3680}].
 */
export interface Flexibility {
  readonly controlType: ControlType;
  readonly kind: DeviceKind;
  readonly name: string;
  readonly ranges: readonly PowerRange[];
  /** The most that it can draw at all, by its configuration, where the menu of now may offer less; absent: as the menu. */
  readonly rated_W?: number;
  /** Width of a set-point step; 0 is continuous. */
  readonly step_W: number;
  /** 1, 2, 3: the phases it draws from, evenly. */
  readonly phases: readonly (1 | 2 | 3)[];
  readonly consequence: Consequence;
  /** Once on it stays on for so long, once off it stays off; 0 is no bound. The energy manager must honour them. */
  readonly minOnMs: number;
  readonly minOffMs: number;
  /** What the device takes at worst when it does not answer. */
  readonly worstCase_W: number;
  /** The power it falls back to by itself when no command comes (its own failsafe), null when it keeps the last. */
  readonly failsafe_W: number | null;
  /** Energy it still wants, and by when; null when it has no such wish. */
  readonly need: EnergyNeed | null;
  /** § 14a EnWG and the like: counts under a limit of scope `controllable`. */
  readonly steerable: boolean;
  /** What it stores; absent: nothing that is known. Registered anew with the menu whenever its fill has changed. */
  readonly store?: BatteryStore | HeatStore;
  /** Of POWER_PROFILE_BASED_CONTROL: what it does, once started, when its owner has asked for a run. Absent: no program. */
  readonly program?: Program;
}

/** A cycle of an appliance, never empty: a washing, a rinse. Once begun it runs to its end. */
export interface Program {
  readonly steps: readonly { readonly forMs: number; readonly power_W: number }[];
}

/** How long a program runs, ms. */
export const lengthMsOf = ({ steps }: Program): number => steps.reduce((sum, { forMs }) => sum + forMs, 0);

/** What it is stated to draw when so much is done; nothing after its end. */
export function drawAt_W({ steps }: Program, doneMs: number): number {
  let untilMs = 0;
  for (const { forMs, power_W } of steps) {
    untilMs += forMs;
    if (doneMs < untilMs) return power_W;
  }
  return 0;
}

/** Of FILL_RATE_BASED_CONTROL, storing electricity. Shares of the capacity are 0 to 1. */
export interface BatteryStore {
  readonly kind: 'battery';
  readonly capacity_Wh: number;
  /** Null is unknown: it is then not planned. */
  readonly fill: number | null;
  /** What the owner keeps in reserve, and the most that it is filled to. */
  readonly leastFill: number;
  readonly mostFill: number;
  /** The most it takes and gives at its terminals while it is neither full nor empty; the menu is what it can now. */
  readonly charge_W: number;
  readonly discharge_W: number;
  /** Share that is kept on the way in, and on the way out. */
  readonly chargeEfficiency: number;
  readonly dischargeEfficiency: number;
  /** In the site's currency, what it wears to give a Wh. */
  readonly wear_perWh: number;
  /** Whether it may take from the grid, and give to it. */
  readonly gridCharge: boolean;
  readonly gridDischarge: boolean;
}

/** Of FILL_RATE_BASED_CONTROL, storing heat: water in a tank, or the house itself, as one mass at one temperature. */
export interface HeatStore {
  readonly kind: 'heat';
  readonly what: 'tank' | 'house';
  /** Null is unknown: its own thermostat is then left alone. */
  readonly temperature_C: number | null;
  /** Outdoors, as far as the device measures it. */
  readonly outdoor_C: number | null;
  readonly capacity_WhPerK: number;
  readonly loss_WPerK: number;
  /** What it loses its heat to; null: to the outdoors. */
  readonly ambient_C: number | null;
  /** By local time (`HH:MM`), ascending; each row holds until the next, the last one over midnight. Never empty. */
  readonly comfort: readonly ComfortBand[];
  /** Never heated above this; null: the device sees to it. */
  readonly most_C: number | null;
  /** Heat made of one unit of electricity, by outdoor temperature, ascending: between two rows linear, beyond them constant. */
  readonly cop: readonly { readonly outdoor_C: number; readonly cop: number }[];
}

export interface ComfortBand {
  readonly from: string;
  readonly lo_C: number;
  readonly hi_C: number;
}

export interface EnergyNeed {
  readonly energy_Wh: number;
  readonly byMs: number;
  /** It is not there before; absent: it is there. */
  readonly fromMs?: number;
}

/** The largest power on the menu, 0 when there is none. */
export function maxOf(flexibility: Flexibility): number {
  return flexibility.ranges.reduce((most, range) => Math.max(most, range.max_W), -Infinity);
}

/** The most that it can draw at all: a battery that is full, or a tank that is hot, is no smaller for it. */
export function ratedOf(flexibility: Flexibility): number {
  const { store, rated_W = 0 } = flexibility;
  return Math.max(rated_W, store?.kind === 'battery' ? store.charge_W : 0, maxOf(flexibility));
}

/** The smallest power on the menu (the most production, or off). */
export function minOf(flexibility: Flexibility): number {
  return flexibility.ranges.reduce((least, range) => Math.min(least, range.min_W), Infinity);
}

/**
 * The largest permitted set-point that does not exceed `limit_W`, rounded down to the step; null when every
 * entry of the menu is above it.
 */
export function setPointUnder(flexibility: Flexibility, limit_W: number): number | null {
  let best: number | null = null;
  for (const { min_W, max_W } of flexibility.ranges) {
    if (min_W > limit_W) continue;
    const top = Math.min(max_W, limit_W);
    const steps = flexibility.step_W > 0 ? Math.floor((top - min_W) / flexibility.step_W + 1e-9) : 0;
    const point = flexibility.step_W > 0 && top < max_W ? min_W + steps * flexibility.step_W : top;
    if (best === null || point > best) best = point;
  }
  return best;
}

/** The smallest permitted set-point that is not below `bottom_W`, rounded up to the step; null when there is none. */
export function setPointOver(flexibility: Flexibility, bottom_W: number): number | null {
  let best: number | null = null;
  for (const { min_W, max_W } of flexibility.ranges) {
    if (max_W < bottom_W) continue;
    const bottom = Math.max(min_W, bottom_W);
    const steps = flexibility.step_W > 0 ? Math.ceil((bottom - min_W) / flexibility.step_W - 1e-9) : 0;
    const point = flexibility.step_W > 0 ? Math.min(max_W, min_W + steps * flexibility.step_W) : bottom;
    if (best === null || point < best) best = point;
  }
  return best;
}
