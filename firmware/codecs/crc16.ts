/** CRC-16 with polynomial 1021h reflected: X-25 of HDLC and SML, KERMIT of some Holley meters. */

const TABLE = Uint16Array.from({ length: 256 }, (_, n) => {
  let crc = n;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1;
  return crc;
});

function run(bytes: Uint8Array, from: number, to: number, start: number): number {
  let crc = start;
  for (let i = from; i < to; i++) crc = (crc >>> 8) ^ (TABLE[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return crc;
}

/** Start FFFFh, inverted at the end, over bytes [from, to); sent low byte first (IEC 62056-46, 6.4). */
export const crc16X25 = (bytes: Uint8Array, from = 0, to = bytes.length): number =>
  run(bytes, from, to, 0xffff) ^ 0xffff;

/** Start 0, not inverted. */
export const crc16Kermit = (bytes: Uint8Array, from = 0, to = bytes.length): number =>
  run(bytes, from, to, 0);
