/** The two checksums of SML: CRC-16/X-25 (BSI TR-03109-1, SML 1.04) and, in some Holley meters, CRC-16/KERMIT. */

/** Both share polynomial 1021h reflected; X-25 starts at FFFFh and is inverted, KERMIT starts at 0 and is not. */
const TABLE = Uint16Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  return crc;
});

function run(bytes: Uint8Array, start: number): number {
  let crc = start;
  for (const byte of bytes) crc = (crc >>> 8) ^ (TABLE[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}

export type SmlCrc = 'x25' | 'kermit';

export const crc16X25 = (bytes: Uint8Array): number => run(bytes, 0xffff) ^ 0xffff;
export const crc16Kermit = (bytes: Uint8Array): number => run(bytes, 0);

/**
 * Which checksum the two bytes on the line, read high byte first, are: X-25 is sent low byte first, KERMIT high
 * byte first by the Holley DTZ541 (volkszaehler/libsml#75); its other order is taken as well. Null when none.
 */
export function crcOf(bytes: Uint8Array, sent: number): SmlCrc | null {
  if (swapped(crc16X25(bytes)) === sent) return 'x25';
  const kermit = crc16Kermit(bytes);
  return kermit === sent || swapped(kermit) === sent ? 'kermit' : null;
}

const swapped = (word: number): number => ((word & 0xff) << 8) | (word >>> 8);
