/** Secondary addresses and masks over them, EN 13757-3 clause on slave selection (CI 52h). */
import { type Address, manufacturerCode, manufacturerWordOf } from './identity.ts';

/**
 * Which meters a selection means. `id`: 8 digits, `F` fits any digit. The others: null fits any. A few meters carry
 * the letters A to E in their identification; F cannot be told from the wildcard.
 */
export interface SecondaryMask {
  readonly id: string;
  readonly manufacturer: number | null;
  readonly version: number | null;
  readonly medium: number | null;
}

export const ANYBODY: SecondaryMask = { id: 'FFFFFFFF', manufacturer: null, version: null, medium: null };

/** Eight bytes as on the wire: identification with the lowest digits first, manufacturer, version, medium. */
export function maskBytes({ id, manufacturer, version, medium }: SecondaryMask): Uint8Array {
  const bytes = new Uint8Array(8).fill(0xff);
  for (let i = 0; i < 4; i++) bytes[i] = Number.parseInt(id.slice(6 - 2 * i, 8 - 2 * i), 16);
  if (manufacturer !== null) bytes.set([manufacturer & 0xff, manufacturer >> 8], 4);
  if (version !== null) bytes[6] = version;
  if (medium !== null) bytes[7] = medium;
  return bytes;
}

const manufacturerWord = (address: Address): number =>
  (address.bytes[0] ?? 0) | ((address.bytes[1] ?? 0) << 8);

/** Whether the meter is among those that the mask means. What an address does not say fits. */
export function fits(mask: SecondaryMask, address: Address): boolean {
  for (let i = 0; i < 8; i++) if (mask.id[i] !== 'F' && mask.id[i] !== address.id[i]) return false;
  if (manufacturerWord(address) === 0) return true;
  return (
    (mask.manufacturer ?? manufacturerWord(address)) === manufacturerWord(address) &&
    (mask.version ?? address.version) === address.version &&
    (mask.medium ?? address.mediumCode) === address.mediumCode
  );
}

/** The mask that means this meter alone. */
export function maskOf(address: Address): SecondaryMask {
  const word = manufacturerWord(address);
  if (word === 0) return { ...ANYBODY, id: address.id };
  return { id: address.id, manufacturer: word, version: address.version, medium: address.mediumCode };
}

const two = (byte: number | null): string => (byte === null ? '*' : byte.toString(16).padStart(2, '0'));

/** `12345678-KAM-1b-04`, `*` for what fits any: the form of the configuration. */
export function maskText({ id, manufacturer, version, medium }: SecondaryMask): string {
  const tail = [manufacturer === null ? '*' : manufacturerCode(manufacturer), two(version), two(medium)];
  while (tail.at(-1) === '*') tail.pop();
  return [id, ...tail].join('-');
}

const FORM = /^([0-9A-F]{8})(?:-([A-Z]{3}|\*)(?:-([0-9A-F]{2}|\*)(?:-([0-9A-F]{2}|\*))?)?)?$/;

/** What a configured address means: a number from 0 to 250 is primary, the form of `maskText` secondary; else null. */
export function parseMeterAddress(
  text: string,
): { readonly primary: number } | { readonly secondary: SecondaryMask } | null {
  if (/^\d{1,3}$/.test(text)) return Number(text) <= 250 ? { primary: Number(text) } : null;
  const m = FORM.exec(text.toUpperCase());
  if (!m) return null;
  const byte = (hex: string | undefined): number | null =>
    hex === undefined || hex === '*' ? null : Number.parseInt(hex, 16);
  const letters = m[2] ?? '*';
  const manufacturer = letters === '*' ? null : manufacturerWordOf(letters);
  return { secondary: { id: m[1] ?? ANYBODY.id, manufacturer, version: byte(m[3]), medium: byte(m[4]) } };
}
