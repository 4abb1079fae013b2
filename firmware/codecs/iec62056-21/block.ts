/** The meter's messages in programming mode (6.3.4 ff.), cut out of a stream. */
import { type Fault, fault } from '../../domain/errors.ts';
import { ascii } from '../bytes.ts';
import { ACK, blockCheck, EOT, ETX, NAK, SOH, STX } from './messages.ts';

export type Block =
  | { readonly kind: 'ack' }
  | { readonly kind: 'nak' }
  /** `SOH name [STX data] ETX BCC`: P0 with the operand of the password, B0 as a refusal. */
  | { readonly kind: 'command'; readonly name: string; readonly data: string }
  /** `STX data ETX BCC`; `last` is false where EOT stands for ETX and more is to come. */
  | { readonly kind: 'data'; readonly data: string; readonly last: boolean }
  | { readonly kind: 'damaged'; readonly reason: Fault };

interface Cut {
  readonly block: Block;
  /** How many bytes it took, noise before it included. */
  readonly end: number;
}

/** Where a message begins in bytes of seven bits; their end where none does. What is before it is noise. */
export function startOf(bytes: Uint8Array): number {
  const start = bytes.findIndex((b) => b === SOH || b === STX || b === ACK || b === NAK);
  return start < 0 ? bytes.length : start;
}

/** The first whole message in bytes of seven bits, null while there is none. */
export function cutBlock(bytes: Uint8Array): Cut | null {
  const start = startOf(bytes);
  if (start === bytes.length) return null;
  const first = bytes[start] ?? 0;
  if (first === ACK) return { block: { kind: 'ack' }, end: start + 1 };
  if (first === NAK) return { block: { kind: 'nak' }, end: start + 1 };
  const ends = [bytes.indexOf(ETX, start + 1), bytes.indexOf(EOT, start + 1)].filter((at) => at >= 0);
  const end = Math.min(...ends);
  const bcc = bytes[end + 1];
  // The BCC is found by its place: it can be any value, also that of a control character.
  if (ends.length === 0 || bcc === undefined) return null;
  return { block: checked(first, bytes.subarray(start + 1, end + 1), bcc), end: end + 2 };
}

function checked(first: number, covered: Uint8Array, bcc: number): Block {
  if (blockCheck(covered) !== bcc) return damaged('BAD_CHECKSUM', 'the block check character (BCC) is wrong');
  const text = ascii(covered.subarray(0, -1));
  if (first === STX) return { kind: 'data', data: text, last: covered.at(-1) === ETX };
  const stx = text.indexOf('\x02');
  const [name, data] = stx < 0 ? [text, ''] : [text.slice(0, stx), text.slice(stx + 1)];
  return /^[A-Z][0-9]$/.test(name)
    ? { kind: 'command', name, data }
    : damaged('BAD_FRAME', 'a command message without a name');
}

const damaged = (code: Fault['code'], message: string): Block => ({
  kind: 'damaged',
  reason: fault(code, message),
});
