/**
 * A product profile: what the standard view of a telegram cannot say of a product. One file a product family, data
 * as far as data can say it; README.md beside this file shows how to add one.
 */
import { ok, type Result } from '../../../domain/errors.ts';
import type { Reading } from '../../../domain/telegram.ts';
import { hexOf } from '../../bytes.ts';
import type { ParsedRecord } from '../../mbus-parser/index.ts';
import { datedHistory, type History } from '../history.ts';
import { type Address, bcdText } from '../identity.ts';
import { type Coding, unsigned } from './codings.ts';

/** What a telegram offers to a profile. By cable the sender is the meter. */
export interface Product {
  readonly sender: Address;
  readonly meter: Address;
  readonly ci: number;
  readonly accessNumber: number | null;
  /** In clear, unless the maker has a cipher of its own. */
  readonly payload: Uint8Array;
  /** None where the payload is the maker's own. */
  readonly records: readonly ParsedRecord[];
  readonly key: Uint8Array | null;
}

/** Of which quantity, in which house unit: value = raw × times / per. */
export interface Measure {
  readonly quantity: string;
  readonly unit?: string;
  readonly times?: number;
  readonly per?: number;
}

/** Bytes of a block. */
export interface ByteField extends Measure {
  readonly name: string;
  /** From the start of the block; without it right after the field before. */
  readonly at?: number;
  readonly bytes: number;
  /** Unsigned little-endian where nothing is said. */
  readonly as?: Coding;
  /** The raw number that means "no value": null with quality `missing`. */
  readonly none?: number;
  /** The field is there when these bits of the first byte of the block are set. */
  readonly present?: number;
}

/** One data record, by its DIB and VIB in hexadecimal: where the VIF is the maker's or does not say the truth. */
export interface RecordField extends Measure {
  readonly name: string;
  readonly record: string;
  /** Bits that count. */
  readonly mask?: number;
}

/** The sum of other fields, in their unit; none when one of them is missing. */
export interface SumField {
  readonly name: string;
  readonly sum: readonly string[];
}

/** A telegram made for this house (never one of a real home) and what must come out of it. */
export interface Example {
  readonly telegram: string;
  readonly key?: string;
  /** Name of a reading, or quantity of a record where the profile names none; value, date or time. */
  readonly readings: readonly (readonly [name: string, value: number | string | null])[];
}

export interface Profile {
  readonly name: string;
  /** `MANUFACTURER/version/medium` in hexadecimal, `*` for any. CI A0h…B7h: of the sender, else of the meter. */
  readonly products: readonly string[];
  /** CI fields; any where nothing is said. */
  readonly ci?: readonly number[];
  /** The bytes that byte fields count in: the payload where nothing is said. */
  readonly block?: (product: Product) => Result<Uint8Array> | Uint8Array | null;
  /** Applies only if the block starts so (hexadecimal). */
  readonly starts?: string;
  readonly bytes?: readonly ByteField[];
  readonly records?: readonly RecordField[];
  readonly sums?: readonly SumField[];
  readonly history?: History;
  /** What data cannot say. `readings` are those of the data. Never throws. */
  readonly more?: (product: Product, block: Uint8Array, readings: readonly Reading[]) => readonly Reading[];
  /** Layouts (DIBs and VIBs one after the other) that compact frames refer to before a full frame has come. */
  readonly formats?: readonly string[];
  readonly examples: readonly Example[];
}

const NOTHING: readonly Reading[] = [];

/** Named readings; none when the telegram is not what the profile expects. */
export function applyProfile(profile: Profile, product: Product): Result<readonly Reading[]> {
  const block = blockOf(profile, product);
  if (!block.ok) return block;
  const bytes = block.value;
  if (bytes === null || !startsWith(bytes, profile.starts)) return ok(NOTHING);
  const readings = [...byteReadings(profile.bytes ?? [], bytes), ...recordReadings(profile, product)];
  readings.push(...(profile.sums ?? []).flatMap((field) => sumOf(field, readings)));
  if (profile.history) readings.push(...datedHistory(product.records, profile.history));
  if (profile.more) readings.push(...profile.more(product, bytes, readings));
  return ok(readings);
}

function blockOf({ block }: Profile, product: Product): Result<Uint8Array | null> {
  const found = block ? block(product) : product.payload;
  return found === null || found instanceof Uint8Array ? ok(found) : found;
}

const startsWith = (bytes: Uint8Array, hex: string | undefined): boolean =>
  hex === undefined || hexOf(bytes, 0, Math.min(bytes.length, hex.length / 2)) === hex.toUpperCase();

/** A field of a block and where it stands in it. */
export interface PlacedField {
  readonly field: ByteField;
  readonly at: number;
}

function placed(fields: readonly ByteField[], block: Uint8Array): PlacedField[] {
  const found: PlacedField[] = [];
  let next = 0;
  for (const field of fields) {
    if (field.present !== undefined && ((block[0] ?? 0) & field.present) === 0) continue;
    const at = field.at ?? next;
    next = at + field.bytes;
    if (next <= block.length) found.push({ field, at });
  }
  return found;
}

function byteReadings(fields: readonly ByteField[], block: Uint8Array): Reading[] {
  return placed(fields, block).flatMap((place) => readField(place, block));
}

/** One reading; none of a field without a name, and of a date that is none. */
export function readField({ field, at }: PlacedField, block: Uint8Array): Reading[] {
  if (field.name === '') return [];
  const raw = (field.as ?? unsigned)(block, at, field.bytes);
  return shown(field, raw === field.none ? null : raw);
}

/** The block of a product and its fields in the order of their bytes, for an explanation; null where there is none. */
export function fieldsOf(
  profile: Profile,
  product: Product,
): { readonly block: Uint8Array; readonly fields: readonly PlacedField[] } | null {
  const block = blockOf(profile, product);
  if (!block.ok || block.value === null || !startsWith(block.value, profile.starts)) return null;
  const fields = placed(profile.bytes ?? [], block.value).sort((a, b) => a.at - b.at);
  return fields.length === 0 ? null : { block: block.value, fields };
}

/** A date that is none is left out; a number that is none is null. */
export function shown(field: Measure & { readonly name: string }, raw: number | string | null): Reading[] {
  const { name, quantity, unit, times = 1, per = 1 } = field;
  if (typeof raw === 'string') return [{ name, quantity, time: raw }];
  if (raw === null && unit === undefined && /date/i.test(quantity)) return [];
  const units = unit === undefined ? {} : { unit };
  if (raw === null) return [{ name, quantity, value: null, ...units, quality: 'missing' }];
  return [{ name, quantity, value: (raw * times) / per, ...units }];
}

function recordReadings({ records: fields = [] }: Profile, { records, payload }: Product): Reading[] {
  if (fields.length === 0) return [];
  const byHeader = new Map<string, ParsedRecord>();
  for (const record of records) {
    const header = hexOf(payload, record.start, record.headerEnd);
    if (!byHeader.has(header)) byHeader.set(header, record);
  }
  return fields.flatMap((field) => {
    const record = byHeader.get(field.record);
    const raw = record && rawOf(record, payload);
    return raw === undefined || raw === null ? [] : shown(field, masked(raw, field.mask));
  });
}

const masked = (raw: number, mask: number | undefined): number => (mask === undefined ? raw : raw & mask);

/** The number before its VIF scales it; null where there is none. */
export function rawOf(record: ParsedRecord, payload: Uint8Array): number | null {
  const data = payload.subarray(record.dataStart, record.dataStart + record.dataLength);
  const field = (payload[record.start] ?? 0) & 15;
  if (field === 5)
    return data.length < 4 ? null : new DataView(data.buffer, data.byteOffset).getFloat32(0, true);
  if (field >= 9 && field <= 14) {
    const text = bcdText(data);
    return /^\d+$/.test(text) ? Number(text) : null;
  }
  if (field === 0 || field > 7) return null;
  const value = unsigned(data, 0, Math.min(data.length, 6));
  return value !== null && value >= 256 ** data.length / 2 ? value - 256 ** data.length : value;
}

function sumOf({ name, sum }: SumField, readings: readonly Reading[]): Reading[] {
  const parts = sum.map((part) => readings.find((r) => r.name === part));
  const [first] = parts;
  if (!first || parts.some((part) => typeof part?.value !== 'number')) return [];
  const value = parts.reduce((total, part) => total + (part?.value ?? 0), 0);
  return [{ ...first, name, value }];
}
