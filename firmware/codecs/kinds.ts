/** The kinds of `hearth decode`. A new codec is one line here. */
import type { DecodeKind } from '../domain/telegram.ts';
import { explainDlmsPush } from './dlms/explain.ts';
import { decodeDlmsPush } from './dlms/index.ts';
import { explainP1 } from './dsmr-p1/explain.ts';
import { decodeP1 } from './dsmr-p1/index.ts';
import type { Explain } from './explain.ts';
import { decodeReadout } from './iec62056-21/index.ts';
import { explainMbus } from './mbus/explain.ts';
import { decodeMbus } from './mbus/kind.ts';
import { explainSml } from './sml/explain.ts';
import { decodeSml } from './sml/index.ts';
import { explainWmbus } from './wmbus/explain.ts';
import { decodeWmbus } from './wmbus/kind.ts';

export const DECODE_KINDS: Readonly<Record<string, DecodeKind>> = {
  p1: decodeP1,
  'iec62056-21-readout': decodeReadout,
  mbus: decodeMbus,
  wmbus: decodeWmbus,
  sml: decodeSml,
  'dlms-push': decodeDlmsPush,
};

/** What names each byte of a kind, for `hearth decode --explain`; a kind without a row has none yet. */
export const EXPLAIN_KINDS: Readonly<Record<string, Explain>> = {
  p1: explainP1,
  'iec62056-21-readout': explainP1,
  mbus: explainMbus,
  wmbus: explainWmbus,
  sml: explainSml,
  'dlms-push': explainDlmsPush,
};
