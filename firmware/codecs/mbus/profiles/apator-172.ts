import { CUBIC_METRES } from './measures.ts';
import type { Profile } from './profile.ts';

/** Water; counts thirds of a cubic metre. */
export const apator172: Profile = {
  name: 'Apator at-wmbus-17-2',
  products: ['APT/04/11'],
  ci: [0xa0],
  bytes: [{ name: 'total', at: 0, bytes: 4, ...CUBIC_METRES, per: 3 }],
  examples: [{ telegram: '0E441406785634120411A00A000000', readings: [['total', 3.3333333333333335]] }],
};
