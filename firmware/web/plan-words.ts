/** "How good was the plan?" in sentences for the owner. Pure. */
import type { ForecastQuality, ForecastSource, HousePlan } from '../domain/house-plan.ts';
import { moneyWords, type Place, powerWords } from './phrase.ts';
import { timeWords } from './zone.ts';

/** Of the cost: what a household cannot tell from the best. */
const PROVEN = 0.001;

export function planSentences(plan: HousePlan, place: Place): string[] {
  const { madeMs, untilMs, quality } = plan;
  const at = (atMs: number): string => timeWords(place.timeZone, atMs, place.nowMs);
  return [
    `The plan was made at ${at(madeMs)} and goes until ${at(untilMs)}: so far prices are known.`,
    billSentence(plan, place),
    proofSentence(plan, place),
    ...forecastSentences(quality),
  ];
}

function billSentence({ bill }: HousePlan, { currency }: Place): string {
  return bill < -0.005
    ? `With it your home should earn ${moneyWords(-bill, currency)} until then.`
    : `With it your home should pay ${moneyWords(Math.abs(bill), currency)} until then.`;
}

function proofSentence({ certificate }: HousePlan, { currency }: Place): string {
  const { cost, bound, gap, source } = certificate;
  const how = {
    solver: '',
    'stand-in': 'It was made by the simple method, as the better one had no time. ',
    'last plan': 'It is the last plan carried on, as a new one could not be made. ',
  }[source];
  if (bound === null || gap === null) return `${how}How much better a plan could be is not known.`;
  if (gap <= PROVEN || cost - bound < 0.005) {
    return `${how}By what was forecast, no other plan would come cheaper, wear and what stays stored counted: that is proven.`;
  }
  return `${how}By what was forecast, no other plan could save more than ${moneyWords(cost - bound, currency)}, wear and what stays stored counted: that is proven.`;
}

function forecastSentences({ load, solar, temperature, hotWater }: HousePlan['quality']): string[] {
  const watts = ({ source, meanError_W, bias_W }: ForecastQuality): Off => [source, meanError_W, bias_W];
  return [
    forecastSentence('what your home uses', watts(load), powerWords),
    forecastSentence('your solar power', watts(solar), powerWords),
    ...(hotWater ? [forecastSentence('the hot water you need', watts(hotWater), powerWords)] : []),
    ...(temperature
      ? [
          forecastSentence(
            'the temperature outdoors',
            [temperature.source, temperature.meanError_C, temperature.bias_C],
            (error_C) => `${error_C.toFixed(1)} °C`,
          ),
        ]
      : []),
  ];
}

/** Source, mean error and bias, in one unit. */
type Off = readonly [source: ForecastSource, meanError: number | null, bias: number | null];

function forecastSentence(
  what: string,
  [source, error, bias]: Off,
  words: (error: number) => string,
): string {
  const start = {
    supplied: `The forecast of ${what} is supplied from outside`,
    history: `The forecast of ${what} comes from your home's own past`,
    'clear-sky': `The forecast of ${what} is that of a clear sky`,
    latest: `The forecast of ${what} is only its last value until enough days are known`,
    none: `There is no forecast of ${what} yet`,
  }[source];
  if (error === null || source === 'none') return `${start}.`;
  const lean = bias === null || Math.abs(bias) < error / 4 ? '' : leanWords(bias);
  return `${start}; on the last whole day it was off by ${words(error)} on average${lean}.`;
}

const leanWords = (bias: number): string => (bias > 0 ? ', mostly too high' : ', mostly too low');
