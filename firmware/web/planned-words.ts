/**
 * What a plan has a device do, and what the other choice would cost: one row for each mode. A battery is known by the
 * `fill` that its reason carries.
 */
import { clause, number, type Phrase, text } from './phrase.ts';

export function plannedWords(say: Phrase): string {
  const mode = text(say.values, 'mode') ?? '';
  const doing = Object.hasOwn(MODES, mode) ? MODES[mode] : undefined;
  const { startNow, wait } = (isBattery(say) && OF_A_BATTERY[keeps(say) ? 'hold' : mode]) || USUAL;
  const words = doing?.(say) ?? 'Runs as planned';
  return (
    `${isPlan(say) ? `${words}${begins(say)}${say.until()}` : words.replace(/,? as planned,?/, '')}` +
    `${clause(', to be ready by ', say.time('byMs'))}${clause(' (power costs ', say.price('price'), ')')}.` +
    clause(` ${startNow} would cost `, say.money('startingNowCosts'), ' more.') +
    clause(` ${wait} would cost `, say.money('waitingCosts'), ' more.')
  );
}

const MODES: Readonly<Record<string, (say: Phrase) => string>> = {
  selfConsume: (say) => {
    if (keeps(say)) return keepsWords(say);
    return number(say.values, 'chargeUpTo_W') === 0
      ? 'Covers what the house uses, and charges later, as planned'
      : 'Stores spare sun and covers what the house uses, as planned';
  },
  hold: (say) => (isBattery(say) ? keepsWords(say) : 'Waits as planned'),
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

/** The other choice, by what is done now. */
const USUAL = { startNow: 'Starting now', wait: 'Waiting' };
const OF_A_BATTERY: Readonly<Record<string, typeof USUAL>> = {
  hold: { startNow: 'Using it now', wait: 'Keeping it' },
  charge: { startNow: 'Using it now', wait: 'Charging later' },
  discharge: { startNow: 'Charging now', wait: 'Keeping it' },
  selfConsume: { startNow: 'Charging from the grid now', wait: 'Keeping it' },
};

const isBattery = ({ values }: Phrase): boolean => 'fill' in values;
const keeps = ({ values }: Phrase): boolean =>
  values.mode === 'hold' || number(values, 'dischargeUpTo_W') === 0;
const keepsWords = (say: Phrase): string =>
  `Keeps what it holds${clause(' (', say.share('fill'), ')')} for later as planned`;
const full = (say: Phrase): string => clause(' (now ', say.share('fill'), ' full)');
const warmth = (say: Phrase): string => clause(' (now ', say.degrees('temperature_C'), ')');
