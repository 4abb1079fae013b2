/**
 * What single makers leave out of their pushes, as data: the codes of lists that have none, the scale of numbers
 * without scaler and unit.
 */

/** A list without codes: what stands at each place. */
interface PositionalList {
  /** One letter an item: `o` octets or text, `d` date-time, `n` number, `-` null. */
  readonly shape: string;
  /** `A-B:C.D.E` of each item; empty for one that is shown without code. */
  readonly codes: readonly string[];
}

const CLOCK = '0-0:1.0.0';
const NORWEGIAN_HEAD = ['1-1:0.2.129', '0-0:96.1.0', '0-0:96.1.7'];
const codes = (group: string, ...quantities: number[]): string[] =>
  quantities.map((c) => `1-0:${c}.${group}`);
const POWERS = codes('7.0', 1, 2, 3, 4);
const ENERGIES = codes('8.0', 1, 2, 3, 4);
const ONE_PHASE = codes('7.0', 31, 32);
const THREE_PHASES = codes('7.0', 31, 51, 71, 32, 52, 72);

export const POSITIONAL_LISTS: readonly PositionalList[] = [
  // Kaifa MA105H2E, MA304H3E, MA304H4 (Norway, NEK HAN): list 1, lists 2 and 3 with one phase and with three.
  { shape: 'n', codes: codes('7.0', 1) },
  { shape: 'ooonnnnnn', codes: [...NORWEGIAN_HEAD, ...POWERS, ...ONE_PHASE] },
  { shape: 'ooonnnnnndnnnn', codes: [...NORWEGIAN_HEAD, ...POWERS, ...ONE_PHASE, CLOCK, ...ENERGIES] },
  { shape: 'ooonnnnnnnnnn', codes: [...NORWEGIAN_HEAD, ...POWERS, ...THREE_PHASES] },
  { shape: 'ooonnnnnnnnnndnnnn', codes: [...NORWEGIAN_HEAD, ...POWERS, ...THREE_PHASES, CLOCK, ...ENERGIES] },
  // Wiener Netze: Iskraemeco AM550 and, with the device name first, Siemens IM350.
  { shape: 'dnnnnnnnn', codes: [CLOCK, ...ENERGIES, ...POWERS] },
  { shape: 'odnnnnnnnn', codes: ['0-0:42.0.0', CLOCK, ...ENERGIES, ...POWERS] },
];

/** What is known of the sender before its numbers are read. */
export interface Sender {
  /** All texts of the push: list version (`AIDON_V0001`, `KFM_001`, `Kamstrup_V0001`), device type, numbers. */
  readonly texts: readonly string[];
  /** Three letters of the system title or of the logical device name. */
  readonly manufacturer: string;
  /** Whether a value came under this code. */
  readonly has: (code: string) => boolean;
}

const says =
  (form: RegExp) =>
  ({ texts }: Sender): boolean =>
    texts.some((text) => form.test(text));
const isKaifa = says(/^KFM_|^MA\d{3}H\d/);
const isKamstrup = says(/^Kamstrup/);

export type ScaledKind = 'energy' | 'power' | 'voltage' | 'current';

export interface SenderProfile {
  readonly manufacturer: string;
  readonly is: (sender: Sender) => boolean;
  /** Power of ten to the unit of the house for numbers sent bare; null: not known, the number is shown bare. */
  readonly exponents: Readonly<Record<ScaledKind, number | null>>;
  /** C of codes that this device does not measure and sends as 0. */
  readonly notMeasured?: readonly number[];
}

export const SENDERS: readonly SenderProfile[] = [
  {
    // For Norwegian IT nets: no neutral, L2 is not measured (UtilitechAS/amsreader-firmware#182, #731).
    manufacturer: 'KFM',
    is: says(/^MA304H3E/),
    exponents: { energy: 0, power: 0, voltage: -1, current: -3 },
    notMeasured: [51, 52],
  },
  {
    manufacturer: 'KFM',
    is: isKaifa,
    exponents: { energy: 0, power: 0, voltage: -1, current: -3 },
  },
  {
    // Meters behind current transformers.
    manufacturer: 'KAM',
    is: (sender) => isKamstrup(sender) && says(/^685\d/)(sender),
    exponents: { energy: 1, power: 0, voltage: 0, current: -3 },
  },
  {
    manufacturer: 'KAM',
    is: (sender) => isKamstrup(sender) || sender.manufacturer === 'KAM',
    exponents: { energy: 1, power: 0, voltage: 0, current: -2 },
  },
  {
    manufacturer: 'AID',
    is: says(/^AIDON/),
    exponents: { energy: 0, power: 0, voltage: -1, current: -1 },
  },
  {
    // L+G E450 and E360 send hundredths of an ampere and, unlike the E570, their meter number.
    manufacturer: 'LGZ',
    is: ({ manufacturer, has }) => manufacturer === 'LGZ' && has('0-0:96.1.1*255'),
    exponents: { energy: 0, power: 0, voltage: 0, current: -2 },
  },
  {
    manufacturer: 'ISK',
    is: ({ manufacturer }) => manufacturer === 'ISK',
    exponents: { energy: 0, power: 0, voltage: 0, current: -2 },
  },
];

/** Of a maker without a row: energy and power are in Wh and W by all that is known, amperes differ. */
export const UNKNOWN_SENDER: SenderProfile = {
  manufacturer: '',
  is: () => true,
  exponents: { energy: 0, power: 0, voltage: 0, current: null },
};
