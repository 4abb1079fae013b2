/** CRC of EN 13757-4, 11.6: polynomial 3D65h, start 0, complemented; transmitted high byte first. */

const TABLE = new Uint16Array(256);
for (let i = 0; i < 256; i++) {
  let crc = i << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x3d65 : crc << 1;
  TABLE[i] = crc;
}

/** For a CRC over several stretches: start, over each, end. */
export const CRC_START = 0;

export function crcOver(before: number, bytes: Uint8Array, from: number, to: number): number {
  let crc = before;
  for (let i = from; i < to; i++)
    crc = ((crc << 8) ^ (TABLE[((crc >> 8) ^ (bytes[i] ?? 0)) & 0xff] ?? 0)) & 0xffff;
  return crc;
}

export const crcEnd = (crc: number): number => crc ^ 0xffff;

export const crc13757 = (bytes: Uint8Array, from = 0, to = bytes.length): number =>
  crcEnd(crcOver(CRC_START, bytes, from, to));

/** Whether the two bytes at `to` are the CRC of those from `from` to `to`. */
export function crcFits(bytes: Uint8Array, from: number, to: number): boolean {
  if (to + 2 > bytes.length) return false;
  return crc13757(bytes, from, to) === (((bytes[to] ?? 0) << 8) | (bytes[to + 1] ?? 0));
}
