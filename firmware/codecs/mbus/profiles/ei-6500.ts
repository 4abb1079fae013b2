import type { Profile } from './profile.ts';

/** Smoke detector; the state of its head is a word whose lowest five bits are the level of dust. */
export const ei6500: Profile = {
  name: 'Ei Electronics Ei6500',
  products: ['EIE/*/1A'],
  records: [{ name: 'dustLevel', record: '8440FF2C', quantity: 'count', mask: 31 }],
  examples: [{ telegram: '16442515785634120C1A7A2A0000008440FF2C1B0F1100', readings: [['dustLevel', 27]] }],
};
