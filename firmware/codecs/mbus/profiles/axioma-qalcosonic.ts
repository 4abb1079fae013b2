import type { Profile } from './profile.ts';

/** Water; the remaining battery life (VIF FDh 74h) is sent in percent. */
export const axiomaQ400: Profile = {
  name: 'Axioma Qalcosonic W1, Honeywell Q400',
  products: ['AXI/*/07', 'AXI/*/06', 'AXI/*/16'],
  records: [{ name: 'battery', record: '01FD74', quantity: 'battery', unit: '%' }],
  examples: [
    { telegram: '1A4409077856341210077A2A0000002F2F0413E903000001FD745C', readings: [['battery', 92]] },
  ],
};
