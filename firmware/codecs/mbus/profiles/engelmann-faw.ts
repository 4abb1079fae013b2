import type { Profile } from './profile.ts';

/** Water; all its telegrams are compact frames, of one layout: due date, months 1 to 15, time, total. */
export const engelmannFaw: Profile = {
  name: 'Engelmann FAW',
  products: ['EFE/00/07'],
  formats: [
    '426C 4413 01FD17 840113 C40113 840213 C40213 840313 C40313 840413 C40413 840513 C40513 840613 C40613 840713 C40713 840813 046D 0413',
  ],
  examples: [],
};
