import type { Reading } from '../../../domain/telegram.ts';
import { dateG } from './codings.ts';
import { DIEHL_MAKERS, openPrios } from './diehl-prios.ts';
import { DATE, LITRES, YEAR_S } from './measures.ts';
import type { Product, Profile } from './profile.ts';

/** In the clear header: half years of battery in five bits, the exponent of the sending interval in four. */
function header({ payload }: Product): Reading[] {
  const [control = 0, battery = 0] = payload;
  return [
    { name: 'batteryLife', quantity: 'batteryLife', value: ((battery & 31) / 2) * YEAR_S, unit: 's' },
    { name: 'sendingInterval', quantity: 'duration', value: 2 ** ((control & 15) + 2), unit: 's' },
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
