import type { Profile } from './profile.ts';

/** Water; the remaining battery life (VIF FDh 74h) is sent in percent. */
export const axiomaQ400: Profile = {
  name: 'Axioma Qalcosonic W1, Honeywell Q400',
  products: ['AXI/*/07', 'AXI/*/06', 'AXI/*/16'],
  records: [{ name: 'battery', record: '01FD74', quantity: 'battery', unit: '%' }],
  examples: [],
};
