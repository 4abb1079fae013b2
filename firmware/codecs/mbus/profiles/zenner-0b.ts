import { CUBIC_METRES } from './measures.ts';
import type { Profile } from './profile.ts';

const COUNT = { bytes: 4, ...CUBIC_METRES, per: 256_000 } as const;

/** Water; litres with 8 binary places after 0Fh and four bytes of status. */
export const zenner0b: Profile = {
  name: 'Zenner 0Bh',
  products: ['ZRI/0B/16'],
  block: ({ payload }) => payload.subarray(payload[0] === 0x2f ? 2 : 0),
  starts: '0F',
  bytes: [
    { name: 'target', at: 5, ...COUNT },
    { name: 'total', at: 9, ...COUNT },
  ],
  examples: [
    {
      telegram: '1D44496A785634120B167A2A0000002F2F0F0000000000E8030040D20400',
      readings: [
        ['target', 1],
        ['total', 1.23425],
      ],
    },
  ],
};
