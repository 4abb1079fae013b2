/** Each byte of a wired frame, and of the headers and records that cable and radio share. */
import { ByteWalk, type Explain, type ExplainedBytes, type ExplainedSection } from '../explain.ts';
import { MODIFIER, type ParsedRecord, parse } from '../mbus-parser/index.ts';
import { bcdText, manufacturerCode, mediumName } from './identity.ts';
import { NOBODY, RESPONSE_FORMS } from './kind.ts';
import { readLink } from './link.ts';
import { dataRecord, stopFault } from './records.ts';
import { statusText } from './status.ts';
import { EXTENDED_MODES, type HeaderForm, open, readHeader } from './transport.ts';

const DATA_FIELDS = [
  'no data',
  '8-bit integer',
  '16-bit integer',
  '24-bit integer',
  '32-bit integer',
  '32-bit real',
  '48-bit integer',
  '64-bit integer',
  'selection for readout',
  '2-digit BCD',
  '4-digit BCD',
  '6-digit BCD',
  '8-digit BCD',
  'variable length',
  '12-digit BCD',
  'special function',
];
const FUNCTIONS: Readonly<Record<string, string>> = {
  inst: 'present value',
  max: 'maximum',
  min: 'minimum',
  error: 'value during an error',
  mfct: "the maker's own data follow",
  more: "the maker's own data; more telegrams follow",
};
const MODIFIERS: readonly (readonly [bit: number, text: string])[] = [
  [MODIFIER.backward, 'backward'],
  [MODIFIER.forward, 'forward'],
  [MODIFIER.compactProfile, 'compact profile'],
  [MODIFIER.compactRegister, 'compact profile with registers'],
  [MODIFIER.inverseProfile, 'inverse compact profile'],
  [MODIFIER.manufacturer, "the maker's own meaning"],
  [MODIFIER.future, 'of a future date'],
  [MODIFIER.average, 'mean'],
  [MODIFIER.uncorrected, 'uncorrected'],
  [MODIFIER.unsigned, 'unsigned'],
];
const IDLE = 0x2f;

export const hexByte = (byte: number): string => `${byte.toString(16).padStart(2, '0').toUpperCase()}h`;

/** The records of a payload in clear, idle fillers between them, and what is left where they stop. */
export function explainRecords(payload: Uint8Array): ExplainedBytes[] {
  const parsed = parse(payload);
  const walk = new ByteWalk(payload);
  for (const [i, record] of parsed.records.entries()) {
    idle(walk, record.start);
    explainRecord(walk, record, i, payload);
  }
  idle(walk, payload.length);
  walk.rest(stopFault(parsed)?.message ?? 'not a record');
  return walk.rows;
}

function idle(walk: ByteWalk, until: number): void {
  let count = 0;
  while (walk.at + count < until && walk.peek(count) === IDLE) count += 1;
  walk.take(count, count === 1 ? 'idle filler' : 'idle fillers');
}

function explainRecord(walk: ByteWalk, record: ParsedRecord, i: number, payload: Uint8Array): void {
  const field = (payload[record.start] ?? 0) & 15;
  const own = record.function === 'mfct' || record.function === 'more';
  walk.take(
    record.vibStart - walk.at,
    `record ${i}, DIF: ${own ? FUNCTIONS[record.function] : dib(record, field)}`,
  );
  walk.take(record.headerEnd - walk.at, `VIF: ${vib(record)}`);
  walk.take(record.dataStart - walk.at, 'length');
  walk.take(record.dataLength, `= ${shownValue(record, i, payload)}`);
}

function dib({ function: kind, storage, tariff, subunit }: ParsedRecord, field: number): string {
  const parts = [DATA_FIELDS[field] ?? '', FUNCTIONS[kind] ?? kind];
  if (storage > 0) parts.push(`storage ${storage}`);
  if (tariff > 0) parts.push(`tariff ${tariff}`);
  if (subunit > 0) parts.push(`sub-unit ${subunit}`);
  return parts.join(', ');
}

function vib({ quantity, unit, exponent, modifiers, phase, name }: ParsedRecord): string {
  const scale = exponent === 0 || unit === '' ? unit : `10^${exponent} ${unit}`;
  const parts = [name === '' ? quantity : `"${name}"`, scale];
  if (phase > 0) parts.push(phase < 8 ? `phase ${phase}` : `quadrant ${phase - 7}`);
  parts.push(...MODIFIERS.filter(([bit]) => modifiers & bit).map(([, text]) => text));
  return parts.filter((part) => part !== '').join(', ');
}

function shownValue(record: ParsedRecord, i: number, payload: Uint8Array): string {
  const { value, unit, text, time, hex, quality } = dataRecord(record, i, payload);
  const shown = time ?? text ?? hex ?? (value === null ? 'no value' : `${value} ${unit ?? ''}`.trim());
  return quality === undefined ? shown : `${shown} (${quality})`;
}

/** The transport header of a form. */
export function explainHeader(walk: ByteWalk, form: HeaderForm): void {
  if (form === 'long') {
    walk.take(4, (b) => `identification ${bcdText(b)}`);
    walk.take(2, (b) => `manufacturer ${manufacturerCode((b[0] ?? 0) | ((b[1] ?? 0) << 8))}`);
    walk.take(1, ([v = 0]) => `version ${v}`);
    walk.take(1, ([m = 0]) => `medium: ${mediumName(m)}`);
  }
  if (form === 'none') return;
  walk.take(1, ([n = 0]) => `access number ${n}`);
  walk.take(1, ([s = 0]) => `status: ${statusText(s) || 'all is well'}`);
  const [, high = 0] = walk.take(2, ([l = 0, h = 0]) => configuration(l, h));
  if (EXTENDED_MODES.has(high & 31)) walk.take(1, 'configuration extension: how the key is derived');
}

function configuration(low: number, high: number): string {
  const mode = high & 31;
  if (mode === 0) return 'configuration word: not encrypted';
  return `configuration word: security mode ${mode}, ${low >> 4} blocks encrypted`;
}

function ciText(ci: number): string {
  const form = RESPONSE_FORMS.get(ci);
  return form ? `CI: data, ${form === 'none' ? 'no' : form} header` : `CI: ${hexByte(ci)}`;
}

/** Every frame of the input; what is none is named so. */
export const explainMbus: Explain = ({ bytes, key }) => {
  const walk = new ByteWalk(bytes);
  const sections: ExplainedSection[] = [{ title: 'as received', rows: walk.rows }];
  while (walk.left > 0) {
    const link = readLink(bytes, walk.at);
    if (!link.ok) {
      walk.take(link.length || 1, link.error.message);
    } else if (link.frame.kind !== 'long') {
      walk.take(link.length, link.frame.kind === 'ack' ? 'acknowledgement' : 'short frame');
    } else {
      const clear = longFrame(walk, link.length, key ?? null);
      if (clear) sections.push({ title: 'payload in clear', rows: explainRecords(clear) });
    }
  }
  return sections;
};

/** The clear payload where it had to be opened. */
function longFrame(walk: ByteWalk, length: number, key: Uint8Array | null): Uint8Array | null {
  const end = walk.at + length - 2;
  walk.take(1, 'start of a long frame');
  walk.take(2, ([l = 0]) => `length, twice: ${l} bytes from C on`);
  walk.take(1, 'start again');
  walk.take(1, ([c = 0]) => `C field: ${c & 0x40 ? 'from the master' : 'answer of the meter'}`);
  walk.take(1, ([a = 0]) => `primary address ${a}`);
  const [ci = 0] = walk.take(1, ([c = 0]) => ciText(c));
  const form = RESPONSE_FORMS.get(ci);
  const layer = walk.ahead().subarray(0, end - walk.at);
  const clear = form ? explainLayer(walk, layer, form, key) : null;
  walk.take(end - walk.at, 'not explained');
  walk.take(1, 'checksum, right');
  walk.take(1, 'end');
  return clear;
}

function explainLayer(
  walk: ByteWalk,
  layer: Uint8Array,
  form: HeaderForm,
  key: Uint8Array | null,
): Uint8Array | null {
  const header = readHeader(form, layer);
  if (!header.ok) return null;
  explainHeader(walk, form);
  const payload = layer.subarray(header.value.length);
  const address = header.value.address ?? NOBODY;
  const opened = open({ address, header: header.value, payload, layer, authentication: null, key });
  if (opened.ok && !opened.value.secured) {
    for (const row of explainRecords(payload)) walk.take(row.bytes.length, row.means);
    return null;
  }
  walk.take(payload.length, opened.ok ? 'encrypted payload' : opened.error.message);
  return opened.ok ? opened.value.payload : null;
}
