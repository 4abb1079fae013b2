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
  examples: [
    {
      telegram: '2C44B0097856341253087A2A000000036E0500000F10000000000000C409F00A000001003408B80B02000A0000',
      readings: [
        ['roomTemperature', 25],
        ['maximumRoomTemperature', 28],
        ['roomTemperatureLastMonth', 21],
        ['radiatorTemperatureLastMonth', 30],
        ['total', 10],
      ],
    },
  ],
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
  examples: [
    {
      telegram:
        '4344B0097856341285087A2A000000036E0500000F110000000000000000B80BC409F00A0000A00F60090100020003000400C509C609C7090000000000000000000B0000',
      readings: [
        ['radiatorTemperature', 30],
        ['roomTemperature', 25],
        ['maximumRoomTemperature', 28],
        ['radiatorTemperaturePrevious', 40],
        ['roomTemperaturePrevious', 24],
        ['history1', 1],
        ['history2', 2],
        ['history3', 3],
        ['history4', 4],
        ['roomTemperatureHistory1', 25.01],
        ['roomTemperatureHistory2', 25.02],
        ['roomTemperatureHistory3', 25.03],
        ['total', 11],
      ],
    },
  ],
};
