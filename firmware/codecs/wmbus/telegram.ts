/** The layers of a wireless telegram one after the other: link, extended link, fragmentation, transport. */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { Address } from '../mbus/identity.ts';
import { isManufacturerCi } from '../mbus/profiles/index.ts';
import { type Authentication, type HeaderForm, open, readHeader } from '../mbus/transport.ts';
import { isExtendedLink, readExtendedLink } from './extended-link.ts';
import { readFragmentation } from './fragmentation.ts';
import { type CrcForm, readWirelessLink } from './link.ts';

/** What the payload is. */
export type Content = 'full' | 'compact' | 'format' | 'manufacturer';

/** Never falls from message to message. */
export interface MessageCounter {
  readonly value: number;
  /** Its authentication code, or the checksum of 16 bits that a right key leaves. */
  readonly proof: 'code' | 'checksum';
}

export interface ClearTelegram {
  /** The sender of the link layer: a radio module or the meter itself. */
  readonly sender: Address;
  /** The meter. */
  readonly meter: Address;
  readonly ci: number;
  readonly content: Content;
  readonly accessNumber: number | null;
  readonly status: number;
  /** The configuration word of the transport header, 0 without one. */
  readonly configuration: number;
  /** Lets a receiver refuse what is sent again; null where the telegram has none that its key vouches for. */
  readonly counter: MessageCounter | null;
  readonly payload: Uint8Array;
  /** The configuration word names no security mode: read as it is. */
  readonly doubtful: boolean;
  /** A key opened it. */
  readonly secured: boolean;
}

export const CONTENTS: ReadonlyMap<number, readonly [HeaderForm, Content]> = new Map([
  [0x72, ['long', 'full']],
  [0x7a, ['short', 'full']],
  [0x78, ['none', 'full']],
  [0x79, ['none', 'compact']],
  [0x7b, ['short', 'compact']],
  [0x73, ['long', 'compact']],
  [0x69, ['none', 'format']],
  [0x6a, ['short', 'format']],
  [0x6b, ['long', 'format']],
]);

/** C fields that a meter sends: SND-NR, SND-IR, ACC-NR, ACC-DMD, RSP-UD, with or without their bits 4 and 5. */
export const METER_CONTROLS: ReadonlySet<number> = new Set([0x44, 0x46, 0x47, 0x48, 0x08, 0x18, 0x28, 0x38]);

interface Walk {
  layer: Uint8Array;
  address: Address;
  accessNumber: number | null;
  counter: MessageCounter | null;
  secured: boolean;
  authentication: Authentication | null;
}

export function readWireless(
  bytes: Uint8Array,
  key: Uint8Array | null,
  form: CrcForm | 'auto' = 'auto',
): Result<ClearTelegram> {
  const link = readWirelessLink(bytes, form);
  if (!link.ok) return link;
  const { address: sender, body, control } = link.value;
  if (!METER_CONTROLS.has(control)) {
    return refuse(
      'WRONG_DIRECTION',
      `C field ${control.toString(16)}h is not one that a meter sends data with`,
    );
  }
  const walk: Walk = {
    layer: body,
    address: sender,
    accessNumber: null,
    counter: null,
    secured: false,
    authentication: null,
  };
  const lower = readLowerLayers(walk, sender, key);
  if (!lower.ok) return lower;
  return readTransport(walk, sender, key);
}

/** Each of these layers at most once, in their order. */
function readLowerLayers(walk: Walk, sender: Address, key: Uint8Array | null): Result<null> {
  if (isExtendedLink(walk.layer[0] ?? 0)) {
    const ell = readExtendedLink(walk.layer, sender, key);
    if (!ell.ok) return ell;
    walk.layer = ell.value.body;
    walk.address = ell.value.address ?? walk.address;
    walk.accessNumber = ell.value.accessNumber;
    walk.secured = ell.value.secured;
    const { counter } = ell.value;
    // In a layer in clear anybody can write it, whatever opens the payload further in.
    if (walk.secured && counter !== null) walk.counter = { value: counter, proof: 'checksum' };
  }
  if (walk.layer[0] === 0x90) {
    const afl = readFragmentation(walk.layer);
    if (!afl.ok) return afl;
    walk.layer = afl.value.body;
    walk.authentication = afl.value.authentication;
  }
  return ok(null);
}

function readTransport(walk: Walk, sender: Address, key: Uint8Array | null): Result<ClearTelegram> {
  const { layer, authentication } = walk;
  if (layer.length === 0) return refuse('CUT_FRAME', 'the telegram ends before its application layer');
  const ci = layer[0] ?? 0;
  const bytes = layer.subarray(1);
  const base = { sender, ci, configuration: 0 };
  if (isManufacturerCi(ci)) {
    const { address: meter, accessNumber } = walk;
    return ok({
      ...base,
      meter,
      accessNumber,
      counter: walk.counter,
      content: 'manufacturer',
      status: 0,
      payload: bytes,
      doubtful: false,
      secured: walk.secured,
    });
  }
  const known = CONTENTS.get(ci);
  if (!known) return refuse('UNSUPPORTED', `CI field ${ci.toString(16)}h carries no readings`);
  const [headerForm, content] = known;
  const header = readHeader(headerForm, bytes);
  if (!header.ok) return header;
  const meter = header.value.address ?? walk.address;
  const payload = bytes.subarray(header.value.length);
  const opened = open({ address: meter, header: header.value, payload, layer, authentication, key });
  if (!opened.ok) return opened;
  return ok({
    ...base,
    meter,
    content,
    counter: opened.value.authentic ? counterOf(authentication) : walk.counter,
    accessNumber: headerForm === 'none' ? walk.accessNumber : header.value.accessNumber,
    status: header.value.status,
    configuration: header.value.configuration,
    payload: opened.value.payload,
    doubtful: opened.value.doubtful,
    secured: walk.secured || opened.value.secured,
  });
}

/** Of a fragmentation layer whose authentication code is right. */
function counterOf(authentication: Authentication | null): MessageCounter {
  const bytes = authentication?.counter ?? new Uint8Array(0);
  return { value: bytes.reduceRight((sum, byte) => sum * 256 + byte, 0), proof: 'code' };
}
