/**
 * Techem (TCH), CI A0h…A2h. All share one scheme: a due date, the count at it, today's date without a year, and the
 * count since.
 */
import type { Reading } from '../../../domain/telegram.ts';
import { type Coding, dateText, dateWord, signed, unsigned } from './codings.ts';
import { DATE, HCA, HUNDREDTHS_OF_C, KILOWATT_HOURS, MEGAJOULES, TENTHS_OF_M3 } from './measures.ts';
import { type ByteField, type Product, type Profile, shown } from './profile.ts';

const CI = [0xa0, 0xa1, 0xa2];
const DUE_AT = 1;

/**
 * Day and month of today: the first such day after the due date. A clock that was never set sends day or month 0,
 * which count as the first day and the last month.
 */
function afterDue(block: Uint8Array, day: number, month: number): string | null {
  const due = unsigned(block, DUE_AT, 2);
  if (due === null) return null;
  const dueMonth = (due >> 5) & 15;
  const isLater = month > dueMonth || (month === dueMonth && day > (due & 31));
  return dateText(2000 + (due >> 9) + (isLater ? 0 : 1), month, day);
}

const today: Coding = (bytes, at) => {
  const word = unsigned(bytes, at, 2);
  return word === null ? null : afterDue(bytes, (word >> 4) & 31 || 1, (word >> 9) & 15 || 12);
};

/** Of Compact V: the month in the byte before the count since the due date, the day behind that count. */
const todayAround: Coding = (bytes, at) => {
  const month = unsigned(bytes, at, 1);
  const day = unsigned(bytes, at + 4, 2);
  return month === null || day === null ? null : afterDue(bytes, (day >> 7) & 31, (month >> 3) & 15);
};

const DATES = [
  { name: 'targetDate', at: DUE_AT, bytes: 2, as: dateWord, ...DATE },
  { name: 'date', at: 5, bytes: 2, as: today, ...DATE },
] as const;
const TOTAL = [{ name: 'total', sum: ['target', 'sinceTarget'] }] as const;

export const mkRadio34: Profile = {
  name: 'Techem MK Radio 3, 4',
  products: ['TCH/*/62', 'TCH/*/72'],
  ci: CI,
  bytes: [
    { name: 'target', at: 3, bytes: 2, ...TENTHS_OF_M3 },
    { name: 'sinceTarget', at: 7, bytes: 2, ...TENTHS_OF_M3 },
    ...DATES,
  ],
  sums: TOTAL,
  examples: [
    {
      telegram: '15446850785634127462A2009F2FE803F00CEA000000',
      readings: [
        ['target', 100],
        ['sinceTarget', 23.4],
        ['targetDate', '2023-12-31'],
        ['date', '2024-06-15'],
        ['total', 123.4],
      ],
    },
  ],
};

const HALVES_AT = 8;
const MONTHS = 12;

/**
 * What was used in each half of a month, newest first, two halves and a byte between. In the first half of a month
 * the first of them is that half alone, else the halves of a month stand together.
 */
function halfMonths(_product: Product, block: Uint8Array): readonly Reading[] {
  const due = unsigned(block, 2, 2) ?? 0;
  if (dateWord(block, 2, 2) === null) return [];
  const month = (due >> 5) & 15;
  const halves = Array.from({ length: MONTHS }, (_, k) => [
    block[HALVES_AT + 3 * k],
    block[HALVES_AT + 3 * k + 1],
  ]).flat();
  const early = (due & 31) <= 15;
  const sums = Array.from({ length: MONTHS }, (_, k) =>
    early ? (halves[2 * k - 1] ?? 0) + (halves[2 * k] ?? 0) : (halves[2 * k] ?? 0) + (halves[2 * k + 1] ?? 0),
  );
  return sums.flatMap((sum, k) =>
    HALVES_AT + 3 * k + 2 > block.length
      ? []
      : shown({ name: `month${((month - 1 - k + 12) % 12) + 1}`, ...TENTHS_OF_M3 }, sum),
  );
}

export const mkRadio3a: Profile = {
  name: 'Techem MK Radio 3a',
  products: ['TCH/50/62', 'TCH/50/72'],
  ci: CI,
  bytes: [
    { name: 'targetDate', at: 2, bytes: 2, as: dateWord, ...DATE },
    { name: 'total', at: 4, bytes: 3, ...TENTHS_OF_M3 },
  ],
  more: halfMonths,
  examples: [
    {
      telegram:
        '36446850785634125072A20000CA30D2040000010200020300030400040500050600060700070800080900090A000A0B000B0C000C0D00',
      readings: [
        ['targetDate', '2024-06-10'],
        ['total', 123.4],
        ['month6', 0.1],
        ['month5', 0.4],
        ['month4', 0.6],
        ['month3', 0.8],
        ['month2', 1],
        ['month1', 1.2],
        ['month12', 1.4],
        ['month11', 1.6],
        ['month10', 1.8],
        ['month9', 2],
        ['month8', 2.2],
        ['month7', 2.4],
      ],
    },
  ],
};

export const compact5: Profile = {
  name: 'Techem Compact V',
  products: ['TCH/*/04', 'TCH/*/43', 'TCH/*/45', 'TCH/*/C3'],
  ci: CI,
  bytes: [
    { name: 'target', at: 3, bytes: 3, ...KILOWATT_HOURS },
    { name: 'sinceTarget', at: 7, bytes: 3, ...KILOWATT_HOURS },
    DATES[0],
    { name: 'date', at: 6, bytes: 6, as: todayAround, ...DATE },
  ],
  sums: TOTAL,
  examples: [
    {
      telegram: '16446850785634124543A1009F2F70110130D204008007',
      readings: [
        ['target', 70000000],
        ['sinceTarget', 1234000],
        ['targetDate', '2023-12-31'],
        ['date', '2024-06-15'],
        ['total', 71234000],
      ],
    },
  ],
};

export const vario451: Profile = {
  name: 'Techem Vario 4 (4.5.1)',
  products: ['TCH/27/*', 'TCH/17/*'],
  ci: CI,
  bytes: [
    { name: 'target', at: 3, bytes: 2, ...MEGAJOULES },
    { name: 'sinceTarget', at: 7, bytes: 2, ...MEGAJOULES },
    ...DATES,
  ],
  sums: TOTAL,
  examples: [
    {
      telegram: '154468507856341227C3A2009F2FE803F00C50000000',
      readings: [
        ['target', 277777.77777777775],
        ['sinceTarget', 22222.222222222223],
        ['targetDate', '2023-12-31'],
        ['date', '2024-06-15'],
        ['total', 300000],
      ],
    },
  ],
};

const ALLOCATION = [
  { name: 'target', at: 3, bytes: 2, ...HCA },
  { name: 'sinceTarget', at: 7, bytes: 2, ...HCA },
  ...DATES,
] as const;
/** Each period of an allocator starts at zero: there is no total. */
const ALLOCATED = [
  ['target', 1000],
  ['sinceTarget', 234],
  ['targetDate', '2023-12-31'],
  ['date', '2024-06-15'],
] as const;

const temperaturesAt = (at: number): readonly ByteField[] => [
  { name: 'roomTemperature', at, bytes: 2, as: signed, ...HUNDREDTHS_OF_C },
  { name: 'radiatorTemperature', bytes: 2, as: signed, ...HUNDREDTHS_OF_C },
];
const TEMPERATURES = [
  ['roomTemperature', 21.5],
  ['radiatorTemperature', 24],
] as const;

/** Without temperatures. */
export const fhkv2: Profile = {
  name: 'Techem FHKV data II',
  products: ['TCH/61/80', 'TCH/64/80'],
  ci: CI,
  bytes: ALLOCATION,
  examples: [{ telegram: '17446850785634126480A0119F2FE803F00CEA0001020304', readings: ALLOCATED }],
};

export const fhkv3: Profile = {
  name: 'Techem FHKV data III',
  products: ['TCH/*/80'],
  ci: CI,
  bytes: [...ALLOCATION, ...temperaturesAt(9)],
  examples: [
    {
      telegram: '17446850785634126980A0119F2FE803F00CEA0066086009',
      readings: [...ALLOCATED, ...TEMPERATURES],
    },
  ],
};

/** One byte more before the temperatures. */
export const fhkv3Version94: Profile = {
  name: 'Techem FHKV data III, version 94h',
  products: ['TCH/94/80'],
  ci: CI,
  bytes: [...ALLOCATION, ...temperaturesAt(10)],
  examples: [
    {
      telegram: '18446850785634129480A00F9F2FE803F00CEA000066086009',
      readings: [...ALLOCATED, ...TEMPERATURES],
    },
  ],
};

/** Of the first byte. */
const SMOKE = 1;

/** Smoke detector. */
export const tsd2: Profile = {
  name: 'Techem TSD2',
  products: ['TCH/*/F0'],
  ci: CI,
  block: ({ payload }) => (payload.length < 20 ? null : payload),
  bytes: [DATES[0]],
  more: (_product, block) =>
    (block[0] ?? 0) & SMOKE ? [{ name: 'alarm', quantity: 'state', text: 'smoke' }] : [],
  examples: [
    {
      telegram: '214468507856341276F0A0009F2F0000000000000000000000000000000000000000',
      readings: [['targetDate', '2023-12-31']],
    },
  ],
};
