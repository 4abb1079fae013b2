/** B Meters Hydrodigit: what follows 0Fh; the first byte says which parts are there. */
import { type Coding, dateBcd } from './codings.ts';
import { DATE, HUNDREDTHS_OF_M3, LITRES, manufacturerBlock } from './measures.ts';
import type { ByteField, Profile } from './profile.ts';

const HAS_BATTERY = 0x01;
const HAS_FRAUD = 0x02;
const HAS_BACKFLOW = 0x04;
const HAS_MONTHS = 0x10;
const HAS_LEAK = 0x80;

/** Volts by the low nibble; the steps are not even. */
const BATTERY_V = [3.7, 1.9, 2.1, 2.2, 2.3, 2.4, 2.5, 2.65, 2.8, 2.9, 3.05, 3.2, 3.35, 3.5, 3.7, 3.7];
const battery: Coding = (bytes, at) => BATTERY_V[(bytes[at] ?? 0) & 15] ?? null;

const months: ByteField[] = Array.from({ length: 12 }, (_, k) => ({
  name: `month${k + 1}`,
  bytes: 3,
  present: HAS_MONTHS,
  none: 0xff_ffff,
  ...HUNDREDTHS_OF_M3,
}));

export const hydrodigit: Profile = {
  name: 'B Meters Hydrodigit',
  products: ['BMT/13/*', 'BMT/15/*', 'BMT/17/*', 'MAD/15/*', 'MAD/17/*'],
  block: manufacturerBlock,
  bytes: [
    { name: '', bytes: 1, quantity: '' },
    { name: 'battery', bytes: 1, present: HAS_BATTERY, as: battery, quantity: 'voltage', unit: 'V' },
    { name: '', bytes: 1, present: HAS_FRAUD, quantity: '' },
    { name: 'fraudDate', bytes: 3, present: HAS_FRAUD, as: dateBcd, ...DATE },
    { name: 'leakDate', bytes: 3, present: HAS_LEAK, as: dateBcd, ...DATE },
    { name: 'backflow', bytes: 4, present: HAS_BACKFLOW, ...LITRES },
    ...months,
  ],
  examples: [
    {
      telegram:
        '4244B4097856341217077A2A0000000C13785604000F950B24030507000000E803004C0400B00400140500780500DC0500FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF',
      readings: [
        ['battery', 3.2],
        ['leakDate', '2024-03-05'],
        ['backflow', 0.007],
        ['month1', 10],
        ['month2', 11],
        ['month3', 12],
        ['month4', 13],
        ['month5', 14],
        ['month6', 15],
        ['month7', null],
        ['month8', null],
        ['month9', null],
        ['month10', null],
        ['month11', null],
        ['month12', null],
      ],
    },
  ],
};
