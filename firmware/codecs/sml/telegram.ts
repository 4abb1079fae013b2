/** From an SML frame to readings: the list response (SML 1.04, clause 5.5.3) with value = integer × 10^scaler. */
import { fault, ok, type Result } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { MeterIdentity, Reading, Telegram, Value } from '../../domain/telegram.ts';
import { ascii, toHex } from '../bytes.ts';
import { shifted } from '../decimal.ts';
import { unitOf } from '../unit-code.ts';
import type { SmlFrame } from './decoder.ts';
import { GET_LIST_RESPONSE, readMessages } from './message.ts';
import { type SmlQuirks, sendsUnsignedPower } from './quirks.ts';
import type { Node, SmlInteger } from './tlv.ts';

const NO_QUIRKS: SmlQuirks = {};

/** Readings of all list responses in the telegram; a refusal when none of them passes its checksum. */
export function readSml({ payload }: SmlFrame, quirks: SmlQuirks = NO_QUIRKS): Result<Telegram> {
  const { messages, faults } = readMessages(payload);
  const readings: Reading[] = [];
  let meter: MeterIdentity | undefined;
  let time: string | undefined;
  for (const { tag, body } of messages) {
    if (tag !== GET_LIST_RESPONSE || body.kind !== 'list' || body.items.length !== 7) continue;
    const [, serverId, , actSensorTime, valList] = body.items;
    if (valList?.kind !== 'list') continue;
    const id = octetsOf(serverId, payload) ?? idAmong(valList.items, payload);
    if (id) meter ??= identity(id);
    time ??= timeOf(actSensorTime)?.time;
    for (const entry of valList.items) {
      const reading = readingOf(entry, payload, id, quirks);
      if (reading) readings.push(reading);
    }
  }
  if (readings.length === 0)
    return { ok: false, error: faults[0] ?? fault('NO_TELEGRAM', 'the telegram holds no list of values') };
  return ok({ ...(meter && { meter }), ...(time !== undefined && { time }), readings });
}

/** Null for an entry without a code of six bytes. */
function readingOf(entry: Node, bytes: Uint8Array, id: Uint8Array | null, quirks: SmlQuirks): Reading | null {
  if (entry.kind !== 'list' || entry.items.length !== 7) return null;
  const [objName, status, , unit, scaler, value] = entry.items;
  if (objName?.kind !== 'octets' || objName.to - objName.from !== 6) return null;
  const obis = codeOf(bytes, objName.from);
  const given = unsigned(value, obis, id, quirks);
  const word = numberOf(status);
  if (given?.kind === 'integer') return measured(obis, given, numberOf(unit), numberOf(scaler) ?? 0, word);
  return { obis, ...dataOf(given, bytes), ...(word !== null && { status: word }) };
}

/** The codes of meters are few and come in every telegram: each is written once. */
const codes = new Map<number, string>();

function codeOf(bytes: Uint8Array, at: number): string {
  let key = 0;
  for (let i = at; i < at + 6; i++) key = key * 256 + (bytes[i] ?? 0);
  const known = codes.get(key);
  if (known !== undefined) return known;
  const [a, b, c, d, e, f] = bytes.subarray(at, at + 6);
  const code = `${a}-${b}:${c}.${d}.${e}*${f}`;
  if (codes.size < LIMITS.codesKept) codes.set(key, code);
  return code;
}

/**
 * The scaler moves the point in the digits: nothing is rounded before the one conversion to a number. Written out as
 * whole objects, because almost all readings of a meter are made here.
 */
function measured(
  obis: string,
  integer: SmlInteger,
  code: number | null,
  scaler: number,
  status: number | null,
): Reading {
  const house = unitOf(code);
  if (!house) {
    const value = shifted(integer.value, scaler);
    return status === null ? { obis, value } : { obis, value, status };
  }
  const value = shifted(integer.value, scaler + house.factor.exponent) * house.factor.multiply;
  return status === null ? { obis, value, unit: house.unit } : { obis, value, unit: house.unit, status };
}

function dataOf(node: Node | undefined, bytes: Uint8Array): Value {
  if (node?.kind === 'boolean') return { value: node.value ? 1 : 0 };
  if (node?.kind === 'octets') return textOf(bytes, node.from, node.to);
  // SML 1.04 allows a time as value: a choice of one.
  if (node?.kind === 'list' && node.items.length === 2) return timeOf(node.items[1]) ?? MISSING;
  return MISSING;
}

const MISSING: Value = { value: null, quality: 'missing' };

function textOf(bytes: Uint8Array, from: number, to: number): Value {
  let printable = to > from;
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x20 || byte >= 0x7f) printable = false;
  }
  return printable ? { text: ascii(bytes, from, to) } : { octets: toHex(bytes.subarray(from, to)) };
}

/** Some meters tag an unsigned power as signed: the sign is taken back in the width that was sent. */
function unsigned(
  node: Node | undefined,
  obis: string,
  id: Uint8Array | null,
  quirks: SmlQuirks,
): Node | undefined {
  if (node?.kind !== 'integer' || !node.signed || node.bits > 24) return node;
  if (!sendsUnsignedPower(id, obis, quirks)) return node;
  return { ...node, value: Number(BigInt.asUintN(node.bits, BigInt(node.value))) };
}

/**
 * Unix time and local time as RFC 3339; the seconds index counts from anywhere and is a plain number of seconds,
 * also without list and choice as the Holley DTZ541 sends it. Null when it is no time.
 */
function timeOf(node: Node | undefined): Value | null {
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
function identity(bytes: Uint8Array): MeterIdentity {
  const id = toHex(bytes);
  const from = /^0[9a]01/.test(id) ? 2 : bytes[0] === 0x06 ? 1 : null;
  const letters = from === null || bytes.length !== 10 ? '' : ascii(bytes, from, from + 3);
  return { id, ...(/^[A-Z]{3}$/.test(letters) && { manufacturer: letters }) };
}

/** The device id or server id among the values, for meters that leave it out of the list head. */
function idAmong(entries: readonly Node[], bytes: Uint8Array): Uint8Array | null {
  for (const entry of entries) {
    if (entry.kind !== 'list') continue;
    const name = octetsOf(entry.items[0], bytes);
    if (name && /^0100(600100|000009)ff$/.test(toHex(name))) return octetsOf(entry.items[5], bytes);
  }
  return null;
}

const octetsOf = (node: Node | undefined, bytes: Uint8Array): Uint8Array | null =>
  node?.kind === 'octets' && node.to > node.from ? bytes.subarray(node.from, node.to) : null;

const numberOf = (node: Node | undefined): number | null =>
  node?.kind === 'integer' ? Number(node.value) : null;
