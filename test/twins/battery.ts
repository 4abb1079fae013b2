/**
 * A battery: cells that fill by what flows, with its losses, and stop by themselves when full or empty; and three ways
 * in which products lay out their registers. Each falls back by a timer of its own when nobody writes.
 */
import { ModbusTwin, setLong } from './modbus-device.ts';
import { layOut } from './sunspec.ts';
import type { Appliance } from './world.ts';

const HOUR_MS = 3_600_000;
/** One way; a tenth is lost there and back. */
const EFFICIENCY = 0.95;

export class BatteryTwin implements Appliance {
  readonly twin = new ModbusTwin();
  readonly capacity_Wh: number;
  /** Share of the capacity. */
  fill: number;
  /** What its registers ask of it now, consumption positive. */
  wanted_W: () => number = () => 0;
  private readonly most_W: number;
  private lastMs: number;

  constructor(capacity_Wh: number, most_W: number, fill: number, nowMs: number) {
    this.capacity_Wh = capacity_Wh;
    this.most_W = most_W;
    this.fill = fill;
    this.lastMs = nowMs;
  }

  power_W(atMs: number): number {
    this.advance(atMs);
    return this.flows_W();
  }

  private flows_W(): number {
    const wanted_W = Math.max(-this.most_W, Math.min(this.most_W, this.wanted_W()));
    return (wanted_W > 0 && this.fill >= 1) || (wanted_W < 0 && this.fill <= 0) ? 0 : wanted_W;
  }

  /** Up to `atMs` it did what it does now: called before each write, too. */
  advance(atMs: number): void {
    const hours = Math.max(0, atMs - this.lastMs) / HOUR_MS;
    this.lastMs = Math.max(this.lastMs, atMs);
    const power_W = this.flows_W();
    const inside_Wh = hours * (power_W > 0 ? power_W * EFFICIENCY : power_W / EFFICIENCY);
    this.fill = Math.max(0, Math.min(1, this.fill + inside_Wh / this.capacity_Wh));
  }
}

/** A value over two registers, high word first, with its sign. */
const long = (table: ReadonlyMap<number, number>, address: number): number =>
  ((table.get(address) ?? 0) << 16) | (table.get(address + 1) ?? 0) | 0;
const short = (table: ReadonlyMap<number, number>, address: number): number =>
  ((table.get(address) ?? 0) << 16) >> 16;

/** Runs out so long after the last write, unless it is 0. */
function timer(wallMs: () => number, seconds: () => number): { start(): void; isOver(): boolean } {
  let startedMs: number | null = null;
  return {
    start: () => {
      startedMs = wallMs();
    },
    isOver: () => startedMs !== null && seconds() > 0 && wallMs() - startedMs >= seconds() * 1000,
  };
}

/** `battery-register`: on and off in 2000, W in 2001, its timer in s in 2003. */
export function registerBattery(battery: BatteryTwin, wallMs: () => number): BatteryTwin {
  const { twin } = battery;
  const { holding, input } = twin.registers;
  const watch = timer(wallMs, () => holding.get(2003) ?? 0);
  battery.wanted_W = () => (holding.get(2000) === 1 ? long(holding, 2001) : 0);
  twin.onWrite = () => watch.start();
  twin.refresh = () => {
    const power_W = battery.power_W(wallMs());
    if (watch.isOver()) {
      holding.set(2000, 0);
      setLong(holding, 2001, 0);
    }
    setLong(input, 2100, Math.round(power_W));
    input.set(2102, Math.round(battery.fill * 1000));
  };
  return battery;
}

export interface SunSpecBattery {
  readonly battery: BatteryTwin;
  readonly at: (model: number, offset: number) => number;
}

/** Models 701, 704 and 713: a set-point in W to the grid, that reverts; the fill in tenths of a percent. */
export function sunspecBattery(battery: BatteryTwin, wallMs: () => number): SunSpecBattery {
  const { twin } = battery;
  const { holding } = twin.registers;
  const at = layOut(twin, [
    [1, 66],
    [701, 153],
    [704, 65],
    [713, 7],
  ]);
  const [ena, mod, wSet, rvrt, enaRvrt, rvrtTms] = [22, 23, 24, 26, 30, 31].map((o) => at(704, o)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  holding.set(at(701, 116), 0).set(at(713, 8), -1);
  const watch = timer(wallMs, () => long(holding, rvrtTms));
  const factor = (): number => 10 ** short(holding, at(704, 55));
  battery.wanted_W = () =>
    holding.get(ena) === 1 && holding.get(mod) === 1 ? -long(holding, wSet) * factor() : 0;
  twin.onWrite = ({ address }) => {
    if (address === ena) watch.start();
  };
  twin.refresh = () => {
    const power_W = battery.power_W(wallMs());
    if (watch.isOver()) {
      setLong(holding, wSet, long(holding, rvrt));
      holding.set(ena, holding.get(enaRvrt) ?? 0);
    }
    holding.set(at(701, 10), -Math.round(power_W));
    holding.set(at(713, 4), Math.round(battery.fill * 1000));
  };
  return { battery, at };
}

/** Model 124 of an inverter with a battery: the most it gives and takes, in hundredths of a percent of WChaMax. */
export function storageBattery(battery: BatteryTwin, wallMs: () => number, full_W: number): SunSpecBattery {
  const { twin } = battery;
  const { holding } = twin.registers;
  const at = layOut(twin, [
    [1, 66],
    [103, 50],
    [124, 24],
  ]);
  holding.set(at(124, 2), Math.round(full_W / 10)).set(at(124, 18), 1);
  holding.set(at(124, 22), -2).set(at(124, 25), -2);
  holding.set(at(124, 12), 10_000).set(at(124, 13), 10_000);
  const watch = timer(wallMs, () => holding.get(at(124, 15)) ?? 0);
  const percent = (offset: number): number => short(holding, at(124, offset)) / 100;
  // Left alone it would follow its own meter; here it rests, within the window that it was given.
  battery.wanted_W = () => {
    if (holding.get(at(124, 5)) !== 3) return 0;
    const [least, most] = [-percent(12), percent(13)];
    return least > most ? 0 : (Math.min(most, Math.max(least, 0)) * full_W) / 100;
  };
  twin.onWrite = () => watch.start();
  twin.refresh = () => {
    battery.advance(wallMs());
    if (watch.isOver()) holding.set(at(124, 5), 0).set(at(124, 12), 10_000).set(at(124, 13), 10_000);
    holding.set(at(124, 8), Math.round(battery.fill * 10_000));
  };
  return { battery, at };
}
