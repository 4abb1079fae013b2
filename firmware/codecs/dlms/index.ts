import type { DecodeKind } from '../../domain/telegram.ts';
import { collect } from '../collect.ts';
import { PushDecoder } from './push-decoder.ts';
import { readPush } from './telegram.ts';

export { PushDecoder, type PushFrame, type PushOptions } from './push-decoder.ts';
export { readPush } from './telegram.ts';

export const decodeDlmsPush: DecodeKind = ({ bytes, key, authKey }) =>
  collect(new PushDecoder({ bare: true, ...(key && { key }), ...(authKey && { authKey }) }), readPush, bytes);
