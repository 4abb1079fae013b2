import { type Coding, unsigned } from './codings.ts';
import { manufacturerBlock, YEAR_S } from './measures.ts';
import type { Profile } from './profile.ts';

/** Half years left in the upper five bits. */
const halfYears: Coding = (bytes, at) => (unsigned(bytes, at, 1) ?? 0) >> 3;

export const gwfWater: Profile = {
  name: 'GWF water',
  products: ['GWF/01/0E', 'GWF/3C/*'],
  block: manufacturerBlock,
  starts: '01',
  bytes: [
    {
      name: 'batteryLife',
      at: 2,
      bytes: 1,
      as: halfYears,
      quantity: 'batteryLife',
      unit: 's',
      times: YEAR_S,
      per: 2,
    },
  ],
  examples: [
    {
      telegram: '1844E61E785634123C077A2A0000000413E90300000F01FFA5',
      readings: [['batteryLife', 315569520]],
    },
  ],
};
