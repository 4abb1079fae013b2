/** Whose telegram it is, as far as that is said in clear: what a receiver looks up before any key is tried. */
import { ok, type Result } from '../../domain/errors.ts';
import { type Address, addressFrom, addressOf } from '../mbus/identity.ts';
import { diehlAddress } from '../mbus/profiles/diehl-prios.ts';
import { join } from '../mbus/transport.ts';
import { type CrcForm, readWirelessLink } from './link.ts';

/** Bytes of each extended link layer, its CI included; those with an own address have it at byte 3. */
const PLAIN_ELL: ReadonlyMap<number, number> = new Map([
  [0x8c, 3],
  [0x8e, 11],
]);
const ADDRESSED_ELL = new Set([0x8e, 0x8f]);
const FRAGMENTATION = 0x90;
const LONG_HEADERS = new Set([0x72, 0x73, 0x6b, 0x70, 0x71]);

/** The meter first where it is not the sender. At most three. */
export function addressesOf(bytes: Uint8Array, crc: CrcForm | 'auto' = 'auto'): Result<readonly Address[]> {
  const link = readWirelessLink(bytes, crc);
  if (!link.ok) return link;
  const { address, body } = link.value;
  const found: Address[] = [diehlAddress(address, body[0] ?? 0, configurationOf(body)) ?? address];
  if (ADDRESSED_ELL.has(body[0] ?? 0) && body.length >= 11) found.unshift(addressFrom(body.slice(3, 11)));
  let transport = body.subarray(PLAIN_ELL.get(body[0] ?? 0) ?? 0);
  if (transport[0] === FRAGMENTATION) transport = transport.subarray(2 + (transport[1] ?? 0));
  if (LONG_HEADERS.has(transport[0] ?? 0) && transport.length >= 9) {
    const rest = join(transport.subarray(1, 5), transport.subarray(7, 9));
    found.unshift(addressOf(transport.subarray(5, 7), rest));
  }
  return ok(found);
}

/** Of a short header. */
const configurationOf = (body: Uint8Array): number => (body[3] ?? 0) | ((body[4] ?? 0) << 8);
