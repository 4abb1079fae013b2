import type { DecodeKind } from '../../domain/telegram.ts';
import { collect } from '../collect.ts';
import { PushDecoder } from './push-decoder.ts';
import { readPush } from './telegram.ts';

export { clientAddress, serverAddress } from '../hdlc/address.ts';
export type { Data } from './axdr.ts';
export type { Security } from './cipher.ts';
export { selects, takesLists } from './client.ts';
export { obisBytes } from './encode.ts';
export { type CosemInstant, cosemInstant, cosemStamp, pushInstant } from './instant.ts';
export { type CosemObject, registersOf } from './objects.ts';
export { type Column, readBuffer, readColumns, scalerAttribute } from './profile.ts';
export { PushDecoder, type PushFrame, type PushOptions } from './push-decoder.ts';
export { readingOf, type Scaling, scalingOf, textOf } from './readings.ts';
export { type Answer, type Asked, byEntry, byRange } from './services.ts';
export {
  asking,
  closing,
  failureOf,
  opening,
  type SessionOptions,
  type SessionState,
} from './session.ts';
export { readPush } from './telegram.ts';

export const decodeDlmsPush: DecodeKind = ({ bytes, key, authKey }) =>
  collect(new PushDecoder({ bare: true, ...(key && { key }), ...(authKey && { authKey }) }), readPush, bytes);
