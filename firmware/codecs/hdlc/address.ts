/** HDLC addresses (IEC 62056-46, 6.4.2): seven bits a byte, the low bit of the last one set. */

/** A client has one byte: `10h` (public) is sent as `21h`. */
export const clientAddress = (client: number): Uint8Array => Uint8Array.of(((client & 0x7f) << 1) | 1);

/**
 * A server has an upper (logical device) and a lower (physical device) address in one, two or four bytes. One byte
 * leaves the lower one out. Null when a number does not fit.
 */
export function serverAddress(upper: number, lower: number | null, size: 1 | 2 | 4): Uint8Array | null {
  const most = size === 4 ? 0x3fff : 0x7f;
  if (upper > most || (lower ?? 0) > most || upper < 0 || (size > 1 && lower === null)) return null;
  if (size === 1) return Uint8Array.of((upper << 1) | 1);
  const low = lower ?? 0;
  if (size === 2) return Uint8Array.of(upper << 1, (low << 1) | 1);
  const part = (n: number, last: number): number[] => [(n >> 7) << 1, ((n & 0x7f) << 1) | last];
  return Uint8Array.of(...part(upper, 0), ...part(low, 1));
}
