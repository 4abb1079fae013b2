/**
 * From the body of a notification to readings. Three forms are known: a list of objects and then their values
 * (Landis+Gyr, Iskraemeco); codes that stand before their values, nested or flat, with or without scaler and unit
 * (Aidon, Kamstrup, Kaifa, Sagemcom); values alone, known by their places (Kaifa, Wiener Netze).
 */
import type { Reading, Value } from '../../domain/telegram.ts';
import { ascii, toHex } from '../bytes.ts';
import { shifted } from '../decimal.ts';
import { Known } from '../known.ts';
import { unitOf } from '../unit-code.ts';
import type { Data, Integer } from './axdr.ts';
import { readDate, readDateTime, timeValue } from './date-time.ts';
import {
  POSITIONAL_LISTS,
  type ScaledKind,
  SENDERS,
  type Sender,
  type SenderProfile,
  UNKNOWN_SENDER,
} from './lists.ts';

/** A value and what came with it; `code` is `A-B:C.D.E*F`, empty for one that stands alone. */
export interface Item {
  readonly code: string;
  readonly data: Data;
  readonly scaling: Scaling | null;
}

export interface Scaling {
  readonly scaler: number;
  readonly unit: number;
}

/** Values of one push, in its order. */
export function itemsOf(body: Data): Item[] {
  const items: Item[] = [];
  const list = body.kind === 'structure' || body.kind === 'array' ? body.items : [body];
  if (objectList(list, items)) return items;
  walk(list, items);
  if (items.every((item) => item.code === '')) return positional(list) ?? items;
  return items;
}

/** The scaler_unit attribute: a structure of an int8 and an enum. Null when it is none. */
export function scalingOf(data: Data | undefined): Scaling | null {
  if (data?.kind !== 'structure' || data.items.length !== 2) return null;
  const [scaler, unit] = data.items;
  if (scaler?.kind !== 'integer' || typeof scaler.value !== 'number' || unit?.kind !== 'enum') return null;
  return Math.abs(scaler.value) > 30 ? null : { scaler: scaler.value, unit: unit.value };
}

/** Class, logical name, attribute and index of a push object list; then the values in its order. */
function objectList(list: readonly Data[], items: Item[]): boolean {
  const head = list[0];
  if (head?.kind !== 'array' || head.items.length === 0) return false;
  const objects = head.items.map(objectOf);
  // The list itself may be the value of its first object.
  const values = head.items.length === list.length ? list : list.slice(1);
  if (objects.includes(null) || values.length !== objects.length) return false;
  for (const [i, object] of objects.entries()) {
    const data = values[i];
    if (!object || !data || data === head || object.attribute === 1) continue;
    const scaling = objects.findIndex((o) => o?.attribute === 3 && o.code === object.code);
    if (object.attribute === 3 && scalingOf(data)) continue;
    items.push({ code: object.code, data, scaling: scaling < 0 ? null : scalingOf(values[scaling]) });
  }
  return true;
}

function objectOf(data: Data): { readonly code: string; readonly attribute: number } | null {
  if (data.kind !== 'structure' || data.items.length < 3) return null;
  const [classId, name, attribute] = data.items;
  if (classId?.kind !== 'integer' || attribute?.kind !== 'integer') return null;
  const code = codeOf(name);
  return code === null ? null : { code, attribute: Number(attribute.value) };
}

/** A code, its value, and the scaling where it follows. */
function walk(list: readonly Data[], items: Item[]): void {
  for (let i = 0; i < list.length; i++) {
    const data = list[i];
    const code = codeOf(data);
    const value = code === null ? undefined : list[i + 1];
    if (code !== null && value) {
      const scaling = scalingOf(list[i + 2]);
      items.push({ code, data: value, scaling });
      i += scaling ? 2 : 1;
    } else if (data?.kind === 'array' || data?.kind === 'structure') walk(data.items, items);
    else if (data && data.kind !== 'null') items.push({ code: '', data, scaling: null });
  }
}

/** Logical names begin with the medium, at most 15, so that no text of six characters is taken for one. */
function codeOf(data: Data | undefined): string | null {
  if (data?.kind !== 'octets' || data.bytes.length !== 6) return null;
  const { bytes } = data;
  return (bytes[0] ?? 255) > 15 ? null : codes.of(bytes, 0, bytes.length);
}

/** The codes of meters are few and come in every push. */
const codes = new Known((bytes, from, to) => {
  const [a, b, c, d, e, f] = bytes.subarray(from, to);
  return `${a}-${b}:${c}.${d}.${e}*${f}`;
});

function positional(list: readonly Data[]): Item[] | null {
  const shape = list.map(letterOf).join('');
  const row = POSITIONAL_LISTS.find((r) => r.shape === shape);
  if (!row) return null;
  return list.map((data, i) => {
    const code = row.codes[i] ?? '';
    return { code: code && `${code}*255`, data, scaling: null };
  });
}

function letterOf(data: Data): string {
  if (data.kind === 'octets') return readDateTime(data.bytes) ? 'd' : 'o';
  if (data.kind === 'integer' || data.kind === 'float' || data.kind === 'enum') return 'n';
  if (data.kind === 'dateTime') return 'd';
  if (data.kind === 'text' || data.kind === 'date' || data.kind === 'time') return 'o';
  return data.kind === 'null' ? '-' : '?';
}

/** Who sent these items, as far as they say it. */
export function senderOf(items: readonly Item[], systemTitle: Uint8Array | null): Sender {
  const texts: string[] = [];
  let name = '';
  for (const { code, data } of items) {
    const text = textOf(data);
    if (text === null) continue;
    texts.push(text);
    if (code === '0-0:42.0.0*255') name = text;
  }
  const letters = [systemTitle ? ascii(systemTitle, 0, 3) : '', name.slice(0, 3)];
  const has = (wanted: string): boolean => items.some(({ code }) => code === wanted);
  return { texts, has, manufacturer: letters.find((l) => /^[A-Z]{3}$/.test(l)) ?? '' };
}

export const profileOf = (sender: Sender): SenderProfile =>
  SENDERS.find((row) => row.is(sender)) ?? UNKNOWN_SENDER;

/** A reading under its code; what stands alone is shown by its name or by its place. */
export function readingOf({ code, data, scaling }: Item, place: number, profile: SenderProfile): Reading {
  if (data.kind === 'array' || data.kind === 'structure') {
    const values = flat(data).map(other);
    return code === '' ? { name: `item ${place + 1}`, values } : { obis: code, values };
  }
  const numeric = data.kind === 'integer' || (data.kind === 'float' && Number.isFinite(data.value));
  if (numeric && scaling && code !== '') {
    const { value, unit } = scaled(data.value, scaling.scaler, unitOf(scaling.unit));
    if (value === null) return { obis: code, ...NOT_FINITE };
    return unit === undefined ? { obis: code, value } : { obis: code, value, unit };
  }
  const value = numeric ? number(code, data.value, scaling, profile) : other(data);
  if (code !== '') return { obis: code, ...value };
  const { text } = value;
  if (text === undefined) return { name: `item ${place + 1}`, ...value };
  return { name: /^[A-Za-z]+_V?\d/.test(text) ? 'listVersion' : 'identification', text };
}

/** Simple values of a nested one, in order. */
function flat(data: Data): Data[] {
  return data.kind === 'array' || data.kind === 'structure' ? data.items.flatMap(flat) : [data];
}

function number(code: string, raw: Integer | number, scaling: Scaling | null, profile: SenderProfile): Value {
  if (scaling) return scaled(raw, scaling.scaler, unitOf(scaling.unit));
  const at = code.indexOf(':') + 1;
  const dot = code.indexOf('.', at);
  const c = Number(code.slice(at, dot));
  const bare = bareUnit(c, Number(code.slice(dot + 1, code.indexOf('.', dot + 1))));
  if (!bare) return { value: Number(raw) };
  // A power factor is at most one: sent without scaler it is in thousandths.
  if (bare.kind === null) return scaled(raw, Math.abs(Number(raw)) > 1 ? -3 : 0, undefined);
  const known = profile.exponents[bare.kind];
  if (known === null) return { value: Number(raw) };
  // Volts come whole or in tenths (L+G E450, E360): no house has more than a thousand.
  const exponent = bare.kind === 'voltage' && known === 0 && Number(raw) > 1000 ? -1 : known;
  const value = scaled(raw, exponent, { unit: bare.unit, factor: { multiply: 1, exponent: 0 } });
  const absent = raw === 0 && profile.notMeasured?.includes(c);
  return absent ? { ...value, quality: 'missing' } : value;
}

const ENERGY_UNITS = ['Wh', 'Wh', 'varh', 'varh', 'varh', 'varh', 'varh', 'varh', 'VAh', 'VAh'];
const POWER_UNITS = ['W', 'W', 'var', 'var', 'var', 'var', 'var', 'var', 'VA', 'VA', 'A', 'V'];

/** The unit of C.D where the push gives none; kind null for the power factor. */
function bareUnit(c: number, d: number): { readonly kind: ScaledKind | null; readonly unit: string } | null {
  const quantity = c === 0 ? 0 : c > 20 && c < 80 ? c % 20 : c;
  if (d === 8) {
    const unit = quantity === 15 || quantity === 16 ? 'Wh' : ENERGY_UNITS[quantity - 1];
    return unit === undefined ? null : { kind: 'energy', unit };
  }
  if (d !== 7) return null;
  if (quantity === 13) return { kind: null, unit: '' };
  if (quantity === 15 || quantity === 16) return { kind: 'power', unit: 'W' };
  const unit = POWER_UNITS[quantity - 1];
  if (unit === undefined) return null;
  return { kind: unit === 'A' ? 'current' : unit === 'V' ? 'voltage' : 'power', unit };
}

/**
 * The scaler moves the point in the digits: nothing is rounded before the one conversion to a number. Null for a
 * floating-point number that it makes infinite.
 */
export function scaled(
  raw: Integer | number,
  scaler: number,
  house: ReturnType<typeof unitOf>,
): Pick<Value, 'value' | 'unit' | 'quality'> & { readonly value: number | null } {
  const { multiply, exponent } = house?.factor ?? { multiply: 1, exponent: 0 };
  const shift = scaler + exponent;
  const exact = shift === 0 ? Number(raw) : isWhole(raw) ? shifted(raw, shift) : Number(raw) * 10 ** shift;
  const value = multiply === 1 ? exact : exact * multiply;
  if (!Number.isFinite(value)) return NOT_FINITE;
  return house ? { value, unit: house.unit } : { value };
}

const isWhole = (raw: Integer | number): boolean => typeof raw === 'bigint' || Number.isSafeInteger(raw);

const NOT_FINITE: Value & { readonly value: null } = {
  value: null,
  quality: 'invalid',
  reason: 'the floating-point number is infinite or none',
};

/** Everything that is no number to be scaled. */
export function other(data: Data): Value {
  switch (data.kind) {
    case 'null':
      return { value: null, quality: 'missing' };
    case 'boolean':
      return { value: data.value ? 1 : 0 };
    case 'float':
      return Number.isFinite(data.value) ? { value: data.value } : NOT_FINITE;
    case 'enum':
    case 'integer':
      return { value: Number(data.value) };
    case 'text':
      return { text: data.text };
    case 'octets':
      return octetsValue(data.bytes);
    case 'dateTime': {
      const time = readDateTime(data.bytes);
      return time ? timeValue(time) : { octets: toHex(data.bytes) };
    }
    case 'date': {
      const time = readDate(data.bytes);
      return time === null ? { octets: toHex(data.bytes) } : { time };
    }
    default:
      return 'bytes' in data ? { octets: toHex(data.bytes) } : { octets: '' };
  }
}

function octetsValue(bytes: Uint8Array): Value {
  const text = printable(bytes);
  if (text !== null) return { text };
  const time = readDateTime(bytes);
  return time ? timeValue(time) : { octets: toHex(bytes) };
}

/** The text of an octet string, null where it is none. Numbers and names of meters come in every push. */
const texts = new Known((bytes, from, to): string | null => {
  for (let i = from; i < to; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x20 || byte > 0x7e) return null;
  }
  return to > from ? ascii(bytes, from, to) : null;
});

function printable(bytes: Uint8Array): string | null {
  // A date-time begins with 07h: what changes with every push is not to be remembered.
  return (bytes[0] ?? 0) < 0x20 ? null : texts.of(bytes, 0, bytes.length);
}

export function textOf(data: Data | undefined): string | null {
  if (data?.kind === 'text') return data.text;
  return data?.kind === 'octets' ? printable(data.bytes) : null;
}
