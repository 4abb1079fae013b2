/** Which meter a frame says it is from. */
import { type Address, addressOf } from './identity.ts';
import type { LongFrame } from './link.ts';
import { readHeader } from './transport.ts';

/** Null where the frame carries no identification (short or no header, an application error). */
export function addressIn({ ci, payload }: LongFrame): Address | null {
  if (ci === 0x72) {
    const header = readHeader('long', payload);
    return header.ok ? header.value.address : null;
  }
  // The fixed data structure has a number and no manufacturer.
  if (ci === 0x73 && payload.length >= 4) {
    const rest = new Uint8Array(6);
    rest.set(payload.subarray(0, 4));
    return addressOf(new Uint8Array(2), rest);
  }
  return null;
}
