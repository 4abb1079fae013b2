/**
 * Qundis (QDS, LSE): the walk-by block, a record of 53 bytes under the VIF FF5Fh: the present value, the value at the
 * due date, the one at the end of last month, and the differences of the months before, all under a VIF that the
 * block states.
 */
import type { Reading } from '../../../domain/telegram.ts';
import { parse } from '../../mbus-parser/index.ts';
import { dateG } from './codings.ts';
import { DATE } from './measures.ts';
import type { Product, Profile } from './profile.ts';

const BLOCK_BYTES = 53;
const VIF_AT = 9;
const FIRST_MONTH_AT = 28;
const NO_MONTH = 0x8000;
const BCD8 = 0x0c;
const INT16 = 0x02;

function block({ records, payload }: Product): Uint8Array | null {
  const found = records.find(
    (r) => payload[r.vibStart] === 0xff && payload[r.vibStart + 1] === 0x5f && r.dataLength === BLOCK_BYTES,
  );
  return found ? payload.subarray(found.dataStart, found.dataStart + BLOCK_BYTES) : null;
}

/** Data of the block as a record of its own. */
function reading(name: string, dif: number, vif: number, data: Uint8Array): readonly Reading[] {
  const [record] = parse(Uint8Array.of(dif, vif, ...data)).records;
  if (record?.kind !== 'number') return [];
  const { quantity, value, unit } = record;
  return [{ name, quantity, value, ...(unit === '' ? {} : { unit }) }];
}

function values(_product: Product, bytes: Uint8Array): readonly Reading[] {
  const vif = bytes[VIF_AT] ?? 0;
  const value = (name: string, at: number): readonly Reading[] =>
    reading(name, BCD8, vif, bytes.subarray(at, at + 4));
  const readings = [...value('total', 12), ...value('target', 18), ...value('month', 24)];
  for (let at = FIRST_MONTH_AT, k = 2; at + 2 < BLOCK_BYTES; at += 2, k++) {
    const data = bytes.subarray(at, at + 2);
    if (((data[0] ?? 0) | ((data[1] ?? 0) << 8)) === NO_MONTH) continue;
    readings.push(...reading(`monthDifference${k}`, INT16, vif, data));
  }
  return readings;
}

export const qundis: Profile = {
  name: 'Qundis walk-by',
  products: ['QDS/*/*', 'LSE/*/*', 'ZRI/FD/08'],
  block,
  bytes: [
    { name: 'errorDate', at: 10, bytes: 2, as: dateG, ...DATE },
    { name: 'targetDate', at: 16, bytes: 2, as: dateG, ...DATE },
    { name: 'monthDate', at: 22, bytes: 2, as: dateG, ...DATE },
  ],
  more: values,
  examples: [
    {
      telegram:
        '49449344785634121D077A2A0000002F2F0DFF5F350082010000000007C1130000785600007F2C123400009F2B34550000FA002C01008000800080008000800080008000800080008000',
      readings: [
        ['targetDate', '2019-12-31'],
        ['total', 5.678],
        ['target', 3.412],
        ['month', 5.534],
        ['monthDifference2', 0.25],
        ['monthDifference3', 0.3],
      ],
    },
  ],
};
