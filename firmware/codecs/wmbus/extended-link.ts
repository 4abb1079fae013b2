/**
 * Extended link layer, EN 13757-4, 12.2 (CI 8Ch…8Fh): communication control and access number, in 8Eh/8Fh another
 * address, in 8Dh/8Fh a session number, a payload CRC and AES-128 in counter mode.
 */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { joined } from '../bytes.ts';
import { ctr } from '../mbus/crypto.ts';
import { type Address, addressFrom, nameOf } from '../mbus/identity.ts';
import { crcFits } from './crc.ts';

export interface ExtendedLink {
  /** The address in the layer, where it has one. */
  readonly address: Address | null;
  readonly accessNumber: number;
  /** Minutes of the session number, then the session within the minute (four bits); null without one. */
  readonly counter: number | null;
  /** A key opened it. */
  readonly secured: boolean;
  /** The next layer, from its CI field on, in clear. */
  readonly body: Uint8Array;
}

/** Bytes after the CI field. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [0x8c, 2],
  [0x8d, 8],
  [0x8e, 10],
  [0x8f, 16],
]);
/** Where the address stands in a layer that has one. */
export const ADDRESS_AT = 3;

export const isExtendedLink = (ci: number): boolean => SIZES.has(ci);
export const hasAddress = (ci: number): boolean => ci === 0x8e || ci === 0x8f;
export const hasSession = (ci: number): boolean => ci === 0x8d || ci === 0x8f;
/** Of the layer, CI field included; 0 where it is none. */
export const extendedLinkBytes = (ci: number): number => 1 + (SIZES.get(ci) ?? -1);

/** `layer` starts at the CI field. */
export function readExtendedLink(
  layer: Uint8Array,
  sender: Address,
  key: Uint8Array | null,
): Result<ExtendedLink> {
  const ci = layer[0] ?? 0;
  const size = extendedLinkBytes(ci);
  if (layer.length < size) return refuse('CUT_FRAME', 'the telegram ends within its extended link layer');
  const control = layer[1] ?? 0;
  const accessNumber = layer[2] ?? 0;
  const at = ADDRESS_AT + (hasAddress(ci) ? 8 : 0);
  const address = hasAddress(ci) ? addressFrom(layer.slice(ADDRESS_AT, at)) : null;
  if (!hasSession(ci))
    return ok({ address, accessNumber, counter: null, secured: false, body: layer.subarray(size) });
  const session = layer.subarray(at, at + 4);
  const senders = address ? [address, sender] : [sender];
  const body = openBody(layer.subarray(at + 4), session, control, senders, key);
  if (!body.ok) return body;
  const word = session.reduceRight((sum, byte) => sum * 256 + byte, 0);
  const counter = (Math.floor(word / 16) % 0x200_0000) * 16 + (word % 16);
  return ok({ address, accessNumber, counter, ...body.value });
}

/** The payload CRC (low byte first) tells a clear or rightly opened payload from any other. */
function checked(body: Uint8Array): Uint8Array | null {
  if (body.length < 3) return null;
  const turned = joined(body.subarray(2), Uint8Array.of(body[1] ?? 0, body[0] ?? 0));
  return crcFits(turned, 0, turned.length - 2) ? body.subarray(2) : null;
}

function openBody(
  body: Uint8Array,
  session: Uint8Array,
  control: number,
  senders: readonly Address[],
  key: Uint8Array | null,
): Result<{ body: Uint8Array; secured: boolean }> {
  const clear = checked(body);
  if (clear) return ok({ body: clear, secured: false });
  const [sender] = senders;
  const name = sender ? nameOf(sender) : 'the meter';
  const encryption = (session[3] ?? 0) >> 5;
  if (encryption === 0) return refuse('BAD_CHECKSUM', 'the payload CRC of the extended link layer is wrong');
  if (encryption !== 1) return refuse('UNSUPPORTED', `encryption ${encryption} of the extended link layer`);
  if (!key) return refuse('KEY_MISSING', `encrypted, and no key is configured for ${name}`);
  if (key.length !== 16) return refuse('KEY_WRONG', `the key of ${name} has not 16 bytes`);
  for (const from of senders) {
    // A repeater sets the hop bit and the repeated bit on the way; the nonce was made without them.
    for (const cc of new Set([control, control & ~0x10, control & ~0x12, control | 0x10])) {
      const counter = joined(from.bytes, Uint8Array.of(cc), session, new Uint8Array(3));
      const opened = checked(ctr(key, counter, body));
      if (opened) return ok({ body: opened, secured: true });
    }
  }
  return refuse('KEY_WRONG', `the key does not open the telegram of ${name}`);
}
