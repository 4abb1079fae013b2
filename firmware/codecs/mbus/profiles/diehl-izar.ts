import type { Reading } from '../../../domain/telegram.ts';
import { dateG } from './codings.ts';
import { DIEHL_MAKERS, openPrios } from './diehl-prios.ts';
import { DATE, LITRES, YEAR_S } from './measures.ts';
import type { Product, Profile } from './profile.ts';

/** Bits of the last two bytes of the clear header, the first of them the highest. */
const ALARMS: readonly (readonly [bit: number, text: string])[] = [
  [0x8000, 'leakage'],
  [0x2000, 'meter blocked'],
  [0x0080, 'backflow'],
  [0x0040, 'underflow'],
  [0x0020, 'overflow'],
  [0x0010, 'submerged'],
  [0x0008, 'sensor fraud'],
  [0x0002, 'mechanical fraud'],
];
const PAST_ALARMS: typeof ALARMS = [
  [0x4000, 'leakage'],
  [0x0004, 'sensor fraud'],
  [0x0001, 'mechanical fraud'],
];

function alarms(name: string, flags: number, table: typeof ALARMS): Reading[] {
  const set = table.filter(([bit]) => flags & bit).map(([, text]) => text);
  return set.length === 0 ? [] : [{ name, quantity: 'state', text: set.join(', ') }];
}

/** In the clear header: half years of battery in five bits, the exponent of the sending interval in four, alarms. */
function header({ payload }: Product): Reading[] {
  const [control = 0, battery = 0, more = 0] = payload;
  const flags = (battery << 8) | more;
  return [
    { name: 'batteryLife', quantity: 'batteryLife', value: ((battery & 31) / 2) * YEAR_S, unit: 's' },
    { name: 'sendingInterval', quantity: 'duration', value: 2 ** ((control & 15) + 2), unit: 's' },
    ...alarms('alarm', flags, ALARMS),
    ...alarms('pastAlarm', flags, PAST_ALARMS),
  ];
}

/** Water; masked (PRIOS), with the address fields in an order of its own. */
export const diehlIzar: Profile = {
  name: 'Diehl IZAR',
  products: DIEHL_MAKERS.map((maker) => `${maker}/*/*`),
  ci: [0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7],
  block: openPrios,
  bytes: [
    { name: 'total', at: 1, bytes: 4, ...LITRES },
    { name: 'target', at: 5, bytes: 4, ...LITRES },
    { name: 'targetDate', at: 9, bytes: 2, as: dateG, ...DATE },
  ],
  more: header,
  examples: [
    {
      telegram: '1944A511785634120778A2050A000039256BD1C6E4AE4CBB3999',
      readings: [
        ['total', 123.456],
        ['target', 120],
        ['targetDate', '2019-12-31'],
        ['batteryLife', 157784760],
        ['sendingInterval', 128],
      ],
    },
  ],
};
