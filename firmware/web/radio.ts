/** Meters on the air that are not read: for the installer, who tries a key before it goes into the configuration. */
import { ok, refuse } from '../domain/errors.ts';
import type { HeardMeter, KeyTrial, RadioEar } from '../domain/radio.ts';
import type { WebDeps } from './deps.ts';
import { displayed } from './displayed.ts';
import { type Route, route } from './route.ts';
import { heardSchema, keySchema, trialSchema } from './schema.ts';
import { codeWords } from './sentences.ts';

export function radioRoutes({ radios = [], radioRows = [] }: WebDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/radio/meters',
      summary: 'Wireless meters that are heard and not read, the last heard first',
      access: 'session',
      answer: heardSchema,
      handle: () =>
        ok({
          meters: radios
            .flatMap((radio, index) => radio.heard().map((meter) => heardView(meter, radioRows[index])))
            .sort((a, b) => b.lastMs - a.lastMs),
        }),
    }),
    route({
      method: 'POST',
      path: '/radio/key',
      summary: 'Tries a key on the encrypted telegrams of a meter that were kept; the key is not',
      access: 'session',
      body: keySchema,
      answer: trialSchema,
      refusals: ['NOT_FOUND', 'NO_TELEGRAM'],
      handle: ({ body }) => {
        const trial = tryKey(radios, body.meter, Buffer.from(body.key, 'hex'));
        return trial.ok ? ok({ ...trial.value, sentence: trialSentence(trial.value) }) : trial;
      },
    }),
  ];
}

/** On the first receiver that has telegrams of the meter. */
function tryKey(radios: readonly RadioEar[], meter: string, key: Uint8Array): ReturnType<RadioEar['tryKey']> {
  const trials = radios.map((radio) => radio.tryKey(meter, key));
  const refused = trials.find((trial) => !trial.ok && trial.error.code !== 'NOT_FOUND') ?? trials[0];
  return trials.find((trial) => trial.ok) ?? refused ?? refuse('NOT_FOUND', 'no radio receiver');
}

/** FLAG codes of the makers whose wireless meters hang in most homes. */
const MAKERS = new Map([
  ['ACW', 'Itron'],
  ['APA', 'Apator'],
  ['AXI', 'Axioma'],
  ['BMT', 'BMETERS'],
  ['DME', 'Diehl Metering'],
  ['EFE', 'Engelmann'],
  ['ELS', 'Elster'],
  ['EMH', 'EMH'],
  ['ESY', 'EasyMeter'],
  ['HYD', 'Hydrometer'],
  ['IST', 'ista'],
  ['ITW', 'Itron'],
  ['KAM', 'Kamstrup'],
  ['LUG', 'Landis+Gyr'],
  ['MAD', 'Maddalena'],
  ['QDS', 'Qundis'],
  ['SEN', 'Sensus'],
  ['SON', 'Sontex'],
  ['TCH', 'Techem'],
  ['ZRI', 'Zenner'],
]);

/** With what the installer asks of it: who made it, whether it is encrypted, and the row that would read it. */
export function heardView(meter: HeardMeter, line: Readonly<Record<string, unknown>> = {}) {
  const { id, manufacturer, medium = 'meter', kept, configured } = meter;
  const kind =
    medium
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 16) || 'meter';
  const name = `${kind}-${id.toLowerCase().slice(-4)}`;
  const words = kind === 'meter' ? 'wireless' : kind.replaceAll('-', ' ');
  const row = {
    id: name,
    name: `${words.charAt(0).toUpperCase()}${words.slice(1)} meter`,
    protocol: 'wmbus',
    role: 'sub',
    address: manufacturer === undefined ? id : `${manufacturer} ${id}`,
    ...line,
    ...(kept > 0 && { key: { file: `${name}-key` } }),
  };
  return {
    ...meter,
    maker: MAKERS.get(manufacturer ?? '') ?? manufacturer ?? null,
    encrypted: kept > 0,
    row: configured ? null : row,
  };
}

const MOST_SAID = 3;

/** `The key opens all 3 telegrams: total 412.506 m³. Compare it with the meter's display.` */
export function trialSentence({ tried, opened, refused, readings }: KeyTrial): string {
  if (opened === 0) return `The key does not open the telegrams of this meter${because(refused)}.`;
  const count = opened === tried ? `all ${tried}` : `${opened} of ${tried}`;
  const opens = `The key opens ${tried === 1 ? 'the telegram' : `${count} telegrams`}`;
  const values = readings
    .filter((reading) => typeof reading.value === 'number')
    .slice(0, MOST_SAID)
    .map(({ name, quantity = '', obis = '', value = null, unit = '' }) =>
      `${name ?? (quantity || obis)} ${displayed(quantity, value, unit)}`.trim(),
    );
  if (values.length === 0) return `${opens}${because(refused)}, but no value was read.`;
  return `${opens}: ${values.join(', ')}. Compare with the meter's display.`;
}

const because = (refused: KeyTrial['refused']): string =>
  refused === null ? '' : ` (${codeWords(refused.code)})`;
