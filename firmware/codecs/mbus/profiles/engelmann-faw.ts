import type { Profile } from './profile.ts';

/** Water; all its telegrams are compact frames, of one layout: due date, months 1 to 15, time, total. */
export const engelmannFaw: Profile = {
  name: 'Engelmann FAW',
  products: ['EFE/00/07'],
  formats: [
    '426C 4413 01FD17 840113 C40113 840213 C40213 840313 C40313 840413 C40413 840513 C40513 840613 C40613 840713 C40713 840813 046D 0413',
  ],
  examples: [
    {
      telegram:
        '5D44C5147856341200077B2A0000002D0524957F2C8813000000701700000C170000A816000044160000E01500007C15000018150000B414000050140000EC1300008813000024130000C01200005C120000F81100001A0ECD33D4170000',
      readings: [
        ['date', '2019-12-31'],
        ['volume', 5],
        ['errorFlags', 0],
        ['volume', 6],
        ['volume', 5.9],
        ['volume', 5.8],
      ],
    },
  ],
};
