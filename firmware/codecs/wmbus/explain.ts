/** Each byte of a wireless telegram, layer by layer; what a key opened as a section of its own. */
import type { Result } from '../../domain/errors.ts';
import type { Reading } from '../../domain/telegram.ts';
import { NOTHING } from '../bytes.ts';
import { ByteWalk, type Explain, type ExplainedBytes, type ExplainedSection } from '../explain.ts';
import { explainHeader, explainRecords, hexByte } from '../mbus/explain.ts';
import { type Address, bcdText, manufacturerCode, mediumName } from '../mbus/identity.ts';
import { openRealData } from '../mbus/profiles/diehl-prios.ts';
import { isManufacturerCi, profilesOf } from '../mbus/profiles/index.ts';
import { fieldsOf, readField } from '../mbus/profiles/profile.ts';
import { parse } from '../mbus-parser/index.ts';
import { hasAddress, hasSession, isExtendedLink, readExtendedLink } from './extended-link.ts';
import { WirelessMeter } from './kind.ts';
import { A_BLOCK, B_FIRST, HEADER, type LinkLayer, readWirelessLink } from './link.ts';
import { type ClearTelegram, CONTENTS, type Content } from './telegram.ts';

const CONTROLS: Readonly<Record<number, string>> = {
  68: 'sent without being asked (SND-NR)',
  70: 'sent at installation (SND-IR)',
  71: 'access without data (ACC-NR)',
  72: 'access on demand (ACC-DMD)',
  8: 'answer (RSP-UD)',
};

/** The telegram as it came: CRCs by their blocks, everything else by its layer. */
export const explainWmbus: Explain = ({ bytes, key = null, preceding = [] }) => {
  const link = readWirelessLink(bytes);
  if (!link.ok) return [{ title: 'as received', rows: [{ bytes, means: link.error.message }] }];
  const { form, address } = link.value;
  const walk = new ByteWalk(frameOf(bytes, link.value));
  explainLink(walk);
  const clear = new WirelessMeter(key).open(bytes);
  const opened = explainLayers(walk, clear, { sender: address, key });
  const received = { title: form === 'none' ? 'as received' : 'without link-layer CRCs', rows: walk.rows };
  return [
    ...(form === 'none' ? [] : [crcSection(bytes, link.value)]),
    received,
    ...opened,
    ...(clear.ok ? profileSection(clear.value, key) : []),
    ...readingsSection(bytes, key, preceding),
  ];
};

const UNEXPLAINED = 'not known';

/** The block that a product profile reads, field by field. */
function profileSection(clear: ClearTelegram, key: Uint8Array | null): ExplainedSection[] {
  const { sender, meter, ci, accessNumber } = clear;
  const payload = openRealData(clear, key) ?? clear.payload;
  const records = clear.content === 'full' ? parse(payload).records : [];
  const product = { sender, meter, ci, accessNumber, payload, records, key };
  for (const profile of profilesOf(product)) {
    const found = fieldsOf(profile, product);
    if (!found) continue;
    const walk = new ByteWalk(found.block);
    for (const place of found.fields) {
      if (place.at < walk.at) continue;
      walk.take(place.at - walk.at, UNEXPLAINED);
      const [reading] = readField(place, found.block);
      walk.take(place.field.bytes, reading ? shownReading(reading) : place.field.name || UNEXPLAINED);
    }
    walk.rest(UNEXPLAINED);
    return [{ title: `by the profile of ${profile.name}`, rows: walk.rows }];
  }
  return [];
}

function shownReading({ name, value, unit = '', time, text }: Reading): string {
  const parts = [value === null ? 'no value' : value, unit, text, time].filter((part) => part !== undefined);
  return `${name} = ${parts.join(' ').trim()}`;
}

/** What the whole comes to. */
function readingsSection(
  bytes: Uint8Array,
  key: Uint8Array | null,
  preceding: readonly Uint8Array[],
): ExplainedSection[] {
  const meter = new WirelessMeter(key);
  for (const earlier of preceding) meter.read(earlier);
  const telegram = meter.read(bytes);
  if (!telegram.ok) return [];
  const named = telegram.value.readings.filter(({ name }) => name !== undefined);
  const rows = named.map((reading) => ({ bytes: NOTHING, means: shownReading(reading) }));
  return rows.length === 0 ? [] : [{ title: 'named readings', rows }];
}

interface Frame {
  readonly sender: Address;
  readonly key: Uint8Array | null;
}

/** From the L field on, without CRCs. */
function frameOf(bytes: Uint8Array, link: LinkLayer): Uint8Array {
  const frame = new Uint8Array(HEADER + link.body.length);
  frame.set(bytes.subarray(0, HEADER));
  frame.set(link.body, HEADER);
  return frame;
}

function crcSection(bytes: Uint8Array, { form }: LinkLayer): ExplainedSection {
  const walk = new ByteWalk(bytes);
  if (form === 'A') {
    const length = (bytes[0] ?? 0) + 1;
    walk.take(HEADER, 'block 1');
    walk.take(2, 'its CRC, right');
    for (let block = 2, left = length - HEADER; left > 0; block++, left -= A_BLOCK) {
      walk.take(Math.min(A_BLOCK, left), `block ${block}`);
      walk.take(2, 'its CRC, right');
    }
  } else {
    const first = Math.min(B_FIRST, (bytes[0] ?? 0) - 1);
    walk.take(first, 'blocks 1 and 2');
    walk.take(2, 'their CRC, right');
    if (walk.left > 2) {
      walk.take(walk.left - 2, 'block 3');
      walk.take(2, 'its CRC, right');
    }
  }
  walk.rest('added by the receiver');
  return { title: `as received, frame format ${form}`, rows: walk.rows };
}

function explainLink(walk: ByteWalk): void {
  walk.take(1, ([l = 0]) => `L field: ${l} bytes follow`);
  walk.take(1, ([c = 0]) => `C field: ${CONTROLS[c] ?? hexByte(c)}`);
  explainAddress(walk, 'sender: ');
}

function explainAddress(walk: ByteWalk, whose: string): void {
  walk.take(2, (b) => `${whose}manufacturer ${manufacturerCode((b[0] ?? 0) | ((b[1] ?? 0) << 8))}`);
  walk.take(4, (b) => `${whose}identification ${bcdText(b)}`);
  walk.take(1, ([v = 0]) => `${whose}version ${v} (${hexByte(v)})`);
  walk.take(1, ([m = 0]) => `${whose}medium: ${mediumName(m)}`);
}

/** From the first CI field on; what a key opened goes into sections of its own. */
function explainLayers(walk: ByteWalk, clear: Result<ClearTelegram>, frame: Frame): ExplainedSection[] {
  const inner = explainExtendedLink(walk, frame);
  if (inner) {
    const opened = new ByteWalk(inner);
    return [
      { title: 'opened: what the extended link layer carries', rows: opened.rows },
      ...explainTransport(opened, clear),
    ];
  }
  return explainTransport(walk, clear);
}

/** The next layer where this one hid it; null otherwise. */
function explainExtendedLink(walk: ByteWalk, { sender, key }: Frame): Uint8Array | null {
  const ci = walk.peek();
  if (!isExtendedLink(ci)) return null;
  const layer = walk.ahead();
  walk.take(1, `CI: extended link layer ${hexByte(ci)}`);
  walk.take(1, ([c = 0]) => `communication control ${hexByte(c)}`);
  walk.take(1, ([n = 0]) => `access number ${n}`);
  if (hasAddress(ci)) explainAddress(walk, 'meter: ');
  if (!hasSession(ci)) return null;
  const session = walk.take(
    4,
    (b) => `session number: ${(b[3] ?? 0) >> 5 === 1 ? 'AES-128-CTR' : 'not encrypted'}`,
  );
  const link = readExtendedLink(layer, sender, key);
  if (!link.ok) walk.rest(link.error.message);
  else if (link.value.secured) walk.rest('encrypted');
  else walk.take(2, 'payload CRC, right');
  return link.ok && link.value.secured && session.length === 4 ? link.value.body : null;
}

function explainFragmentation(walk: ByteWalk): void {
  if (walk.peek() !== 0x90) return;
  const length = walk.peek(1);
  walk.take(1, 'CI: authentication and fragmentation layer');
  walk.take(1, `length: ${length} bytes`);
  walk.take(2, 'fragmentation control');
  walk.take(length - 2, 'message control, message counter and authentication code');
}

function explainTransport(walk: ByteWalk, clear: Result<ClearTelegram>): ExplainedSection[] {
  explainFragmentation(walk);
  const ci = walk.peek();
  const [form, content] = CONTENTS.get(ci) ?? [];
  const what = isManufacturerCi(ci)
    ? "the maker's own"
    : `${content ?? 'unknown'} frame, ${(form ?? 'none') === 'none' ? 'no' : form} header`;
  walk.take(1, `CI ${hexByte(ci)}: ${what}`);
  if (form) explainHeader(walk, form);
  if (!clear.ok) {
    walk.rest(clear.error.message);
    return [];
  }
  const payload = openRealData(clear.value, null) ?? clear.value.payload;
  const rows = payloadRows(clear.value.content, payload);
  if (payload.length === walk.left && samePayload(walk.ahead(), payload)) {
    for (const row of rows) walk.take(row.bytes.length, row.means);
    return [];
  }
  walk.rest('encrypted');
  return [{ title: 'opened: the payload', rows }];
}

const samePayload = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, k) => byte === b[k]);

function payloadRows(content: Content, payload: Uint8Array): readonly ExplainedBytes[] {
  if (content === 'full') return explainRecords(payload);
  const walk = new ByteWalk(payload);
  if (content === 'compact') {
    if (walk.peek() === 0x2f && walk.peek(1) === 0x2f) walk.take(2, 'idle fillers');
    walk.take(2, 'signature of the full frame with the same DIBs and VIBs');
    walk.take(2, 'CRC of that full frame with these data');
    walk.rest('data of its records, one after the other');
  }
  walk.rest(
    content === 'format'
      ? 'length, signature, and the DIBs and VIBs of compact frames'
      : "the maker's own data",
  );
  return walk.rows;
}
