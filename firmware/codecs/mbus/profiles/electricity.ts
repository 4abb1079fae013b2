/** Electricity meters that send part of their registers under VIFs of the maker. */
import type { Reading } from '../../../domain/telegram.ts';
import type { ParsedRecord } from '../../mbus-parser/index.ts';
import { MODIFIER } from '../../mbus-parser/index.ts';
import type { Product, Profile, RecordField } from './profile.ts';

const WATTS_100TH = { quantity: 'power', unit: 'W', per: 100 } as const;

/** The power of each phase is sent with FFh 01h…03h; the sum is not. */
export const ebz: Profile = {
  name: 'eBZ electricity',
  products: ['EBZ/*/02'],
  records: [1, 2, 3].map((k) => ({ name: `powerL${k}`, record: `04A9FF0${k}`, ...WATTS_100TH })),
  sums: [{ name: 'power', sum: ['powerL1', 'powerL2', 'powerL3'] }],
  examples: [
    {
      telegram: '28445A147856341201027A2A0000002F2F04A9FF011027000004A9FF02204E000004A9FF0330750000',
      readings: [
        ['powerL1', 100],
        ['powerL2', 200],
        ['powerL3', 300],
        ['power', 600],
      ],
    },
  ],
};

const present = (r: ParsedRecord): boolean => r.kind === 'number' && r.function === 'inst' && r.storage === 0;

/** The total is the sum of the tariffs; it is not sent. */
function tariffSum({ records }: Product): Reading[] {
  const energies = records.filter((r) => present(r) && r.quantity === 'energy' && r.subunit === 0);
  const tariffs = energies.filter((r) => r.tariff > 0);
  if (tariffs.length < 2 || energies.length > tariffs.length) return [];
  const value = tariffs.reduce((sum, r) => sum + r.value, 0);
  return [{ name: 'total', quantity: 'energy', value, unit: 'Wh' }];
}

export const eltako: Profile = {
  name: 'Eltako DSZ15, FWZ14',
  products: ['ELT/01/02'],
  more: tariffSum,
  examples: [
    { telegram: '1C4494157856341201027A2A00000084100364000000842003C8000000', readings: [['total', 300]] },
  ],
};

/** Apparent energy from active and reactive, each way: the display of the meter shows it, the telegram does not. */
function apparent({ records }: Product): Reading[] {
  return [0, MODIFIER.backward].flatMap((way) => {
    const find = (quantity: string): ParsedRecord | undefined =>
      records.find((r) => present(r) && r.quantity === quantity && (r.modifiers & MODIFIER.backward) === way);
    const active = find('energy');
    const reactive = find('reactiveEnergy');
    if (!active || !reactive) return [];
    const value = Math.hypot(active.value, reactive.value);
    return [
      { name: way ? 'apparentExport' : 'apparentImport', quantity: 'apparentEnergy', value, unit: 'VAh' },
    ];
  });
}

export const em24: Profile = {
  name: 'Carlo Gavazzi EM24',
  products: ['GAV/00/02', 'KAM/33/02'],
  formats: ['0405 04FB8275 04853C 04FB82F53C 01FD17'],
  more: apparent,
  examples: [
    {
      telegram: '2344361C7856341200027A2A00000004060300000004FB82751E00000004833C00000000',
      readings: [['apparentImport', 4242.640687119286]],
    },
  ],
};

/** Full frames come once in a while; those between have this layout. */
export const omnipower: Profile = {
  name: 'Kamstrup Omnipower',
  products: ['KAM/30/02'],
  formats: ['0404 04843C 042B 04AB3C'],
  examples: [
    {
      telegram: '1E442D2C78563412300279138CE1AB40E2010001000000FA00000000000000',
      readings: [
        ['total', 1_234_560],
        ['energy', 10],
        ['power', 250],
        ['power', 0],
      ],
    },
  ],
};

const FACTOR = { quantity: 'powerFactor', per: 1000 } as const;
const DEGREES = { quantity: 'phaseAngle', unit: 'deg', per: 10 } as const;
const PHASES = ['00', 'FF8100', 'FF8200', 'FF8300'];
const phaseName = (name: string, k: number): string => (k === 0 ? name : `${name}L${k}`);

const ABB_REGISTERS: readonly RecordField[] = [
  { name: 'frequency', record: '0AFFD900', quantity: 'frequency', unit: 'Hz', per: 100 },
  ...PHASES.map((phase, k) => ({ name: phaseName('powerFactor', k), record: `02FFE0${phase}`, ...FACTOR })),
  ...PHASES.map((phase, k) => ({ name: phaseName('phaseAngle', k), record: `02FFD2${phase}`, ...DEGREES })),
  { name: 'carbonDioxide', record: '0EFFF9C400', quantity: 'mass', unit: 'kg', per: 100 },
];

export const abbB23: Profile = {
  name: 'ABB A, B, C series',
  products: ['ABB/*/02'],
  records: ABB_REGISTERS,
  examples: [
    {
      telegram: '224442047856341220027A2A0000000AFFD900005002FFE0008E0302FFD2FF81003200',
      readings: [
        ['frequency', 50],
        ['powerFactor', 0.91],
        ['phaseAngleL1', 5],
      ],
    },
  ],
};

export const iem3000: Profile = {
  name: 'Schneider iEM3000',
  products: ['SEC/13/02', 'SEC/15/02', 'SEC/18/02'],
  records: [
    ...ABB_REGISTERS,
    { name: 'frequency', record: '05FF0B', quantity: 'frequency', unit: 'Hz' },
    { name: 'nominalFrequency', record: '03FF24', quantity: 'frequency', unit: 'Hz' },
    { name: 'powerFactor', record: '05FF0A', quantity: 'powerFactor' },
  ],
  examples: [
    {
      telegram: '2244A34C7856341218027A2A00000005FF0B0000484205FF0A0000803F03FF24320000',
      readings: [
        ['frequency', 50],
        ['nominalFrequency', 50],
        ['powerFactor', 1],
      ],
    },
  ],
};

const IME_ENERGY = { unit: 'Wh', times: 10 } as const;
/** DIB of the total, the two tariffs and the partial register. */
const IME_REGISTERS = [
  ['', '849010'],
  ['Tariff1', '8410'],
  ['Tariff2', '8420'],
  ['Partial', '84A010'],
] as const;
const IME_PHASES = [
  ['', '84B010'],
  ['L1', '848020'],
  ['L2', '849020'],
  ['L3', '84A020'],
] as const;
const imePhases = (name: string, vib: string, measure: Omit<RecordField, 'name' | 'record'>): RecordField[] =>
  IME_PHASES.map(([phase, dib]) => ({ name: name + phase, record: dib + vib, ...measure }));
const imeEnergy = (name: string, vib: string, quantity: string, unit: string): RecordField[] =>
  IME_REGISTERS.map(([register, dib]) => ({
    name: name + register,
    record: dib + vib,
    ...IME_ENERGY,
    quantity,
    unit,
  }));

export const imeConto: Profile = {
  name: 'IME Conto D4, Nemo D4',
  products: ['IME/66/02'],
  records: [
    ...imeEnergy('import', 'FF80843B', 'energy', 'Wh'),
    ...imeEnergy('export', 'FF80843C', 'energy', 'Wh'),
    ...imeEnergy('reactiveImport', 'FF81843B', 'reactiveEnergy', 'varh'),
    ...imeEnergy('reactiveExport', 'FF81843C', 'reactiveEnergy', 'varh'),
    ...imePhases('power', 'FF842B', { quantity: 'power', unit: 'W' }),
    ...imePhases('reactivePower', 'FF852B', { quantity: 'reactivePower', unit: 'var' }),
    ...imePhases('apparentPower', 'FF862B', { quantity: 'apparentPower', unit: 'VA' }),
    ...imePhases('voltage', 'FF8748', { quantity: 'voltage', unit: 'V', per: 10 }),
    ...imePhases('phaseVoltage', 'FF8848', { quantity: 'voltage', unit: 'V', per: 10 }),
    ...imePhases('current', 'FF8959', { quantity: 'current', unit: 'A', per: 1000 }),
    { name: 'frequency', record: '02FF8A48', quantity: 'frequency', unit: 'Hz', per: 10 },
    { name: 'powerFactor', record: '82B010FF8B28', quantity: 'powerFactor', per: 1000 },
    { name: 'pulseInput', record: '04FF9029', quantity: 'count', per: 100 },
    { name: 'powerDemand', record: '8410FF8D2B', quantity: 'power', unit: 'W' },
    { name: 'maximumPowerTariff1', record: '8410FF8E2B', quantity: 'power', unit: 'W' },
    { name: 'maximumPowerTariff2', record: '8420FF8E2B', quantity: 'power', unit: 'W' },
    { name: 'operatingTime', record: '84B010FF8F21', quantity: 'duration', unit: 's', times: 60 },
    { name: 'operatingTimeTariff1', record: '8410FF8F21', quantity: 'duration', unit: 's', times: 60 },
    { name: 'operatingTimeTariff2', record: '8420FF8F21', quantity: 'duration', unit: 's', times: 60 },
  ],
  examples: [
    {
      telegram: '2944A5257856341266027A2A000000849010FF80843B40E2010084B010FF842BE803000002FF8A48F401',
      readings: [
        ['import', 1234560],
        ['power', 1000],
        ['frequency', 50],
      ],
    },
  ],
};

export const imeNemo: Profile = {
  name: 'IME Nemo 96, D4-Le',
  products: ['IME/1D/02'],
  records: [{ name: 'frequency', record: '05FF5A', quantity: 'frequency', unit: 'Hz', per: 10 }],
  examples: [{ telegram: '1544A525785634121D027A2A00000005FF5A0000FA43', readings: [['frequency', 50]] }],
};
