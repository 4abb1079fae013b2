/** Registers of a profile to numbers and back. Big-endian words, high word first (Modbus 1.1b3, 4.2). */
import { HearthError } from '../../domain/errors.ts';
import type { Register } from '../profiles/schema.ts';
import type { ModbusClient } from './modbus-bus.ts';

const WORDS = { bool: 1, u16: 1, s16: 1, u32: 2, s32: 2, f32: 2 } as const;

/** The scaled value; null where the device says "not implemented" (SunSpec: 8000h, FFFFh). */
export async function readRegister(client: ModbusClient, register: Register): Promise<number | null> {
  const raw = await readRaw(client, register);
  if (raw === null) return null;
  if (register.scaleRegister === undefined) return raw * register.scale;
  const exponent = await exponentOf(client, register);
  return exponent === null ? null : raw * register.scale * 10 ** exponent;
}

/** The power of ten that a value is scaled with; null where it is not implemented or makes no sense (SunSpec: -10 to 10). */
export async function exponentOf(client: ModbusClient, register: Register): Promise<number | null> {
  const address = register.scaleRegister ?? register.address;
  const exponent = await readRaw(client, { ...register, address, type: 's16' });
  return exponent === null || Math.abs(exponent) > 10 ? null : exponent;
}

export async function readRaw(client: ModbusClient, register: Register): Promise<number | null> {
  return (await readRaws(client, register, 1))[0] ?? null;
}

/** Neighbouring values of one type, read in one request; a coil stands alone. */
export async function readRaws(
  client: ModbusClient,
  { table, address, type }: Register,
  count: number,
): Promise<readonly (number | null)[]> {
  if (table === 'coil') return [(await client.readCoils(address, 1)).data[0] ? 1 : 0];
  const { buffer } = await (table === 'input'
    ? client.readInputRegisters(address, WORDS[type] * count)
    : client.readHoldingRegisters(address, WORDS[type] * count));
  return Array.from({ length: count }, (_, i) => rawOf(buffer.subarray(i * WORDS[type] * 2), type));
}

function rawOf(buffer: Buffer, type: Register['type']): number | null {
  switch (type) {
    case 's16': {
      const value = buffer.readInt16BE(0);
      return value === -0x8000 ? null : value;
    }
    case 'u32':
      return buffer.readUInt32BE(0) === 0xffffffff ? null : buffer.readUInt32BE(0);
    case 's32':
      return buffer.readInt32BE(0) === -0x80000000 ? null : buffer.readInt32BE(0);
    case 'f32':
      return Number.isFinite(buffer.readFloatBE(0)) ? buffer.readFloatBE(0) : null;
    default:
      return buffer.readUInt16BE(0) === 0xffff ? null : buffer.readUInt16BE(0);
  }
}

/** The raw numbers that a type holds; what is left out at an end means "not implemented". */
const RANGES = {
  bool: [0, 0xfffe],
  u16: [0, 0xfffe],
  s16: [-0x7fff, 0x7fff],
  u32: [0, 0xfffffffe],
  s32: [-0x7fffffff, 0x7fffffff],
} as const;

/**
 * Writes raw numbers (already divided by the scale) to neighbouring registers: one word by function 6, more in one
 * request by function 16, so that no device ever holds half of a value. Throws BAD_VALUE for what the type cannot hold.
 */
export async function writeRaws(
  client: ModbusClient,
  { table, address, type }: Register,
  raws: readonly number[],
): Promise<void> {
  if (table === 'coil') {
    await client.writeCoil(address, raws[0] !== 0);
    return;
  }
  const words = raws.flatMap((raw) => wordsOf(raw, type));
  const [only] = words;
  if (words.length === 1 && only !== undefined) await client.writeRegister(address, only);
  else await client.writeRegisters(address, words);
}

function wordsOf(raw: number, type: Register['type']): number[] {
  if (type === 'f32') {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatBE(raw);
    return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
  }
  const [least, most] = RANGES[type];
  if (!Number.isInteger(raw) || raw < least || raw > most)
    throw new HearthError('BAD_VALUE', `a register of type ${type} cannot hold ${raw}`);
  return WORDS[type] === 1 ? [raw & 0xffff] : [(raw >>> 16) & 0xffff, raw & 0xffff];
}
