/** The three bytes of LLC before a message (IEC 62056-46, 6.3): `E6 E6 00` to a meter, `E6 E7 00` from it. */

export const LLC_SEND = Uint8Array.of(0xe6, 0xe6, 0x00);

/** The message alone; some meters write the header of the other direction, some none. */
export function withoutLlc(bytes: Uint8Array): Uint8Array {
  const llc = bytes[0] === 0xe6 && (bytes[1] === 0xe7 || bytes[1] === 0xe6) && bytes[2] === 0;
  return llc ? bytes.subarray(LLC_SEND.length) : bytes;
}
