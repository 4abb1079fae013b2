/** Registers of a profile to numbers and back. Big-endian words, high word first (Modbus 1.1b3, 4.2). */
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

export async function readRaw(
  client: ModbusClient,
  { table, address, type }: Register,
): Promise<number | null> {
  if (table === 'coil') return (await client.readCoils(address, 1)).data[0] ? 1 : 0;
  const { buffer } = await (table === 'input'
    ? client.readInputRegisters(address, WORDS[type])
    : client.readHoldingRegisters(address, WORDS[type]));
  return rawOf(buffer, type);
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

/** Writes a raw number (already divided by the scale). Only what controls need: coils and one 16-bit register. */
export async function writeRaw(
  client: ModbusClient,
  { table, address }: Register,
  raw: number,
): Promise<void> {
  if (table === 'coil') await client.writeCoil(address, raw !== 0);
  else await client.writeRegister(address, raw);
}
