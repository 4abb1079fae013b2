/** A device that stores, opened on a simulated line where hours pass, and all that it says. */
import { ModbusBus } from '../../firmware/adapters/devices/modbus-bus.ts';
import { ModbusDevice } from '../../firmware/adapters/devices/modbus-device.ts';
import type { Store } from '../../firmware/adapters/devices/store-watch.ts';
import { loadProfiles } from '../../firmware/adapters/profiles/load.ts';
import type { Profile } from '../../firmware/adapters/profiles/schema.ts';
import { batterySchema, batteryStoreOf, heatSchema, heatStoreOf } from '../../firmware/config/store.ts';
import type { Fault } from '../../firmware/domain/errors.ts';
import type { Flexibility } from '../../firmware/domain/flexibility.ts';
import type { Instruction, InstructionStatus } from '../../firmware/domain/instruction.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { ResourceHealth } from '../../firmware/domain/resource-manager.ts';
import type { Clock } from '../../firmware/domain/time.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { simulatedLine } from '../../firmware/hal/simulated/line.ts';
import { BatteryTwin } from '../twins/battery.ts';
import type { ModbusTwin } from '../twins/modbus-device.ts';

export const profiles = loadProfiles();
export const START = Date.UTC(2026, 5, 1, 10);
export const BATTERY = batteryStoreOf(
  batterySchema.parse({ capacity_Wh: 10_000, charge_W: 4000, discharge_W: 3000, leastShare: 0.2 }),
);
export const TANK = heatStoreOf(heatSchema.parse({ what: 'tank', litres: 300 }), 'heat-pump');

export function profileOf(name: string, power?: { charge_W: number; discharge_W: number }): Profile {
  const found = profiles.get(name);
  if (!found) throw new Error(name);
  const { control } = found;
  return { ...found, control: control.kind === 'power' ? { ...control, ...power } : control };
}

let id = 0;
export const instruction = (setPoint_W: number, abnormal = false): Instruction => ({
  id: ++id,
  resource: 'd',
  setPoint_W,
  issuedMs: 0,
  abnormal,
  reasons: [],
});

/** A device that is opened, and all that it says. */
export function opened(
  profile: Profile,
  store: Store | undefined,
  bus: ModbusBus,
  clock: Clock,
  budget = 100_000,
) {
  let left = budget;
  const writes = { spend: () => left-- > 0, used: () => 0 };
  const device = new ModbusDevice({ id: 'd', name: 'D', unitId: 1, ...(store && { store }) }, profile, {
    bus,
    clock,
    writes,
  });
  const menus: Flexibility[] = [];
  const measured: Measurement[] = [];
  const health: ResourceHealth[] = [];
  const faults: string[] = [];
  const lost: Fault[] = [];
  const said = new Map<number, string>();
  device.open({
    measured: (m) => void measured.push(...m),
    flexibility: (menu) => void menus.push(menu),
    status: (i, status: InstructionStatus, reason) =>
      void said.set(i.id, reason ? `${status} ${reason.code}` : status),
    health: (h) => void health.push(h),
    fault: ({ code }) => void faults.push(code),
    lost: (reason) => void lost.push(reason),
  });
  const menu = (): Flexibility => menus.at(-1) as Flexibility;
  const range = (): readonly [number, number] => {
    const [first] = menu().ranges;
    return [first?.min_W ?? Number.NaN, first?.max_W ?? Number.NaN];
  };
  const last = (quantity: string): number | null | undefined =>
    measured.filter((m) => m.point.quantity === quantity).at(-1)?.value;
  return { device, menus, menu, range, measured, last, health, faults, lost, said };
}

/** On a simulated line; time passes only when it is told to. */
export async function onLine(
  twinOf: (wallMs: () => number) => ModbusTwin,
  profile: Profile,
  store: Store | undefined,
  budget?: number,
) {
  const time = new SimulatedClock(START);
  const twin = twinOf(() => START + time.elapsedMs());
  const { link, twin: line } = simulatedLine(time, 'line', 1);
  let lateMs = 0;
  line.onBytes((bytes) => {
    for (const answer of twin.tcp(bytes)) time.after(lateMs, () => line.write(answer));
  });
  const bus = new ModbusBus(link, time, { framing: 'tcp', timeoutMs: 2000 });
  const it = opened(profile, store, bus, time, budget);
  const pass = (ms: number): Promise<void> => time.advanceTo(time.elapsedMs() + ms);
  await pass(3000);
  const outcome = async (i: Instruction, ms = 1500): Promise<string | undefined> => {
    it.device.instruct(i);
    await pass(ms);
    return it.said.get(i.id);
  };
  const answersLate = (ms: number): void => {
    lateMs = ms;
  };
  return { ...it, twin, line, pass, outcome, answersLate };
}

export const HOUR = 3_600_000;
export const battery = (fill = 0.5) => new BatteryTwin(10_000, 5000, fill, START);

export const storedIn = ({ store }: Flexibility): number | null | undefined =>
  store?.kind === 'battery' ? store.fill : store?.temperature_C;
