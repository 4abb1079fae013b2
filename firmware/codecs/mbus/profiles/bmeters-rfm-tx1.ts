/** B Meters RFM-TX1: a radio module for water meters; its total is masked by a table that the access number picks. */
import type { Reading } from '../../../domain/telegram.ts';
import { bcd, type Coding, dayFirst } from './codings.ts';
import { DATE_TIME, LITRES } from './measures.ts';
import { type Product, type Profile, shown } from './profile.ts';

/** By the low nibble of the access number: what each of the four bytes is masked with, besides that number. */
const MASKS = [
  '7A101A0A 70132213 B90B8E99 79074A16 079ACB69 32A1390E 9C7E6099 B4C480A3',
  '0ACE1903 F005A586 1698115E 0CC97DA2 4A48E41F 772E8AE8 BD78578C 396F2805',
]
  .join(' ')
  .split(' ')
  .map((hex) => Buffer.from(hex, 'hex'));

const TOTAL_AT = 2;

function total({ accessNumber, payload }: Product): readonly Reading[] {
  const number = accessNumber ?? 0;
  const mask = MASKS[number & 15];
  const clear = payload.subarray(TOTAL_AT, TOTAL_AT + 4).map((byte, k) => byte ^ number ^ (mask?.[k] ?? 0));
  const litres = clear.length < 4 ? null : bcd(clear, 0, 4);
  return litres === null ? [] : shown({ name: 'total', ...LITRES }, litres);
}

/** Second, minute, hour, day, month, year in two digits each. */
const clock: Coding = (bytes, at) => {
  const date = dayFirst(bytes, at + 3, 3);
  const [second = null, minute = null, hour = null] = [0, 1, 2].map((k) => bcd(bytes, at + k, 1));
  if (date === null || hour === null || minute === null || second === null) return null;
  if (hour > 23 || minute > 59 || second > 59) return null;
  return `${date}T${[hour, minute, second].map((part) => String(part).padStart(2, '0')).join(':')}`;
};

export const rfmTx1: Profile = {
  name: 'B Meters RFM-TX1',
  products: ['BMT/05/07', 'BMT/05/06'],
  bytes: [{ name: 'time', at: 13, bytes: 6, as: clock, ...DATE_TIME }],
  more: total,
  examples: [
    {
      telegram: '2144B4097856341205077A2A000000111544E40F6600000000000000300512010624',
      readings: [
        ['time', '2024-06-01T12:05:30'],
        ['total', 12345.678],
      ],
    },
  ],
};
