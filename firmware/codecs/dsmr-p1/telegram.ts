/** From a P1 frame to readings. Order and set of objects are not fixed; unknown codes are kept. */
import { type Fault, ok, type Result, refuse } from '../../domain/errors.ts';
import type { MeterIdentity, Reading, Telegram } from '../../domain/telegram.ts';
import { addLine, type DataSet, readingOf } from '../iec62056-21/data-set.ts';
import { PlainLines } from '../iec62056-21/plain-line.ts';
import type { P1Frame } from './decoder.ts';

/**
 * Readings of the telegram. Under a checksum a line that cannot be read is left out; without one it condemns the
 * telegram, because nothing says that the other lines are sound.
 */
export function readP1(frame: P1Frame): Result<Telegram> {
  const lines = new PlainLines(frame.bytes);
  const header = lines.line();
  const strict = frame.proof === 'absent';
  const readings: Reading[] = [];
  /** Of lines that are not plain: brackets on the next line may still belong to the last one. */
  const sets: DataSet[] = [];
  while (!lines.ended) {
    const plain = lines.plain();
    const bad = plain ? settle(sets, readings) : addLine(lines.line(), sets);
    if (bad && strict) return { ok: false, error: bad };
    if (plain) readings.push(plain);
  }
  const bad = settle(sets, readings);
  if (bad && strict) return { ok: false, error: bad };
  if (readings.length === 0) return refuse('NO_TELEGRAM', 'the telegram holds no data');
  const time = readings.find((r) => r.obis?.endsWith(':1.0.0'))?.time;
  return ok({ meter: identity(header, readings), ...(time === undefined ? {} : { time }), readings });
}

/** The readings of data sets that are whole; the reason why the first one is none. */
function settle(sets: DataSet[], readings: Reading[]): Fault | null {
  if (sets.length === 0) return null;
  let bad: Fault | null = null;
  for (const set of sets.splice(0)) {
    const reading = set.id.endsWith(':24.3.0') ? gasOfDsmr3(set) : readingOf(set);
    if (reading.ok) readings.push(reading.value);
    else bad ??= reading.error;
  }
  return bad;
}

/** DSMR 3.0: `0-n:24.3.0(time)(status)(period)(count)(code)(unit)` and the value alone on the next line. */
function gasOfDsmr3(set: DataSet): Result<Reading> {
  const unit = set.groups[5];
  const digits = set.groups[6];
  const plain = readingOf({ ...set, groups: set.groups.slice(0, 6) });
  if (!plain.ok || unit === undefined || digits === undefined) return plain;
  const number = readingOf({ id: set.id, groups: [`${digits}*${unit}`] });
  if (!number.ok) return number;
  return ok({ ...plain.value, ...number.value, values: plain.value.values ?? [] });
}

/** Codes under which meters send their number. */
const NUMBERS: ReadonlySet<string> = new Set(['0-0:96.1.1', '0-0:96.1.0', '0-0:42.0.0']);

function identity(header: string, readings: readonly Reading[]): MeterIdentity {
  const text = readings.find(({ obis }) => NUMBERS.has(obis ?? ''))?.text;
  return { id: text === undefined ? header.slice(5) : unhex(text), manufacturer: header.slice(1, 4) };
}

/** Octet strings are the hexadecimal digits of ASCII (DSMR 5.0.2, 6.4); anything else stays as it is. */
function unhex(text: string): string {
  if (text.length % 2 !== 0 || !/^([2-7][0-9A-Fa-f])+$/.test(text)) return text;
  return Buffer.from(text, 'hex').toString('latin1');
}
