/**
 * Radiocrafts RC1180-MBUS: telegrams bare, from the L field on, without CRCs; behind each a byte for the strength of
 * the signal when its register 5 says so, which cannot be told from noise and is skipped. The mode is in its memory.
 */
import { METER_CONTROLS } from '../telegram.ts';
import { type Found, FramedDecoder } from './framed.ts';
import { eightN1, type ReceiverProtocol } from './receiver.ts';

/** C, manufacturer, address, CI. */
const SHORTEST = 10;

/** A telegram without a frame of the receiver's: only its L and C fields speak for it. */
export function findBare(bytes: Uint8Array): Found {
  const [length = 0, control] = bytes;
  if (length < SHORTEST) return { is: 'none', reason: null };
  if (control === undefined) return { is: 'more' };
  if (!METER_CONTROLS.has(control)) return { is: 'none', reason: null };
  if (bytes.length < length + 1) return { is: 'more' };
  const telegram = Uint8Array.from(bytes.subarray(0, length + 1));
  const frame = { kind: 'telegram', bytes: telegram, crc: 'auto', signal_dBm: null } as const;
  return { is: 'frame', frame, length: length + 1 };
}

export const rc1180: ReceiverProtocol = {
  line: eightN1(19_200),
  decoder: () => new FramedDecoder(findBare),
  setup: () => [],
};
