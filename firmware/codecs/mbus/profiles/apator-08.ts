import { CUBIC_METRES } from './measures.ts';
import type { Profile } from './profile.ts';

/** Water; counts thirds of a litre. */
export const apator08: Profile = {
  name: 'Apator at-wmbus-08',
  products: ['APT/03/*', 'APT/0F/*'],
  ci: [0xa0],
  bytes: [{ name: 'total', at: 0, bytes: 4, ...CUBIC_METRES, per: 3000 }],
  examples: [{ telegram: '0E441406785634120F0FA045230100', readings: [['total', 24.855]] }],
};
