import type { DecodeKind } from '../../domain/telegram.ts';
import { collect } from '../collect.ts';
import { ReadoutDecoder } from './decoder.ts';
import { readReadout } from './telegram.ts';

export { clockOf, type MeterClock } from './clock.ts';
export { ReadoutDecoder, type ReadoutFrame } from './decoder.ts';
export { profileRead, readLoadProfile } from './load-profile.ts';
export { type Identification, type Option, readIdentification, SIGN_ON } from './messages.ts';
export { type Answer, type Password, programming, type Read } from './programming.ts';
export { receiveReadout } from './readout.ts';
export { type SignedOn, type SignOnOptions, signOn } from './sign-on.ts';
export { readStamp, writeStamp } from './stamp.ts';
export { readReadout } from './telegram.ts';

/** A capture in which bit 7 is often set was taken from a 7E1 line by an 8N1 port. */
const looksLikeParity = (bytes: Uint8Array): boolean =>
  bytes.filter((b) => b > 0x7f && b < 0xff).length * 4 > bytes.length;

export const decodeReadout: DecodeKind = ({ bytes }) =>
  collect(new ReadoutDecoder({ parity: looksLikeParity(bytes) ? 'even' : 'none' }), readReadout, bytes);
