/** Products whose storages are the ends of months, counted back, without saying so. */
import type { Profile } from './profile.ts';

export const microclima: Profile = {
  name: 'Maddalena microClima',
  products: ['MAD/00/04'],
  history: { base: 1, first: 1, months: 1 },
  examples: [],
};

export const evo868: Profile = {
  name: 'Maddalena Evo 868',
  products: ['MAD/50/06', 'MAD/50/07', 'MAD/50/16'],
  history: { base: 8, first: 8, months: 1 },
  examples: [],
};

/** Counted from the meter's own time, storage 2 first. */
export const waterstar: Profile = {
  name: 'Engelmann Waterstar M',
  products: ['DWZ/00/06', 'DWZ/00/07', 'DWZ/02/06', 'DWZ/02/07', 'EFE/03/07', 'EFE/70/07'],
  history: { base: 'now', first: 1, months: 1 },
  examples: [],
};
