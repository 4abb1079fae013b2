/** From an SML frame to readings: the list response (SML 1.04, clause 5.5.3) with value = integer × 10^scaler. */
import { fault, ok, type Result } from '../../domain/errors.ts';
import type { MeterIdentity, Reading, Telegram, Value } from '../../domain/telegram.ts';
import { ascii, toHex } from '../bytes.ts';
import { shifted } from '../decimal.ts';
import { Known } from '../known.ts';
import { unitOf } from '../unit-code.ts';
import type { SmlFrame } from './decoder.ts';
import { GET_LIST_RESPONSE, readMessages } from './message.ts';
import { type SmlQuirks, sendsUnsignedPower } from './quirks.ts';
import { type Node, TlvReader } from './tlv.ts';

const NO_QUIRKS: SmlQuirks = {};

/** Readings of all list responses in the telegram; a refusal when none of them passes its checksum. */
export function readSml({ payload }: SmlFrame, quirks: SmlQuirks = NO_QUIRKS): Result<Telegram> {
  const { messages, faults } = readMessages(payload);
  const reader = new TlvReader(payload);
  const readings: Reading[] = [];
  let meter: MeterIdentity | undefined;
  let time: string | undefined;
  for (const { tag, at } of messages) {
    if (tag !== GET_LIST_RESPONSE) continue;
    reader.at = at;
    const head = headOf(reader);
    if (!head) continue;
    const id = head.serverId ?? idAmong(reader, head.entries);
    if (id) meter ??= identities.of(id, 0, id.length);
    time ??= timeOf(head.time)?.time;
    for (let left = head.entries; left > 0; left--) {
      const reading = readingOf(reader, id, quirks);
      if (reading) readings.push(reading);
    }
  }
  if (readings.length === 0)
    return { ok: false, error: faults[0] ?? fault('NO_TELEGRAM', 'the telegram holds no list of values') };
  return ok({ ...(meter && { meter }), ...(time !== undefined && { time }), readings });
}

interface ListHead {
  readonly serverId: Uint8Array | null;
  readonly time: Node | null;
  readonly entries: number;
}

/** Client, server, list name, time of the sensor, values, signature and time of the gateway; ends before the first value. */
function headOf(reader: TlvReader): ListHead | null {
  if (!reader.enters(7) || !reader.skip()) return null;
  const serverId = octetsOf(reader.next(), reader.bytes);
  reader.skip();
  const time = reader.next();
  return reader.head() && reader.type === 7 ? { serverId, time, entries: reader.length } : null;
}

/**
 * Name, status, time, unit, scaler, value, signature; ends behind them. Null for an entry without a code of six bytes.
 */
function readingOf(reader: TlvReader, id: Uint8Array | null, quirks: SmlQuirks): Reading | null {
  if (!reader.enters(7)) return null;
  const named = reader.octets() && reader.at - reader.from === 6;
  const obis = named ? codes.of(reader.bytes, reader.from, reader.at) : '';
  const status = reader.number();
  reader.skip();
  const unit = reader.number();
  const scaler = reader.number() ?? 0;
  const { at } = reader;
  const value = reader.integer();
  if (value === null) reader.at = at;
  const data = value === null ? dataOf(reader.next(), reader.bytes) : null;
  const size = reader.at - reader.from;
  reader.skip();
  if (!named) return null;
  if (value === null) return { obis, ...data, ...(status !== null && { status }) };
  return measured(obis, unsigned(value, size, obis, id, quirks), unit, scaler, status);
}

/** The codes of meters are few and come in every telegram. */
const codes = new Known((bytes, at) => {
  const [a, b, c, d, e, f] = bytes.subarray(at, at + 6);
  return `${a}-${b}:${c}.${d}.${e}*${f}`;
});

/**
 * The scaler moves the point in the digits: nothing is rounded before the one conversion to a number. Written out as
 * whole objects, because almost all readings of a meter are made here.
 */
function measured(
  obis: string,
  raw: number | bigint,
  code: number | null,
  scaler: number,
  status: number | null,
): Reading {
  const house = unitOf(code);
  const value = house
    ? shifted(raw, scaler + house.factor.exponent) * house.factor.multiply
    : shifted(raw, scaler);
  if (!Number.isFinite(value)) return { obis, ...TOO_LARGE, ...(status !== null && { status }) };
  if (!house) return status === null ? { obis, value } : { obis, value, status };
  return status === null ? { obis, value, unit: house.unit } : { obis, value, unit: house.unit, status };
}

function dataOf(node: Node | null, bytes: Uint8Array): Value {
  if (node?.kind === 'boolean') return { value: node.value ? 1 : 0 };
  if (node?.kind === 'octets') return texts.of(bytes, node.from, node.to);
  // SML 1.04 allows a time as value: a choice of one.
  if (node?.kind === 'list' && node.items.length === 2) return timeOf(node.items[1]) ?? MISSING;
  return MISSING;
}

const MISSING: Value = { value: null, quality: 'missing' };
const TOO_LARGE: Value = { value: null, quality: 'invalid', reason: 'the scaler is beyond any quantity' };

/** Text or octets. */
const texts = new Known((bytes, from, to): Value => {
  const octets = bytes.subarray(from, to);
  const printable = octets.length > 0 && octets.every((byte) => byte >= 0x20 && byte < 0x7f);
  return printable ? { text: ascii(octets) } : { octets: toHex(octets) };
});

/** Some meters tag an unsigned power of up to three bytes as signed: the sign is taken back in the width that was sent. */
function unsigned(
  value: number | bigint,
  size: number,
  obis: string,
  id: Uint8Array | null,
  quirks: SmlQuirks,
): number | bigint {
  if (typeof value !== 'number' || value >= 0 || size > 3) return value;
  return sendsUnsignedPower(id, obis, quirks) ? value + 256 ** size : value;
}

/**
 * Unix time and local time as RFC 3339; the seconds index counts from anywhere and is a plain number of seconds,
 * also without list and choice as the Holley DTZ541 sends it. Null when it is no time.
 */
function timeOf(node: Node | null | undefined): Value | null {
  if (node?.kind === 'integer') return { value: Number(node.value), unit: 's' };
  if (node?.kind !== 'list' || node.items.length !== 2) return null;
  const choice = numberOf(node.items[0]);
  const content = node.items[1];
  if (choice === 1) return content?.kind === 'integer' ? timeOf(content) : null;
  if (choice === 2) return stamp(numberOf(content), 0);
  if (choice !== 3 || content?.kind !== 'list') return null;
  const [at, offset, season] = content.items.map(numberOf);
  return stamp(at ?? null, (offset ?? 0) + (season ?? 0));
}

/** Seconds since 1970 UTC with the offset of the meter in minutes. Null when no clock can show it. */
function stamp(unix_s: number | null, offset_min: number): Value | null {
  if (unix_s === null || unix_s < 0 || unix_s > 0xffffffff || Math.abs(offset_min) > 24 * 60) return null;
  const local = new Date((unix_s + offset_min * 60) * 1000).toISOString().slice(0, 19);
  if (offset_min === 0) return { time: `${local}Z` };
  const size = Math.abs(offset_min);
  const two = (n: number): string => String(n).padStart(2, '0');
  return { time: `${local}${offset_min < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}` };
}

/** DIN 43863-5: `0A 01` or `09 01`, before that `06`, and three letters of the manufacturer. */
const identities = new Known((bytes, start, end): MeterIdentity => {
  const id = toHex(bytes.subarray(start, end));
  const from = /^0[9a]01/.test(id) ? 2 : bytes[start] === 0x06 ? 1 : null;
  const letters = from === null || end - start !== 10 ? '' : ascii(bytes, start + from, start + from + 3);
  return { id, ...(/^[A-Z]{3}$/.test(letters) && { manufacturer: letters }) };
});

/** The device id or server id among the next values, for meters that leave it out of the list head. Steps over none. */
function idAmong(reader: TlvReader, count: number): Uint8Array | null {
  const { at, bytes } = reader;
  const entries = Array.from({ length: count }, () => reader.next());
  reader.at = at;
  for (const entry of entries) {
    if (entry?.kind !== 'list') continue;
    const name = octetsOf(entry.items[0], bytes);
    if (name && /^0100(600100|000009)ff$/.test(toHex(name))) return octetsOf(entry.items[5], bytes);
  }
  return null;
}

const octetsOf = (node: Node | null | undefined, bytes: Uint8Array): Uint8Array | null =>
  node?.kind === 'octets' && node.to > node.from ? bytes.subarray(node.from, node.to) : null;

const numberOf = (node: Node | undefined): number | null =>
  node?.kind === 'integer' ? Number(node.value) : null;
