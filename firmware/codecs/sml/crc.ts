/** The two checksums of SML: CRC-16/X-25 (BSI TR-03109-1, SML 1.04) and, in some Holley meters, CRC-16/KERMIT. */
import { crc16Kermit, crc16X25 } from '../crc16.ts';

export type SmlCrc = 'x25' | 'kermit';

/**
 * Which checksum of bytes [from, to) the two bytes on the line, read high byte first, are: X-25 is sent low byte first,
 * KERMIT high byte first by the Holley DTZ541 (volkszaehler/libsml#75); its other order is taken as well. Null when none.
 */
export function crcOf(bytes: Uint8Array, from: number, to: number, sent: number): SmlCrc | null {
  if (swapped(crc16X25(bytes, from, to)) === sent) return 'x25';
  const kermit = crc16Kermit(bytes, from, to);
  return kermit === sent || swapped(kermit) === sent ? 'kermit' : null;
}

const swapped = (word: number): number => ((word & 0xff) << 8) | (word >>> 8);
