/**
 * A heat pump on a tank: three levels, a thermostat of its own for each, and water as one mass at one temperature that
 * loses heat to the cellar and to who takes a shower.
 */
import { ModbusTwin } from './modbus-device.ts';
import type { Appliance } from './world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const STEP_MS = 60_000;
const WATER_WH_PER_LK = 1.163;
const LOSS_WPERK = 2;
const CELLAR_C = 18;
/** What it draws at each level, and how warm it makes the water there. */
const LEVELS = new Map([
  [2, { power_W: 2000, until_C: 52 }],
  [3, { power_W: 3000, until_C: 58 }],
]);
const HYSTERESIS_K = 4;
/** Above this its safety switch opens, whatever it was told. */
const MOST_C = 62;

export class HeatPumpTwin implements Appliance {
  readonly twin = new ModbusTwin();
  water_C: number;
  private readonly litres: number;
  private isOn = false;
  private lastMs: number;

  constructor(litres: number, water_C: number, nowMs: number, wallMs: () => number) {
    this.litres = litres;
    this.water_C = water_C;
    this.lastMs = nowMs;
    const { holding, input } = this.twin.registers;
    holding.set(3000, 2);
    this.twin.refresh = () => {
      input.set(3100, Math.round(this.power_W(wallMs())));
      input.set(3101, Math.round(this.water_C * 10)).set(3102, Math.round(outdoor_C(wallMs()) * 10));
    };
  }

  power_W(atMs: number): number {
    for (; this.lastMs < atMs; this.lastMs = Math.min(atMs, this.lastMs + STEP_MS))
      this.step(Math.min(STEP_MS, atMs - this.lastMs) / HOUR_MS, this.lastMs);
    return this.draws_W();
  }

  private draws_W(): number {
    const level = LEVELS.get(this.twin.registers.holding.get(3000) ?? 0);
    const until_C = Math.min(MOST_C, level?.until_C ?? -Infinity);
    this.isOn = this.water_C < until_C && (this.isOn || this.water_C < until_C - HYSTERESIS_K);
    return this.isOn ? (level?.power_W ?? 0) : 0;
  }

  private step(hours: number, atMs: number): void {
    const made_W = this.draws_W() * (2.6 + 0.05 * outdoor_C(atMs));
    const lost_W = LOSS_WPERK * (this.water_C - CELLAR_C) + taken_W(atMs);
    this.water_C += (hours * (made_W - lost_W)) / (this.litres * WATER_WH_PER_LK);
  }
}

const hourOf = (atMs: number): number => (((atMs % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS;
/** Coldest at four in the morning. */
const outdoor_C = (atMs: number): number => 6 - 4 * Math.cos(((hourOf(atMs) - 4) / 24) * 2 * Math.PI);
/** Showers in the morning, the kitchen in the evening: some 6 kWh a day. */
const taken_W = (atMs: number): number => {
  const bump = (centre: number): number => Math.exp(-(((hourOf(atMs) - centre) / 0.8) ** 2));
  return 2400 * bump(7) + 1800 * bump(19);
};
