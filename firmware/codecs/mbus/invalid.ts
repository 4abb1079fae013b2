/** Why a record has no value, or none to rely on, although its data are there. */
import type { ParsedRecord } from '../mbus-parser/index.ts';
import { bcdText } from './identity.ts';

const REAL = 5;
const FIXED = new Set(['actual', 'stored']);

/** For records of quality `invalid`. */
export function whyInvalid(record: ParsedRecord, payload: Uint8Array): string {
  const { start, dataStart, dataLength } = record;
  // The fixed data structure has no DIF; its counters are BCD where they can be invalid.
  const field = FIXED.has(record.function) ? 0x0c : (payload[start] ?? 0) & 15;
  if (field >= 9)
    return `the meter shows ${bcdText(payload, dataStart, dataStart + dataLength)}, which is no number`;
  if (field === REAL) return 'the floating-point number is none (NaN or infinite)';
  if (record.unit !== '') return 'the meter shows the number that stands for no value (80…00h)';
  const data = payload.subarray(dataStart, dataStart + dataLength);
  const isUnset = data.every((byte) => byte === 0) || data.every((byte) => byte === 0xff);
  return isUnset ? 'no date or time is set' : 'there is no such date or time';
}
