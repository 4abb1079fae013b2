import type { DecodeKind } from '../../domain/telegram.ts';
import { collect } from '../collect.ts';
import { P1Decoder } from './decoder.ts';
import { readP1 } from './telegram.ts';

export { P1Decoder, type P1Frame, type P1Keys } from './decoder.ts';
export { readP1 } from './telegram.ts';

export const decodeP1: DecodeKind = ({ bytes, key, authKey }) =>
  collect(new P1Decoder({ ...(key && { key }), ...(authKey && { authKey }) }), readP1, bytes);
