/**
 * A SunSpec inverter's registers as inverters lay them out: the common model, its measurements, nameplate, settings,
 * status and controls, one after another from 40000. A limit acts only while it is enabled (model 123).
 */
import { type ModbusTwin, setLong } from './modbus-device.ts';

/** Models with the length of each. */
const MODELS = [
  [1, 66],
  [103, 50],
  [120, 26],
  [121, 30],
  [122, 44],
  [123, 24],
] as const;
const BASE = 40_000;
/** The limit is in hundredths of a percent. */
const LIMIT_SCALE = -2;

export interface SunSpecInverter {
  readonly twin: ModbusTwin;
  /** Address of a point by its model and its place there. */
  at(model: number, offset: number): number;
  /** The share of its rating that it may give now. */
  share(): number;
}

/** Lays out models one after another; gives the address of a point by its model and its place there. */
export function layOut(
  { registers: { holding } }: ModbusTwin,
  models: readonly (readonly [id: number, length: number])[],
  base: number = BASE,
): (model: number, offset: number) => number {
  const starts = new Map<number, number>();
  setLong(holding, base, 0x53756e53);
  let next = base + 2;
  for (const [id, length] of models) {
    starts.set(id, next);
    holding.set(next, id).set(next + 1, length);
    next += 2 + length;
  }
  holding.set(next, 0xffff).set(next + 1, 0);
  return (model, offset) => (starts.get(model) ?? 0) + offset;
}

export function sunspecInverter(twin: ModbusTwin, base: number = BASE): SunSpecInverter {
  const { holding } = twin.registers;
  const at = layOut(twin, MODELS, base);
  holding.set(at(123, 5), 10_000).set(at(123, 23), LIMIT_SCALE);
  const share = (): number => {
    const limit = ((holding.get(at(123, 5)) ?? 0) * 10 ** LIMIT_SCALE) / 100;
    return holding.get(at(123, 9)) === 1 ? Math.min(1, limit) : 1;
  };
  return { twin, at, share };
}

/** What it gives in W and has given in Wh, in tens of watts and in kilowatt-hours, as large ones do. */
export function setProduction({ twin, at }: SunSpecInverter, power_W: number, energy_Wh: number): void {
  const { holding } = twin.registers;
  holding.set(at(103, 14), Math.round(power_W / 10)).set(at(103, 15), 1);
  setLong(holding, at(103, 24), Math.round(energy_Wh / 1000));
  holding.set(at(103, 26), 3);
}
