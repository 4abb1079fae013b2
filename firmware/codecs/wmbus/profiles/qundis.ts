/**
 * Qundis (QDS) walk-by block: a record of 53 bytes with the manufacturer's VIF FF5Fh holds the present value, the
 * value at the due date, the one at the end of last month, and the differences of the months before.
 */
import type { Reading } from '../../../domain/telegram.ts';
import { parse } from '../../mbus-parser/index.ts';
import type { ClearTelegram } from '../telegram.ts';
import { dated, dateText, type Profile } from './profile.ts';

const BLOCK_BYTES = 53;
/** The present value, its VIF before it. */
const VALUE_AT = 12;
const VIF_AT = 9;
const FIRST_MONTH_AT = 28;
const NO_MONTH = 0x8000;

function block(payload: Uint8Array): Uint8Array | null {
  const found = parse(payload).records.find(
    (r) => payload[r.vibStart] === 0xff && payload[r.vibStart + 1] === 0x5f && r.dataLength === BLOCK_BYTES,
  );
  return found ? payload.subarray(found.dataStart, found.dataStart + BLOCK_BYTES) : null;
}

/** Type G. */
function date(bytes: Uint8Array, at: number): string | null {
  const [low = 0, high = 0] = bytes.subarray(at, at + 2);
  const year = (low >> 5) | ((high & 0xf0) >> 1);
  return year > 99 ? null : dateText(2000 + year, high & 15, low & 31);
}

/** Data of the block as a record of its own under the VIF that the block states. */
function reading(name: string, dif: number, vif: number, data: Uint8Array): readonly Reading[] {
  const [record] = parse(Uint8Array.of(dif, vif, ...data)).records;
  if (record?.kind !== 'number') return [];
  const { quantity, value, unit } = record;
  return [{ name, quantity, value, ...(unit === '' ? {} : { unit }) }];
}

const BCD8 = 0x0c;
const INT16 = 0x02;

function decode({ payload }: ClearTelegram): readonly Reading[] {
  const bytes = block(payload);
  if (!bytes) return [];
  const vif = bytes[VIF_AT] ?? 0;
  const value = (name: string, at: number): readonly Reading[] =>
    reading(name, BCD8, vif, bytes.subarray(at, at + 4));
  const readings: Reading[] = [
    ...value('total', VALUE_AT),
    ...dated('targetDate', date(bytes, VALUE_AT + 4)),
    ...value('target', VALUE_AT + 6),
    ...dated('monthDate', date(bytes, VALUE_AT + 10)),
    ...value('month', VALUE_AT + 12),
  ];
  for (let at = FIRST_MONTH_AT, k = 2; at + 2 <= BLOCK_BYTES - 1; at += 2, k++) {
    const data = bytes.subarray(at, at + 2);
    if (((data[0] ?? 0) | ((data[1] ?? 0) << 8)) === NO_MONTH) continue;
    readings.push(...reading(`monthDifference${k}`, INT16, vif, data));
  }
  return readings;
}

export const qundis: Profile = {
  name: 'Qundis walk-by',
  matches: ({ meter, content }) => ['QDS', 'LSE'].includes(meter.manufacturer) && content === 'full',
  decode,
};
