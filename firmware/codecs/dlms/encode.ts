/** A-XDR of COSEM data, the other way round: requests of the client, and telegrams made here. */
import { encodeLength } from '../bytes.ts';
import { TAG } from './axdr.ts';

/** A value with the tag it is to have; `data` of the reader does not keep the width of its integers. */
export type Encodable = Uint8Array;

export const NULL_DATA: Encodable = Uint8Array.of(TAG.null);

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts));

export const structure = (...items: readonly Encodable[]): Encodable =>
  concat(Uint8Array.of(TAG.structure), encodeLength(items.length), ...items);

export const array = (...items: readonly Encodable[]): Encodable =>
  concat(Uint8Array.of(TAG.array), encodeLength(items.length), ...items);

export const octets = (bytes: Uint8Array): Encodable =>
  concat(Uint8Array.of(TAG.octets), encodeLength(bytes.length), bytes);

export const visible = (text: string): Encodable =>
  concat(Uint8Array.of(TAG.visible), encodeLength(text.length), Buffer.from(text, 'latin1'));

export const uint8 = (value: number): Encodable => Uint8Array.of(TAG.uint8, value);
export const int8 = (value: number): Encodable => Uint8Array.of(TAG.int8, value & 0xff);
export const enumerated = (value: number): Encodable => Uint8Array.of(TAG.enum, value);
export const uint16 = (value: number): Encodable => Uint8Array.of(TAG.uint16, value >> 8, value & 0xff);
export const int16 = (value: number): Encodable =>
  Uint8Array.of(TAG.int16, (value >> 8) & 0xff, value & 0xff);
export const uint32 = (value: number): Encodable => Uint8Array.of(TAG.uint32, ...word32(value));

export const word16 = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
export const word32 = (value: number): number[] => [
  (value >>> 24) & 0xff,
  (value >> 16) & 0xff,
  (value >> 8) & 0xff,
  value & 0xff,
];

export const scalerUnit = (scaler: number, unit: number): Encodable =>
  structure(int8(scaler), enumerated(unit));

/** Six bytes of `A-B:C.D.E*F`; F is 255 when absent. Null when it is no such code. */
export function obisBytes(code: string): Uint8Array | null {
  const m = /^(\d{1,3})-(\d{1,3}):(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\*(\d{1,3}))?$/.exec(code);
  const numbers = m?.slice(1).map((text) => Number(text ?? 255));
  return numbers?.every((n) => n <= 255) ? Uint8Array.from(numbers) : null;
}
