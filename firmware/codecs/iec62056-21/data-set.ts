/**
 * The data lines of IEC 62056-21, 6.3.2, as P1 and mode D use them too: `id(value*unit)(value)…`. Captured meters
 * also send what the grammar does not foresee; each such form names the meter that forced it.
 */
import { type Fault, ok, type Result, refuse } from '../../domain/errors.ts';
import { toHouseUnit } from '../../domain/quantity.ts';
import type { Reading, Value } from '../../domain/telegram.ts';
import { measured } from '../decimal.ts';
import { stampTime } from './stamp.ts';

export interface DataSet {
  /** As transmitted; empty for brackets that belong to no code. */
  readonly id: string;
  /** The content of each pair of brackets, unit included. */
  readonly groups: string[];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: line noise is what it looks for
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;
const ID_CHARS = 32;

/**
 * Adds the data sets of one line; the reason why it cannot be read. Brackets without an id belong to the data set before
 * them (DSMR 3 gas, Kamstrup), which is not whole without them and goes when they cannot be read.
 */
export function addLine(line: string, sets: DataSet[]): Fault | null {
  if (line.trim() === '') return null;
  const read = readLine(line);
  const before = line.trimStart().startsWith('(') ? sets.at(-1) : undefined;
  if (!read.ok) {
    if (before) sets.pop();
    return read.error;
  }
  for (const set of read.value) {
    if (before && set.id === '') for (const group of set.groups) before.groups.push(group);
    else sets.push(set);
  }
  return null;
}

/**
 * The data sets of one line; brackets at its beginning have an empty id. A bracket that is never closed makes the line
 * invalid: no value is invented from its rest.
 */
export function readLine(line: string): Result<readonly DataSet[]> {
  if (CONTROL.test(line)) return refuse('BAD_FRAME', 'a data line holds a control character');
  const plain = plainLine(line);
  if (plain) return ok([plain]);
  const sets: DataSet[] = [];
  let at = 0;
  while (at < line.length) {
    const open = line.indexOf('(', at);
    if (open < 0) {
      // One UH50 ends a line in a stray backslash.
      if (/^[^A-Za-z0-9]{0,2}$/.test(line.slice(at).trim())) break;
      return refuse('BAD_VALUE', `no brackets after "${line.slice(at, at + 16)}"`);
    }
    const id = line.slice(at, open).trim();
    const close = closing(line, open);
    if (close < 0 || id.length > ID_CHARS)
      return refuse('BAD_VALUE', `a bad data set at "${id.slice(0, 16)}"`);
    const last = sets.at(-1);
    if (id === '' && last) last.groups.push(line.slice(open + 1, close));
    else sets.push({ id, groups: [line.slice(open + 1, close)] });
    at = close + 1;
  }
  return ok(sets);
}

/** `id(value)` and no more, as nearly every line is; null for anything else. */
function plainLine(line: string): DataSet | null {
  const open = line.indexOf('(');
  const close = line.length - 1;
  if (open <= 0 || open > ID_CHARS || line.indexOf(')') !== close || line.indexOf('(', open + 1) >= 0)
    return null;
  return { id: line.slice(0, open).trim(), groups: [line.slice(open + 1, close)] };
}

/** The bracket that closes the group: the first one, unless text holds balanced brackets of its own. */
function closing(line: string, open: number): number {
  const first = line.indexOf(')', open);
  const nested = line.indexOf('(', open + 1);
  if (nested < 0 || first < 0 || nested > first) return first;
  let depth = 0;
  for (let i = open; i < line.length; i++) {
    if (line[i] === '(') depth += 1;
    if (line[i] === ')' && --depth === 0) return i;
  }
  return -1;
}

/** The text of a bracket as a value; a unit with something that is no number is a fault. */
function readValue(text: string): Result<Value> {
  const time = stampTime(text);
  if (time !== undefined) return ok(time === null ? { value: null, quality: 'invalid' } : { time });
  const star = text.lastIndexOf('*');
  if (star >= 0) return withUnit(text.slice(0, star).trim(), text.slice(star + 1).trim());
  if (!text.includes(' ')) return ok({ text });
  // Iskra MT171 puts the unit behind a blank.
  const blank = /^([+-]?\d+(?:\.\d+)?) ([A-Za-z][A-Za-z0-9]{0,4})$/.exec(text);
  if (blank?.[1] && blank[2] && toHouseUnit(blank[2])) return withUnit(blank[1], blank[2]);
  return ok({ text });
}

function withUnit(digits: string, unit: string): Result<Value> {
  if (unit === '') return ok({ text: digits });
  const value = measured(digits, unit);
  if (!value) return refuse('BAD_VALUE', `"${digits.slice(0, 20)}" is no number`);
  return ok(value);
}

/** A data set as a reading. One value stands in the reading itself, several in its `values` too. */
export function readingOf(set: DataSet): Result<Reading> {
  const [only = ''] = set.groups;
  if (set.groups.length === 1 && !only.includes('&')) return single(set.id, only);
  const values: Value[] = [];
  for (const part of set.groups.flatMap(parts)) {
    const value = readValue(part);
    if (!value.ok)
      return { ok: false, error: { ...value.error, message: `${set.id}: ${value.error.message}` } };
    values.push(value.value);
  }
  const [first, second] = values;
  if (values.length === 1) return ok({ obis: set.id, ...first });
  // Time and number: an M-Bus reading of P1, a maximum with its time.
  if (values.length === 2 && first && second) {
    const [time, number] =
      first.time !== undefined || first.quality === 'invalid' ? [first, second] : [second, first];
    if (number.value != null && (time.time !== undefined || time.quality === 'invalid')) {
      return ok({ obis: set.id, ...(time.time === undefined ? {} : { time: time.time }), ...number, values });
    }
  }
  return ok({ obis: set.id, values });
}

function single(id: string, text: string): Result<Reading> {
  const value = readValue(text);
  if (!value.ok) return { ok: false, error: { ...value.error, message: `${id}: ${value.error.message}` } };
  const { value: number, unit, text: plain } = value.value;
  if (number != null && unit !== undefined) return ok({ obis: id, value: number, unit });
  return ok(plain === undefined ? { obis: id, ...value.value } : { obis: id, text: plain });
}

/** T550 heat meters join values with `&`; an OBIS code never stands in brackets with one. */
const parts = (group: string): string[] =>
  group.includes('&') && !/^\d+-\d+:/.test(group) ? group.split('&') : [group];
