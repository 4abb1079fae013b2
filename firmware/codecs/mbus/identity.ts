/** Who sent it: identification number, manufacturer code and medium of EN 13757-3, 5 and EN 13757-7. */
import type { MeterIdentity } from '../../domain/telegram.ts';
import { HEX_OF_BYTE } from '../bytes.ts';

/** EN 13757-7 (device types). */
const MEDIA: Readonly<Record<number, string>> = {
  0: 'other',
  1: 'oil',
  2: 'electricity',
  3: 'gas',
  4: 'heat',
  5: 'steam',
  6: 'warm water',
  7: 'water',
  8: 'heat cost allocator',
  9: 'compressed air',
  10: 'cooling (return)',
  11: 'cooling (flow)',
  12: 'heat (flow)',
  13: 'heat and cooling',
  14: 'bus',
  15: 'unknown',
  21: 'hot water',
  22: 'cold water',
  23: 'hot and cold water',
  24: 'pressure',
  25: 'converter',
  26: 'smoke detector',
  27: 'room sensor',
  28: 'gas detector',
  32: 'breaker',
  33: 'valve',
  37: 'customer unit',
  40: 'waste water',
  41: 'garbage',
  42: 'carbon dioxide',
  49: 'communication controller',
  50: 'unidirectional repeater',
  51: 'bidirectional repeater',
  54: 'radio converter (system side)',
  55: 'radio converter (meter side)',
};

/** Every device type that has a name. */
export const DEVICE_TYPES: readonly number[] = Object.keys(MEDIA).map(Number);

export function mediumName(code: number): string {
  return MEDIA[code] ?? `reserved (${code.toString(16).padStart(2, '0')}h)`;
}

const LETTERS = '@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_';

/** Three letters in 5 bits each; `@` where a meter left them zero. */
export function manufacturerCode(word: number): string {
  return LETTERS.charAt((word >> 10) & 31) + LETTERS.charAt((word >> 5) & 31) + LETTERS.charAt(word & 31);
}

/** The same backwards: three capital letters as the word on the wire. */
export function manufacturerWordOf(letters: string): number {
  return [...letters].reduce((word, letter) => word * 32 + letter.charCodeAt(0) - 64, 0);
}

/** What a link layer or a long header says of a meter, with the bytes that keys and nonces are made from. */
export interface Address {
  /** 8 digits; a few meters send letters. */
  readonly id: string;
  readonly manufacturer: string;
  readonly version: number;
  readonly mediumCode: number;
  /** Manufacturer (2) then identification (4), version, device type: as in an initialisation vector. */
  readonly bytes: Uint8Array;
}

/** `manufacturer` (2 bytes) and `rest` (identification 4, version, device type) as they come on the wire. */
export function addressOf(manufacturer: Uint8Array, rest: Uint8Array): Address {
  const bytes = new Uint8Array(8);
  for (let i = 0; i < 8; i++) bytes[i] = (i < 2 ? manufacturer[i] : rest[i - 2]) ?? 0;
  return addressFrom(bytes);
}

/** Where the long header has the bytes of an address: identification first, the manufacturer in the middle. */
const IN_LONG_HEADER = [4, 5, 0, 1, 2, 3, 6, 7];

export function addressInHeader(header: Uint8Array): Address {
  const bytes = new Uint8Array(8);
  for (let i = 0; i < 8; i++) bytes[i] = header[IN_LONG_HEADER[i] ?? 0] ?? 0;
  return addressFrom(bytes);
}

/** All eight bytes in the order of a link layer; kept, not copied. */
export function addressFrom(bytes: Uint8Array): Address {
  return {
    id: bcdText(bytes, 2, 6),
    manufacturer: manufacturerCode((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)),
    version: bytes[6] ?? 0,
    mediumCode: bytes[7] ?? 0,
    bytes,
  };
}

/** Little-endian BCD as its digits. */
export function bcdText(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = '';
  for (let i = to - 1; i >= from; i--) text += HEX_OF_BYTE[bytes[i] ?? 0];
  return text;
}

export function identityOf(address: Address): MeterIdentity {
  return {
    id: address.id,
    manufacturer: address.manufacturer,
    version: address.version,
    medium: mediumName(address.mediumCode),
  };
}

/** For a message: `KAM 12345678 version 27 (water)`. */
export function nameOf(address: Address): string {
  const { manufacturer, id, version, mediumCode } = address;
  return `${manufacturer} ${id} version ${version} (${mediumName(mediumCode)})`;
}
