/** The devices of a configuration: a profile, and what is different in this house. */
import { ModbusBus } from '../adapters/devices/modbus-bus.ts';
import { ModbusDevice } from '../adapters/devices/modbus-device.ts';
import { loadProfiles } from '../adapters/profiles/load.ts';
import type { Profile } from '../adapters/profiles/schema.ts';
import type { Config } from '../config/schema.ts';
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
    const name = JSON.stringify(device.link);
    const rtu = device.link.kind === 'serial';
    const options = rtu
      ? { framing: 'rtu' as const, timeoutMs: RTU_TIMEOUT_MS }
      : { framing: 'tcp' as const, timeoutMs: TCP_TIMEOUT_MS };
    const bus = buses.get(name) ?? new ModbusBus(board.link(device.link), board.clock, options);
    buses.set(name, bus);
    const resource = new ModbusDevice(device, fitted(profile, device), {
      bus,
      clock: board.clock,
      writes: board.storage.writes,
    });
    return {
      resource,
      settings: { priority: device.priority, mode: device.mode, deadline: device.deadline },
    };
  });
}

/** The profile with what is different in this house. */
function fitted(profile: Profile, device: Config['devices'][number]): Profile {
  const control =
    device.rated_W !== undefined && 'rated_W' in profile.control
      ? { ...profile.control, rated_W: device.rated_W }
      : profile.control;
  return {
    ...profile,
    control,
    phases: device.phases ?? profile.phases,
    writesPerDay: device.writesPerDay ?? profile.writesPerDay,
    minOnMs: device.minOnMs ?? profile.minOnMs,
    minOffMs: device.minOffMs ?? profile.minOffMs,
  };
}
