/**
 * SunSpec (Device Information Model Specification 1.1): a device lays out its models one after another behind a mark;
 * which ones, and how long, differs from make to make. They are found by walking the chain, and scale factors are read.
 */
import { HearthError } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Control, Profile, Register } from '../profiles/schema.ts';
import { enableOf } from './control.ts';
import type { ModbusClient } from './modbus-bus.ts';
import { exponentOf, readRaw, readRegister } from './registers.ts';

/** One request to the device. */
export type Ask = <T>(run: (client: ModbusClient) => Promise<T>) => Promise<T>;

/** Where the mark may stand (5.1), and what it is: `SunS`. */
const BASES = [40_000, 50_000, 0];
const MARK = 0x53756e53;
/** The id that ends the chain. */
const END = 0xffff;

/** What is read at each poll. */
const MEASURED = ['power', 'energy', 'fill', 'temperature', 'outdoor'] as const;

/**
 * The profile as this very device has it: no model is left to be found, its control is scaled, and of what has to be
 * prepared only that is left which it has.
 */
export async function located(profile: Profile, ask: Ask): Promise<Profile> {
  const { control } = profile;
  const registers = [...MEASURED.map((name) => profile[name]), ...controlRegisters(profile)];
  const isSunSpec = registers.some((r) => r?.model !== undefined);
  const models = isSunSpec ? await modelsOf(ask) : new Map<number, number>();
  const place = <T extends { readonly register: Register }>(it: T): T => ({
    ...it,
    register: placed(it.register, models),
  });
  const enable = enableOf(control);
  const found = {
    ...profile,
    ...Object.fromEntries(MEASURED.flatMap((n) => (profile[n] ? [[n, placed(profile[n], models)]] : []))),
    control: { ...place(control), ...(enable && { enable: place(enable) }) },
  };
  const withPrepared = await prepared({ ...found, prepare: profile.prepare.map(place) }, ask);
  return { ...withPrepared, control: await inWatts(withPrepared.control, models, ask) };
}

const controlRegisters = ({ control, prepare }: Profile): readonly (Register | undefined)[] => [
  control.register,
  enableOf(control)?.register,
  ...prepare.map(({ register }) => register),
];

/** Without one of its own timers it is not trusted to fall back by itself. */
async function prepared(profile: Profile, ask: Ask): Promise<Profile> {
  const prepare: Profile['prepare'] = [];
  for (const setting of profile.prepare)
    if (!setting.optional || (await isThere(setting.register, ask))) prepare.push(setting);
  const isWhole = prepare.length === profile.prepare.length;
  return { ...profile, prepare, failsafe_W: isWhole ? profile.failsafe_W : null };
}

async function isThere(register: Register, ask: Ask): Promise<boolean> {
  try {
    return (await ask((client) => readRaw(client, register))) !== null;
  } catch (error) {
    if (error instanceof HearthError && error.code === 'DEVICE_EXCEPTION') return false;
    throw error;
  }
}

/** The control with the scale that it has in this device, and within what the device says of itself. */
async function inWatts(control: Control, models: ReadonlyMap<number, number>, ask: Ask): Promise<Control> {
  const register = await scaled(control.register, ask);
  if (control.kind !== 'power' || !control.percentOf) return { ...control, register };
  const percentOf = placed(control.percentOf, models);
  const full_W = await ask((client) => readRegister(client, percentOf));
  if (full_W === null || full_W <= 0)
    throw new HearthError('WRONG_ANSWER', 'the device does not say what its percentages are of');
  return {
    ...control,
    register: { ...register, scale: (register.scale * full_W) / 100 },
    charge_W: Math.min(control.charge_W, full_W),
    discharge_W: Math.min(control.discharge_W, full_W),
  };
}

/** Addresses of the models' ids. Throws WRONG_ANSWER where there is no SunSpec device. */
async function modelsOf(ask: Ask): Promise<ReadonlyMap<number, number>> {
  const models = new Map<number, number>();
  let address = (await baseOf(ask)) + 2;
  for (let count = 0; count < LIMITS.sunspecModels; count++) {
    const head = await words(ask, address);
    const id = head.readUInt16BE(0);
    if (id === END) return models;
    if (!models.has(id)) models.set(id, address);
    address += 2 + head.readUInt16BE(2);
    if (address > 0xfffe) break;
  }
  throw new HearthError('WRONG_ANSWER', 'the SunSpec models of the device have no end');
}

async function baseOf(ask: Ask): Promise<number> {
  for (const base of BASES) {
    try {
      if ((await words(ask, base)).readUInt32BE(0) === MARK) return base;
    } catch (error) {
      // There is nothing at this address; any other failure says nothing about it.
      if (!(error instanceof HearthError) || error.code !== 'DEVICE_EXCEPTION') throw error;
    }
  }
  throw new HearthError('WRONG_ANSWER', 'the device does not speak SunSpec');
}

/** Two registers. */
const words = (ask: Ask, address: number): Promise<Buffer> =>
  ask(async (client) => (await client.readHoldingRegisters(address, 2)).buffer);

function placed(register: Register, models: ReadonlyMap<number, number>): Register {
  const { model, ...rest } = register;
  if (model === undefined) return register;
  const start = model.map((id) => models.get(id)).find((at) => at !== undefined);
  if (start === undefined)
    throw new HearthError('UNSUPPORTED', `the device has no SunSpec model ${model.join(' or ')}`);
  const { scaleRegister } = register;
  return {
    ...rest,
    address: start + register.address,
    ...(scaleRegister !== undefined && { scaleRegister: start + scaleRegister }),
  };
}

/** What is written needs its scale before the first command; it never changes while the device is there. */
async function scaled(register: Register, ask: Ask): Promise<Register> {
  const { scaleRegister, ...rest } = register;
  if (scaleRegister === undefined) return register;
  const exponent = await ask((client) => exponentOf(client, register));
  if (exponent === null)
    throw new HearthError('WRONG_ANSWER', 'the device does not say the scale of its limit');
  return { ...rest, scale: register.scale * 10 ** exponent };
}
