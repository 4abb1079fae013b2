/** Who sent it: identification number, manufacturer code and medium of EN 13757-3, 5 and EN 13757-7. */
import type { MeterIdentity } from '../../domain/telegram.ts';

/** EN 13757-7 (device types). */
const MEDIA: Readonly<Record<number, string>> = {
  0x00: 'other',
  0x01: 'oil',
  0x02: 'electricity',
  0x03: 'gas',
  0x04: 'heat',
  0x05: 'steam',
  0x06: 'warm water',
  0x07: 'water',
  0x08: 'heat cost allocator',
  0x09: 'compressed air',
  0x0a: 'cooling (return)',
  0x0b: 'cooling (flow)',
  0x0c: 'heat (flow)',
  0x0d: 'heat and cooling',
  0x0e: 'bus',
  0x0f: 'unknown',
  0x15: 'hot water',
  0x16: 'cold water',
  0x17: 'hot and cold water',
  0x18: 'pressure',
  0x19: 'converter',
  0x1a: 'smoke detector',
  0x1b: 'room sensor',
  0x1c: 'gas detector',
  0x20: 'breaker',
  0x21: 'valve',
  0x25: 'customer unit',
  0x28: 'waste water',
  0x29: 'garbage',
  0x2a: 'carbon dioxide',
  0x31: 'communication controller',
  0x32: 'unidirectional repeater',
  0x33: 'bidirectional repeater',
  0x36: 'radio converter (system side)',
  0x37: 'radio converter (meter side)',
};

export function mediumName(code: number): string {
  return MEDIA[code] ?? `reserved (${code.toString(16).padStart(2, '0')}h)`;
}

/** Three letters in 5 bits each; `@` where a meter left them zero. */
export function manufacturerCode(word: number): string {
  const letter = (shift: number): string => String.fromCharCode(64 + ((word >> shift) & 31));
  return letter(10) + letter(5) + letter(0);
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
  bytes.set(manufacturer.subarray(0, 2));
  bytes.set(rest.subarray(0, 6), 2);
  return {
    id: bcdText(bytes.subarray(2, 6)),
    manufacturer: manufacturerCode((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)),
    version: bytes[6] ?? 0,
    mediumCode: bytes[7] ?? 0,
    bytes,
  };
}

/** Little-endian BCD as its digits. */
export function bcdText(bytes: Uint8Array): string {
  let text = '';
  for (let i = bytes.length - 1; i >= 0; i--) text += (bytes[i] ?? 0).toString(16).padStart(2, '0');
  return text.toUpperCase();
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
