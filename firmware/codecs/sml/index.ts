import type { DecodeKind } from '../../domain/telegram.ts';
import { collect } from '../collect.ts';
import { SmlDecoder } from './decoder.ts';
import { readSml } from './telegram.ts';

export { SmlDecoder, type SmlFrame } from './decoder.ts';
export { type SmlQuirks, withDirection } from './quirks.ts';
export { readSml } from './telegram.ts';

export const decodeSml: DecodeKind = ({ bytes }) =>
  collect(new SmlDecoder(), (frame) => readSml(frame), bytes);
