/** What a device was told and, as far as it was read back, holds. */
import { faultOf, HearthError } from '../../domain/errors.ts';
import type { Profile } from '../profiles/schema.ts';
import type { Write } from './control.ts';
import type { ModbusClient } from './modbus-bus.ts';
import { readRaw, readRaws, writeRaws } from './registers.ts';

/** One request to the device. */
export type AskAs = <T>(kind: 'command' | 'poll', run: (client: ModbusClient) => Promise<T>) => Promise<T>;

export interface Told {
  readonly writes: readonly Write[];
  readonly setPoint_W: number;
  /** When it was written last. */
  readonly atMs: number;
}

interface Held {
  readonly raws: readonly (number | null)[];
}

/** Raw values that were wanted, and those that stand there instead. */
export interface Difference {
  readonly wanted: string;
  readonly held: string;
}

/** Whether it holds `writes`, as far as is known. */
export const holds = (told: Told | null, writes: readonly Write[]): boolean =>
  told !== null && isSame(told.writes, writes);

/** Writes and reads back. Throws a coded error unless the device holds the values then. */
export async function writeAll(writes: readonly Write[], ask: AskAs): Promise<void> {
  for (const { register, raws } of writes)
    await ask('command', (client) => writeRaws(client, register, raws));
  const other = await differing(writes, 'command', ask);
  if (other)
    throw new HearthError('READBACK_DIFFERS', `wrote ${other.wanted}, the device holds ${other.held}`);
}

/** What the device holds instead of what it was given; null when it holds that. */
export async function differing(
  writes: readonly Write[],
  kind: 'command' | 'poll',
  ask: AskAs,
): Promise<Difference | null> {
  const held: Held[] = [];
  for (const { register, raws } of writes)
    held.push({ raws: await ask(kind, (client) => readRaws(client, register, raws.length)) });
  return isSame(held, writes) ? null : { wanted: said(writes), held: said(held) };
}

/**
 * Sees to it that what the profile prepares stands in the device; only what differs is written, for some of it may live
 * in flash. False when it does without something that is optional. Throws a coded error for what is not.
 */
export async function prepare({ prepare: settings }: Profile, ask: AskAs): Promise<boolean> {
  let isWhole = true;
  for (const { register, value, optional } of settings) {
    const stands = async (): Promise<boolean> =>
      (await ask('command', (client) => readRaw(client, register))) === value;
    if (await stands()) continue;
    await ask('command', (client) => writeRaws(client, register, [value])).catch((error: unknown) => {
      if (!optional || faultOf(error).code !== 'DEVICE_EXCEPTION') throw error;
    });
    if (await stands()) continue;
    if (!optional)
      throw new HearthError('READBACK_DIFFERS', `${value} was not taken before the first command`);
    isWhole = false;
  }
  return isWhole;
}

const isSame = (held: readonly Held[], wanted: readonly Write[]): boolean =>
  held.length === wanted.length &&
  wanted.every(({ raws }, i) => raws.every((raw, j) => held[i]?.raws[j] === raw));

const said = (values: readonly Held[]): string => values.flatMap(({ raws }) => raws).join(', ');
