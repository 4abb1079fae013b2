/** The kinds of `hearth decode`. A new codec is one line here. */
import type { DecodeKind } from '../domain/telegram.ts';
import { decodeDlmsPush } from './dlms/index.ts';
import { decodeP1 } from './dsmr-p1/index.ts';
import { decodeReadout } from './iec62056-21/index.ts';
import { decodeMbus } from './mbus/kind.ts';
import { decodeSml } from './sml/index.ts';
import { decodeWmbus } from './wmbus/kind.ts';

export const DECODE_KINDS: Readonly<Record<string, DecodeKind>> = {
  p1: decodeP1,
  'iec62056-21-readout': decodeReadout,
  mbus: decodeMbus,
  wmbus: decodeWmbus,
  sml: decodeSml,
  'dlms-push': decodeDlmsPush,
};
