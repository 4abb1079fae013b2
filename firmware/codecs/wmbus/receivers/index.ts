/** Receivers by the name used in the configuration. A new one is one line. */
import { amb8465 } from './amb8465.ts';
import { cul } from './cul.ts';
import { im871a } from './im871a.ts';
import { rc1180 } from './rc1180.ts';
import type { ReceiverProtocol } from './receiver.ts';
import { rtlWmbus } from './rtl-wmbus.ts';

export const RECEIVERS = {
  im871a,
  amb8465,
  cul,
  rc1180,
  'rtl-wmbus': rtlWmbus,
} as const satisfies Record<string, ReceiverProtocol>;

export type ReceiverName = keyof typeof RECEIVERS;
