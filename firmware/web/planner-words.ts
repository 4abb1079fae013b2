/** What became of planning, for "What happened". */
import { ERRORS } from '../domain/errors.ts';

const MADE = new Map([
  ['solver', 'Your devices are planned ahead.'],
  ['stand-in', 'Your devices are planned ahead by the simple method: the better one had no time.'],
  ['last plan', 'The last plan goes on: a new one could not be made.'],
]);
const NONE = new Map([
  ['NO_CLOCK', 'Nothing is planned ahead: the time of day is not known.'],
  ['NO_PRICE', 'Nothing is planned ahead: no prices are known.'],
  ['NO_NEED', 'Nothing is planned ahead: no device can be planned.'],
]);

/** @param source of the certificate: `solver`, `stand-in` or `last plan` */
export function plannerWords(code: string, source: unknown): string {
  if (code === 'PLANNED') return MADE.get(String(source)) ?? 'Your devices are planned ahead.';
  const why = new Map<string, string>(Object.entries(ERRORS)).get(code) ?? code;
  return NONE.get(code) ?? `Planning ahead had trouble: ${why}.`;
}
