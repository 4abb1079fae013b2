/**
 * Kamstrup: water, heat and pressure meters whose full frames come only once in a while. `E` and `V` stand for the
 * VIF of energy and volume, which differ by resolution.
 */
import type { Profile } from './profile.ts';

const ENERGY = ['03', '04', '05', '06', '07', '0D', '0E', '0F', 'FB00', 'FB01', 'FB08', 'FB09'];
const VOLUME = ['11', '12', '13', '14', '15', '16', '17'];

/** A layout in every resolution. */
function resolutions(layout: string): string[] {
  const energies = /E( |$)/.test(layout) ? ENERGY : [''];
  const volumes = layout.includes('V') ? VOLUME : [''];
  return energies.flatMap((energy) =>
    volumes.map((volume) => layout.replace(/E(?= |$)/g, energy).replaceAll('V', volume)),
  );
}

export const kamstrupWater: Profile = {
  name: 'Kamstrup Multical 21, flowIQ',
  products: ['KAM/*/06', 'KAM/*/07', 'KAM/*/16'],
  formats: [
    '02FF20 0413 4413',
    '02FF20 0413 523B',
    '02FF20 0413 4413 615B 6167',
    '02FF20 0413 4413 615B 5167',
    '02FF20 0413 4413 A1015B 8101E7FF0F',
    '02FF20 0413 92013B A1015B 8101E7FF0F',
    '02FF20 0413 4413 426C 523B 615B 6167 5167 8101E7FF0F 06FF1B',
    '04FF23 4413 523B 06FF1B 426C 6167 5167 023B 0413 8101E7FF0F',
    '04FF23 0413 4413 426C 023B 92013B A2013B 06FF1B A1015B 91015B A10167',
  ],
  examples: [
    {
      telegram: '1A442D2C785634121B1679EDA88CF8000040E20100C0D401000A14',
      readings: [
        ['manufacturerSpecific', 0],
        ['volume', 123.456],
        ['volume', 120],
        ['flowTemperature', 10],
        ['externalTemperature', 20],
      ],
    },
  ],
};

export const kamstrupHeat: Profile = {
  name: 'Kamstrup Multical 302, 303, 403, 602, 603',
  products: ['KAM/*/04', 'KAM/*/0A', 'KAM/*/0B', 'KAM/*/0C', 'KAM/*/0D'],
  formats: [
    '03E 43E 03V 426C 022D 01FF21',
    '04E 04FF07 04FF08 04V 043B 0259 025D 04FF22',
    '04E 04FF07 04FF08 04V 043B 0259 025D 04FF22 026C 44E 44V 426C',
    '04E 04V 04FF07 04FF08 0259 025D 023B 02FF22 026C 44E 44V 426C',
    '04E 04FF07 04FF08 04V 8440V 848040V 043B 0259 025D 142D 8410E 8420E 04FF22 026C 44E 44V C440V C48040V 426C',
    '04E 04V 04FF22 043C 0259 025D 8440V 848040V 042E 026C 426C 44E 543C',
    '04E 04FF07 04FF08 04V 02FD17 043B 0259 025D',
    '02F9FF15 04E 04EEFF07 04EEFF08 04V 8440V 848040V 02FD17 026C 426C 44E 44V C440V C48040V 043B 0259 025D',
  ].flatMap(resolutions),
  examples: [
    {
      telegram: '1C442D2C78563412300479E7F1D4536400005000002C01007F2C0A0000',
      readings: [
        ['energy', 100000],
        ['energy', 80000],
        ['volume', 3],
        ['date', '2019-12-31'],
        ['power', 1000],
        ['manufacturerSpecific', 0],
      ],
    },
  ],
};

export const kamstrupPressure: Profile = {
  name: 'Kamstrup PressureSensor',
  products: ['KAM/*/18'],
  formats: ['2269 1269 0269 05FF09 05FF0A 02FD17'],
  examples: [
    {
      telegram: '1E442D2C78563412011879DE73714DE803D007DC050000803F0000803F0000',
      readings: [
        ['pressure', 1000000],
        ['pressure', 2000000],
        ['pressure', 1500000],
        ['manufacturerSpecific', 1],
        ['manufacturerSpecific', 1],
        ['errorFlags', 0],
      ],
    },
  ],
};
