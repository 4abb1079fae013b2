/** The devices of a configuration: a profile, and what is different in this house. */
import { ModbusBus } from '../adapters/devices/modbus-bus.ts';
import { ModbusDevice } from '../adapters/devices/modbus-device.ts';
import { loadProfiles } from '../adapters/profiles/load.ts';
import type { Control, Profile } from '../adapters/profiles/schema.ts';
import { highest_W, programOf } from '../config/program.ts';
import type { Config } from '../config/schema.ts';
import { batteryStoreOf, heatStoreOf } from '../config/store.ts';
import { HearthError } from '../domain/errors.ts';
import type { Board } from './board.ts';

const TCP_TIMEOUT_MS = 2_000;
const RTU_TIMEOUT_MS = 1_000;

/** Devices on the same link share a bus: one request at a time on one wire. */
export function devicesOf(config: Config, board: Board) {
  const profiles = loadProfiles();
  const buses = new Map<string, ModbusBus>();
  return config.devices.map((device) => {
    const profile = profiles.get(device.profile);
    if (!profile) {
      throw new HearthError(
        'CONFIG_INVALID',
        `devices: ${device.id}: no profile "${device.profile}"; known: ${[...profiles.keys()].join(', ')}`,
      );
    }
    const line = JSON.stringify(device.link);
    const rtu = device.link.kind === 'serial';
    const options = rtu
      ? { framing: 'rtu' as const, timeoutMs: RTU_TIMEOUT_MS }
      : { framing: 'tcp' as const, timeoutMs: TCP_TIMEOUT_MS };
    const bus = buses.get(line) ?? new ModbusBus(board.link(device.link), board.clock, options);
    buses.set(line, bus);
    const { id, name, unitId, program } = device;
    const store = storeOf(device, profile);
    const resource = new ModbusDevice(
      { id, name, unitId, ...(store && { store }), ...(program && { program: programOf(program) }) },
      fitted(profile, device),
      {
        bus,
        clock: board.clock,
        writes: board.storage.writes,
      },
    );
    return {
      resource,
      settings: { priority: device.priority, mode: device.mode, deadline: device.deadline },
    };
  });
}

type DeviceConfig = Config['devices'][number];

function storeOf({ battery, heat }: DeviceConfig, { kind }: Profile) {
  if (battery) return batteryStoreOf(battery);
  return heat ? heatStoreOf(heat, kind) : undefined;
}

/** The profile with what is different in this house. */
function fitted(profile: Profile, device: DeviceConfig): Profile {
  return {
    ...profile,
    control: fittedControl(profile.control, device),
    phases: device.phases ?? profile.phases,
    writesPerDay: device.writesPerDay ?? profile.writesPerDay,
    minOnMs: device.minOnMs ?? profile.minOnMs,
    minOffMs: device.minOffMs ?? profile.minOffMs,
  };
}

function fittedControl(control: Control, { rated_W, levels_W, battery, program }: DeviceConfig): Control {
  if (control.kind === 'power' && battery)
    return { ...control, charge_W: battery.charge_W, discharge_W: battery.discharge_W };
  if (control.kind === 'levels' && levels_W) {
    const powers_W = [0, ...levels_W];
    const levels = control.levels.map(({ raw, power_W }, i) => ({ raw, power_W: powers_W[i] ?? power_W }));
    return { ...control, levels };
  }
  if (control.kind === 'switch' && program) return { ...control, rated_W: highest_W(program) };
  return rated_W !== undefined && 'rated_W' in control ? { ...control, rated_W } : control;
}
