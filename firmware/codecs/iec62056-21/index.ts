import type { DecodeKind } from '../../domain/telegram.ts';
import { collect } from '../collect.ts';
import { ReadoutDecoder } from './decoder.ts';
import { readReadout } from './telegram.ts';

export { ReadoutDecoder, type ReadoutFrame } from './decoder.ts';
export { readReadout } from './telegram.ts';

/** A capture in which bit 7 is often set was taken from a 7E1 line by an 8N1 port. */
const looksLikeParity = (bytes: Uint8Array): boolean =>
  bytes.filter((b) => b > 0x7f && b < 0xff).length * 4 > bytes.length;

export const decodeReadout: DecodeKind = ({ bytes }) =>
  collect(new ReadoutDecoder({ parity: looksLikeParity(bytes) ? 'even' : 'none' }), readReadout, bytes);
