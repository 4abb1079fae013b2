/**
 * What a plan has a device do, and what the other choice would cost: one row for each mode. A battery is known by the
 * `fill` that its reason carries.
 */
import { capital, clause, number, type Phrase, text } from './phrase.ts';

export function plannedWords(say: Phrase): string {
  const mode = text(say.values, 'mode') ?? '';
  const doing = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
  const { begin, rest } = others(say, mode);
  const words = doing?.(say) ?? 'Runs as planned';
  return (
    `${isPlan(say) ? `${words}${begins(say)}${say.until()}` : words.replace(/,? as planned,?/, '')}` +
    `${clause(', to be ready by ', say.time('byMs'))}${clause(' (power costs ', say.price('price'), ')')}.` +
    clause(` ${begin} would cost `, say.money('startingNowCosts'), ' more.') +
    clause(` ${rest} would cost `, say.money('waitingCosts'), ' more.')
  );
}

const MODES: Readonly<Record<string, (say: Phrase) => string>> = {
  selfConsume: (say) => {
    const takes = number(say.values, 'chargeUpTo_W') !== 0;
    if (number(say.values, 'dischargeUpTo_W') === 0)
      return takes ? `Stores spare sun, and ${keepsWords(say)}` : capital(keepsWords(say));
    return takes
      ? 'Stores spare sun and covers what the house uses, as planned'
      : 'Covers what the house uses, and charges later, as planned';
  },
  hold: (say) => (isBattery(say) ? capital(keepsWords(say)) : 'Waits as planned'),
  charge: (say) =>
    isBattery(say) ? `Charges, also from the grid, as planned${full(say)}` : 'Runs as planned',
  discharge: (say) => `Gives what it holds to house and grid as planned${full(say)}`,
  gridTarget: (say) => `Keeps the power at the grid${clause(' at ', say.power('grid_W'))} as planned`,
  surplus: (say) => {
    const needs = say.power('needs_W');
    return needs === null
      ? 'Takes only what the sun gives, as planned,'
      : `Waits for ${needs} of sun to spare, as planned,`;
  },
  off: () => 'Waits as planned',
  heat: (say) => `${HEAT[text(say.values, 'level') ?? ''] ?? 'Heats as planned'}${warmth(say)}`,
  produce: () => 'Produces as planned',
};

const HEAT: Readonly<Record<string, string>> = {
  off: 'Pauses as planned',
  reduced: 'Heats gently as planned',
  normal: 'Heats as planned',
  boost: 'Heats ahead as planned',
};

/** Without a plan a store does the usual, of which no time is said. */
const isPlan = ({ values }: Phrase): boolean =>
  (number(values, 'untilMs') ?? Infinity) > (number(values, 'fromMs') ?? 0);

/** What has begun needs no beginning. */
const begins = (say: Phrase): string =>
  (number(say.values, 'fromMs') ?? 0) > say.place.nowMs ? clause(' from ', say.time('fromMs')) : '';

/** The other choice: of what rests to begin, of what runs to rest. */
function others(say: Phrase, mode: string): { readonly begin: string; readonly rest: string } {
  if (!isBattery(say)) return { begin: 'Starting now', rest: 'Waiting' };
  const rest = { charge: 'Charging later', discharge: 'Keeping it' }[mode] ?? 'Resting';
  return { begin: 'Charging now', rest };
}

const isBattery = ({ values }: Phrase): boolean => 'fill' in values;
const keepsWords = (say: Phrase): string =>
  `keeps what it holds${clause(' (', say.share('fill'), ')')} for later as planned`;
const full = (say: Phrase): string => clause(' (now ', say.share('fill'), ' full)');
const warmth = (say: Phrase): string => clause(' (now ', say.degrees('temperature_C'), ')');
