/** What a device is asked for at each poll, as measurements. */
import { HearthError } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Measurement } from '../../domain/measurement.ts';
import type { Quantity } from '../../domain/quantity.ts';
import type { Profile, Register } from '../profiles/schema.ts';
import { readRegister } from './registers.ts';
import { believable, type StoreReading } from './store-watch.ts';
import type { Ask } from './sunspec.ts';

export interface Readings extends StoreReading {
  readonly power_W: number | null;
  readonly energy_Wh: number | null;
}

/** Throws where the device does not answer; what it refuses to say of its store, or cannot mean, is unknown. */
export async function readingsOf(profile: Profile, ask: Ask): Promise<Readings> {
  const read = (register: Register | undefined): Promise<number | null> =>
    register ? ask((client) => readRegister(client, register)) : Promise.resolve(null);
  const said_W = await read(profile.power);
  const power_W = said_W !== null && Math.abs(said_W) <= LIMITS.devicePower_W ? said_W : null;
  const energy_Wh = await read(profile.energy);
  const fill_percent = await unlessRefused(read(profile.fill));
  const temperature_C = await unlessRefused(read(profile.temperature));
  const outdoor_C = await unlessRefused(read(profile.outdoor));
  const fill = fill_percent === null ? null : fill_percent / 100;
  return { power_W, energy_Wh, ...believable({ fill, temperature_C, outdoor_C }) };
}

async function unlessRefused(reading: Promise<number | null>): Promise<number | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof HearthError && error.code === 'DEVICE_EXCEPTION') return null;
    throw error;
  }
}

type At = Pick<Measurement, 'receivedMs' | 'receivedElapsedMs' | 'meterTimeMs'>;

/** `assumed_W` stands for the power of a product that does not measure it. */
export function measurementsOf(
  source: string,
  at: At,
  profile: Profile,
  readings: Readings,
  assumed_W: number | null,
): Measurement[] {
  const of = (quantity: Quantity, value: number | null, quality: Measurement['quality']): Measurement => ({
    ...at,
    point: { source, phase: 0, tariff: 0, channel: 0, quantity },
    value,
    quality,
  });
  const { power_W, energy_Wh, fill, temperature_C, outdoor_C } = readings;
  return [
    profile.power ? of('activePower', power_W, 'good') : of('activePower', assumed_W, 'estimated'),
    ...(energy_Wh === null ? [] : [of('activeEnergy', energy_Wh, 'good')]),
    ...(profile.fill ? [of('stateOfCharge', fill === null ? null : fill * 100, 'good')] : []),
    ...(profile.temperature ? [of('temperature', temperature_C, 'good')] : []),
    ...(profile.outdoor ? [of('outdoorTemperature', outdoor_C, 'good')] : []),
  ];
}
