/** B Meters Hydroclima 2: heat cost allocators; two kinds of block after 0Fh, told apart by their first byte. */
import { signed } from './codings.ts';
import { HCA, HUNDREDTHS_OF_C, manufacturerBlock } from './measures.ts';
import type { Profile } from './profile.ts';

const TEMPERATURE = { bytes: 2, as: signed, ...HUNDREDTHS_OF_C } as const;
const PRODUCTS = ['BMP/53/08', 'BMP/85/08'];

export const hydroclima10: Profile = {
  name: 'B Meters Hydroclima 2 (block 10h)',
  products: PRODUCTS,
  block: manufacturerBlock,
  starts: '10',
  bytes: [
    { name: 'roomTemperature', at: 7, ...TEMPERATURE },
    { name: 'maximumRoomTemperature', at: 9, ...TEMPERATURE },
    { name: 'roomTemperatureLastMonth', at: 15, ...TEMPERATURE },
    { name: 'radiatorTemperatureLastMonth', at: 17, ...TEMPERATURE },
    { name: 'total', at: 21, bytes: 3, ...HCA },
  ],
  examples: [],
};

export const hydroclima11: Profile = {
  name: 'B Meters Hydroclima 2 (block 11h)',
  products: PRODUCTS,
  block: manufacturerBlock,
  starts: '11',
  bytes: [
    { name: 'radiatorTemperature', at: 9, ...TEMPERATURE },
    { name: 'roomTemperature', ...TEMPERATURE },
    { name: 'maximumRoomTemperature', ...TEMPERATURE },
    { name: 'radiatorTemperaturePrevious', at: 17, ...TEMPERATURE },
    { name: 'roomTemperaturePrevious', ...TEMPERATURE },
    { name: 'history1', bytes: 2, ...HCA },
    { name: 'history2', bytes: 2, ...HCA },
    { name: 'history3', bytes: 2, ...HCA },
    { name: 'history4', bytes: 2, ...HCA },
    { name: 'roomTemperatureHistory1', ...TEMPERATURE },
    { name: 'roomTemperatureHistory2', ...TEMPERATURE },
    { name: 'roomTemperatureHistory3', ...TEMPERATURE },
    { name: 'total', at: 44, bytes: 3, ...HCA },
  ],
  examples: [],
};
