/** Products whose storages are the ends of months, counted back, without saying so. */
import type { Profile } from './profile.ts';

export const microclima: Profile = {
  name: 'Maddalena microClima',
  products: ['MAD/00/04'],
  history: { base: 1, first: 1, months: 1 },
  examples: [
    {
      telegram: '254424347856341200047A2A00000004060A000000426C7F2C44060900000084010608000000',
      readings: [['history', 8000]],
    },
  ],
};

export const evo868: Profile = {
  name: 'Maddalena Evo 868',
  products: ['MAD/50/06', 'MAD/50/07', 'MAD/50/16'],
  history: { base: 8, first: 8, months: 1 },
  examples: [
    {
      telegram:
        '2E4424347856341250077A2A0000000413E903000082046C7F2C840413E8030000C4041384030000840513FFFFFFFF',
      readings: [
        ['history', 0.9],
        ['history', null],
      ],
    },
  ],
};

/** Counted from the meter's own time, storage 2 first. */
export const waterstar: Profile = {
  name: 'Engelmann Waterstar M',
  products: ['DWZ/00/06', 'DWZ/00/07', 'DWZ/02/06', 'DWZ/02/07', 'EFE/03/07', 'EFE/70/07'],
  history: { base: 'now', first: 1, months: 1 },
  examples: [
    {
      telegram: '2844C5147856341270077A2A000000046D1A0ECD330413E803000084011384030000C40113FFFFFFFF',
      readings: [
        ['history', 0.9],
        ['history', null],
      ],
    },
  ],
};
