/** Authentication and fragmentation layer, OMS volume 2, 6 (CI 90h): message counter and code of a telegram. */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { joined } from '../bytes.ts';
import type { Authentication } from '../mbus/transport.ts';

export interface Fragment {
  readonly authentication: Authentication;
  /** The next layer, from its CI field on. */
  readonly body: Uint8Array;
}

/** Bits of the fragmentation control field. */
const MORE = 0x4000;
const HAS_CONTROL = 0x2000;
const HAS_LENGTH = 0x1000;
const HAS_COUNTER = 0x0800;
const HAS_MAC = 0x0400;
const HAS_KEY = 0x0200;

/** Length of the MAC by its type, the low nibble of MCL (OMS volume 2, table 13). */
const MAC_BYTES: Readonly<Record<number, number>> = { 3: 2, 4: 4, 5: 8, 6: 12, 7: 16, 8: 12 };

/** `layer` starts at the CI field. */
export function readFragmentation(layer: Uint8Array): Result<Fragment> {
  const length = layer[1] ?? 0;
  const end = 2 + length;
  if (layer.length < end || length < 2)
    return refuse('CUT_FRAME', 'the telegram ends within its fragmentation layer');
  const control = (layer[2] ?? 0) | ((layer[3] ?? 0) << 8);
  if (control & MORE || (control & 0xff) > 1) {
    return refuse('UNSUPPORTED', 'the message is spread over several telegrams');
  }
  let at = 4;
  const take = (flag: number, size: number): Uint8Array => {
    const part = control & flag ? layer.subarray(at, Math.min(at + size, end)) : layer.subarray(0, 0);
    at += control & flag ? size : 0;
    return part;
  };
  const mcl = take(HAS_CONTROL, 1);
  take(HAS_KEY, 2);
  const counter = take(HAS_COUNTER, 4);
  const mac = take(HAS_MAC, MAC_BYTES[(mcl[0] ?? 0) & 15] ?? 0);
  const messageLength = take(HAS_LENGTH, 2);
  if (at > end) return refuse('BAD_FRAME', 'the fields of the fragmentation layer are longer than it says');
  if (control & HAS_MAC && mac.length === 0)
    return refuse('UNSUPPORTED', 'an authentication code of unknown type');
  return ok({
    authentication: { counter, mac, prefix: joined(mcl, counter, messageLength) },
    body: layer.subarray(end),
  });
}
