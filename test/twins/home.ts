/** The demo home: a boiler, a wallbox, a roof and what stores behind one meter, as twins that share one world. */
import { ApplianceTwin, DISHWASHER, type Step } from './appliance.ts';
import { BatteryTwin, registerBattery } from './battery.ts';
import { HeatPumpTwin } from './heat-pump.ts';
import { ModbusTwin, setLong } from './modbus-device.ts';
import { p1Telegram } from './p1-telegram.ts';
import { setProduction, sunspecInverter } from './sunspec.ts';
import { sun_W, World } from './world.ts';

interface DemoHome {
  readonly world: World;
  readonly boiler: ModbusTwin;
  readonly wallbox: ModbusTwin;
  readonly inverter: ModbusTwin;
  /** The meter's next telegram. */
  telegram(): Uint8Array;
}

export function demoHome(seed: number, wallMs: () => number): DemoHome {
  const world = new World(seed);
  return {
    world,
    boiler: boilerOf(world),
    wallbox: wallboxOf(world, wallMs),
    inverter: inverterOf(world, seed, wallMs),
    telegram: () => telegramOf(world, wallMs()),
  };
}

export interface DemoStores {
  readonly battery: BatteryTwin;
  readonly heatPump: HeatPumpTwin;
}

/** A battery of 10 kWh and a heat pump on a tank of 300 l, added to a home that is to have them. */
export function demoStores({ world }: DemoHome, wallMs: () => number): DemoStores {
  const battery = registerBattery(new BatteryTwin(10_000, 5000, 0.4, wallMs()), wallMs);
  const heatPump = new HeatPumpTwin(300, 49, wallMs(), wallMs);
  world.appliances.push(battery, heatPump);
  return { battery, heatPump };
}

/** A dishwasher behind a plug, added to a home that is to have it. */
export function demoDishwasher(
  { world }: DemoHome,
  wallMs: () => number,
  steps: readonly Step[] = DISHWASHER,
): ApplianceTwin {
  const dishwasher = new ApplianceTwin(steps, wallMs(), wallMs);
  world.appliances.push(dishwasher);
  return dishwasher;
}

function telegramOf(world: World, atMs: number): Uint8Array {
  const net_W = world.advance(atMs);
  return p1Telegram({
    wallMs: atMs,
    net_W,
    importEnergy_Wh: world.importEnergy_Wh,
    exportEnergy_Wh: world.exportEnergy_Wh,
  });
}

/** 2 kW element behind a coil; its thermostat never opens in the demo. */
function boilerOf(world: World): ModbusTwin {
  const twin = new ModbusTwin();
  const power_W = (): number => (twin.registers.coils.get(0) ? 2000 : 0);
  world.appliances.push({ power_W });
  twin.refresh = () => void twin.registers.input.set(0, power_W());
  return twin;
}

/** Follows its current set-point on three phases; a car is always there. */
function wallboxOf(world: World, wallMs: () => number): ModbusTwin {
  const twin = new ModbusTwin();
  const power_W = (): number => {
    const set_A = (twin.registers.holding.get(1000) ?? 0) / 10;
    return set_A < 6 ? 0 : Math.min(set_A, 16) * 230 * 3;
  };
  world.appliances.push({ power_W });
  let energy_Wh = 120_000;
  let lastMs = wallMs();
  twin.refresh = () => {
    energy_Wh += (power_W() * Math.max(0, wallMs() - lastMs)) / 3_600_000;
    lastMs = wallMs();
    setLong(twin.registers.input, 100, Math.round(power_W()));
    setLong(twin.registers.input, 102, Math.round(energy_Wh));
  };
  return twin;
}

/** 5 kW of roof, turned down by percent of its rating. */
function inverterOf(world: World, seed: number, wallMs: () => number): ModbusTwin {
  const inverter = sunspecInverter(new ModbusTwin());
  const produced_W = (atMs: number): number => Math.min(sun_W(seed, 5000, atMs), 5000 * inverter.share());
  world.appliances.push({ power_W: (atMs) => -produced_W(atMs) });
  inverter.twin.refresh = () => setProduction(inverter, produced_W(wallMs()), 8_000_000);
  return inverter.twin;
}
