/** Each line of a P1 telegram or an IEC 62056-21 readout, by what its OBIS code measures. */
import { meaningOf, parseObis } from '../../domain/obis.ts';
import { type Explain, explainLines } from '../explain.ts';

/** Codes of the protocol itself and of things that are no measurement. */
const NAMES: Readonly<Record<string, string>> = {
  '0.2.8': 'version of the telegram',
  '1.0.0': 'time of the meter',
  '96.1.0': 'identification of a meter',
  '96.1.1': 'identification of the meter',
  '96.14.0': 'tariff in force',
  '96.7.21': 'number of power failures',
  '96.7.9': 'number of long power failures',
  '99.97.0': 'log of long power failures',
  '98.1.0': 'peaks of the months before',
  '96.13.0': 'text message',
  '24.1.0': 'type of a meter behind this one',
};

/** IEC 62056-21 starts the data block with it. */
const STX = String.fromCharCode(2);

function means(line: string): string {
  const text = line.replaceAll(STX, '').trim();
  if (text === '') return 'empty line';
  if (text.startsWith('/')) return `start: manufacturer ${text.slice(1, 4)}, identification ${text.slice(4)}`;
  if (text.startsWith('!')) return text.length > 1 ? `end, CRC ${text.slice(1)}` : 'end';
  const code = /^[^(]*/.exec(text)?.[0] ?? '';
  const obis = parseObis(code);
  if (!obis) return 'a data line of no known code';
  const measured = meaningOf(obis);
  if (!measured) return NAMES[`${obis.c}.${obis.d}.${obis.e}`] ?? `OBIS ${code}, not one that the house uses`;
  const { quantity, phase, tariff, channel } = measured;
  const parts: string[] = [quantity];
  if (phase > 0) parts.push(`phase L${phase}`);
  if (tariff > 0) parts.push(`tariff ${tariff}`);
  if (channel > 0) parts.push(`meter ${channel} behind this one`);
  return parts.join(', ');
}

export const explainP1: Explain = ({ bytes }) => explainLines(bytes, means);
