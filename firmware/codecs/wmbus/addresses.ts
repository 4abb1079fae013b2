/** Whose telegram it is, as far as that is said in clear: what a receiver looks up before any key is tried. */
import { ok, type Result } from '../../domain/errors.ts';
import { type Address, addressFrom, addressInHeader } from '../mbus/identity.ts';
import { diehlAddress } from '../mbus/profiles/diehl-prios.ts';
import { ADDRESS_AT, extendedLinkBytes, hasAddress, hasSession } from './extended-link.ts';
import { type CrcForm, readWirelessLink } from './link.ts';

const FRAGMENTATION = 0x90;
const LONG_HEADERS = new Set([0x72, 0x73, 0x6b, 0x70, 0x71]);

/** The meter first where it is not the sender. At most three. */
export function addressesOf(bytes: Uint8Array, crc: CrcForm | 'auto' = 'auto'): Result<readonly Address[]> {
  const link = readWirelessLink(bytes, crc);
  if (!link.ok) return link;
  const { address, body } = link.value;
  const found: Address[] = [diehlAddress(address, body[0] ?? 0, configurationOf(body)) ?? address];
  const ci = body[0] ?? 0;
  if (hasAddress(ci) && body.length >= ADDRESS_AT + 8)
    found.unshift(addressFrom(body.slice(ADDRESS_AT, ADDRESS_AT + 8)));
  // What a session seals cannot be looked into.
  let transport = hasSession(ci) ? body : body.subarray(extendedLinkBytes(ci));
  if (transport[0] === FRAGMENTATION) transport = transport.subarray(2 + (transport[1] ?? 0));
  if (LONG_HEADERS.has(transport[0] ?? 0) && transport.length >= 9)
    found.unshift(addressInHeader(transport.subarray(1, 9)));
  return ok(found);
}

/** Of a short header. */
const configurationOf = (body: Uint8Array): number => (body[3] ?? 0) | ((body[4] ?? 0) << 8);
