/**
 * Reasons, states and journal entries as one plain sentence each. One table per kind of thing, so that another
 * language is another table. Values that a reason does not carry are left out of its sentence.
 */
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import type { ActiveLimit, Override } from '../domain/image.ts';
import type { InstructionStatus, Reason, ReasonCode } from '../domain/instruction.ts';
import type { ResourceHealth } from '../domain/resource-manager.ts';
import type { WallMs } from '../domain/time.ts';
import { timeWords } from './zone.ts';

/** Where and when a sentence is said. */
export interface Place {
  readonly nowMs: WallMs;
  readonly timeZone: string;
  readonly currency: string;
}

type Values = Readonly<Record<string, unknown>>;

const number = (values: Values, ...names: readonly string[]): number | null => {
  for (const name of names) {
    const value = values[name];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return null;
};
const text = (values: Values, name: string): string | null => {
  const value = values[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

/** `640 W`, `4.2 kW`; the sign is left to the words around it. */
export function powerWords(power_W: number): string {
  const size = Math.abs(power_W);
  if (size < 995) return `${Math.round(size)} W`;
  return `${(size / 1000).toFixed(size < 9_950 ? 1 : 0).replace(/\.0$/, '')} kW`;
}

/** Price per kWh from currency per Wh. */
export function priceWords(price: number, currency: string): string {
  return `${(price * 1000).toFixed(3).replace(/0$/, '')} ${currency === 'EUR' ? '€' : currency}/kWh`;
}

const clause = (before: string, value: string | null, after = ''): string =>
  value === null ? '' : `${before}${value}${after}`;

class Phrase {
  readonly values: Values;
  readonly place: Place;

  constructor(values: Values, place: Place) {
    this.values = values;
    this.place = place;
  }

  power(...names: string[]): string | null {
    const value = number(this.values, ...names);
    return value === null ? null : powerWords(value);
  }

  time(...names: string[]): string | null {
    const value = number(this.values, ...names);
    return value === null ? null : timeWords(this.place.timeZone, value, this.place.nowMs);
  }

  price(...names: string[]): string | null {
    const value = number(this.values, ...names);
    return value === null ? null : priceWords(value, this.place.currency);
  }

  text(name: string): string | null {
    return text(this.values, name);
  }

  until(): string {
    return clause(' until ', this.time('untilMs'));
  }
}

const REASONS: Readonly<Record<ReasonCode, (say: Phrase) => string>> = {
  GRID_LIMIT: (say) =>
    `${capital(say.text('source') ?? 'the grid operator')} limits ${scopeWords(say.text('scope'))}` +
    `${clause(' to ', say.power('limit_W'))}${say.until()}.`,
  FAILSAFE_LIMIT: (say) =>
    `No word from ${say.text('source') ?? 'the grid operator'}: the agreed safe limit` +
    `${clause(' of ', say.power('limit_W'))} holds until it is heard again.`,
  HOUSE_FUSE: (say) =>
    `Held back so that the main fuse${clause(' of ', amps(number(say.values, 'fuse_A')))} is not overloaded.`,
  MINIMUM_ON: (say) => `Stays on${say.until()}: it should not be switched too often.`,
  MINIMUM_OFF: (say) => `Stays off${say.until()}: it should not be switched too often.`,
  SETTLING: () => 'Was just turned down; it waits a minute before it is turned up again.',
  PRICE_WAIT: (say) =>
    `Waits for cheaper power${clause(' at ', say.time('atMs', 'fromMs', 'startMs', 'untilMs'))}` +
    `${clause(' (now ', say.price('price', 'price_perWh'), ')')}.`,
  PRICE_RUN: (say) =>
    `Runs now because power is cheap${clause(' (', say.price('price', 'price_perWh'), ')')}${say.until()}.`,
  DEADLINE_RUN: (say) =>
    `Runs now so that it is ready${clause(' by ', say.time('byMs', 'deadlineMs', 'untilMs'))}.`,
  OWN_SOLAR: (say) =>
    `Follows your own solar power${clause(' (', say.power('surplus_W', 'solar_W', 'power_W'), ' to spare)')}.`,
  NO_PRICE: () => 'No price is known for now, so the price does not decide.',
  NO_CLOCK: () => 'The time of day is not known yet, so prices and schedules do not count.',
  STALE_METER: () => 'The meter is silent, so nothing is turned up until it is heard again.',
  DEVICE_LOST: (say) =>
    `The device does not answer${clause('; it is counted with ', say.power('worstCase_W'))}.`,
  OWNER_NOW: (say) => `You asked for it to run now${say.until()}.`,
  OWNER_NOT_BEFORE: (say) => `You asked it to wait${clause(' until ', say.time('atMs', 'untilMs'))}.`,
  OWNER_OFF: () => 'You switched it off.',
  EXPORT_LIMIT: (say) =>
    `${capital(say.text('source') ?? 'the grid operator')} allows feeding in` +
    `${clause(' at most ', say.power('limit_W'))}${say.until()}.`,
  FREE: () => 'Nothing holds it back.',
  GUARD: (say) => `The safety check lowered it${clause(' to ', say.power('allowed_W', 'limit_W'))}.`,
  NO_NEED: () => 'It needs no energy for now.',
  PLANNED: (say) =>
    `Runs as planned${clause(' from ', say.time('fromMs'))}${clause(' until ', say.time('untilMs'))}.`,
};

const capital = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
const amps = (value: number | null): string | null => (value === null ? null : `${value} A`);
const scopeWords = (scope: string | null): string =>
  scope === 'controllable' ? 'the controllable devices' : 'the house';

const isReasonCode = (code: string): code is ReasonCode => Object.hasOwn(REASONS, code);
const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

export const REASON_CODES = Object.keys(REASONS).filter(isReasonCode);

export function reasonSentence(reason: Reason, place: Place): string {
  return REASONS[reason.code](new Phrase(reason.values, place));
}

export function limitSentence(limit: ActiveLimit, place: Place): string {
  const code = limit.direction === 'export' ? 'EXPORT_LIMIT' : 'GRID_LIMIT';
  return reasonSentence({ code, values: { ...limit } }, place);
}

export function overrideSentence(override: Override, place: Place): string | null {
  switch (override.kind) {
    case 'automatic':
      return null;
    case 'now':
      return reasonSentence({ code: 'OWNER_NOW', values: { untilMs: override.untilMs } }, place);
    case 'notBefore':
      return reasonSentence({ code: 'OWNER_NOT_BEFORE', values: { atMs: override.atMs } }, place);
    case 'off':
      return reasonSentence({ code: 'OWNER_OFF', values: {} }, place);
  }
}

export const HEALTH: Readonly<Record<ResourceHealth, string>> = {
  connecting: 'Connecting: no answer yet.',
  ok: 'Working.',
  silent: 'Silent: it has not been heard for too long. Is it plugged in?',
  faulty: 'Faulty: it answers, but wrongly.',
};

const STATUS: Readonly<Record<InstructionStatus, string>> = {
  NEW: 'was given an instruction',
  ACCEPTED: 'accepted the instruction',
  REJECTED: 'rejected the instruction',
  STARTED: 'is carrying out the instruction',
  SUCCEEDED: 'carried out the instruction',
  ABORTED: 'could not carry out the instruction',
  REVOKED: 'was given a newer instruction',
};
const isStatus = (code: string): code is InstructionStatus => Object.hasOwn(STATUS, code);

/** The catalogue's sentence for a code, or the code itself where it is not in the catalogue. */
export function codeWords(code: string): string {
  return isErrorCode(code) ? ERRORS[code] : code;
}

export const statusSentence = (name: string, status: InstructionStatus): string =>
  `${name} ${STATUS[status]}.`;

/** The part of a journal entry that a sentence is made of. */
export interface Event {
  readonly kind: string;
  readonly subject: string | null;
  readonly code: string;
  readonly detail: Values;
}

const SIGNALS: Readonly<Record<string, string>> = {
  importPrice: 'prices for power from the grid',
  exportPrice: 'prices for power fed in',
  co2: 'a CO₂ forecast',
  importLimit: 'a limit for power from the grid',
  exportLimit: 'a limit for feeding in',
  alert: 'an alert',
};

/** One sentence for "What happened". `name` turns a device or meter id into what the owner calls it. */
export function journalSentence(event: Event, name: (id: string) => string, place: Place): string {
  const who = event.subject === null ? 'The gateway' : name(event.subject);
  const say = new Phrase(event.detail, place);
  const detail = say.text('message') ?? say.text('text');
  if ((event.kind === 'decision' || event.kind === 'guard') && isReasonCode(event.code)) {
    return `${capital(who)}${clause(' set to ', say.power('setPoint_W'))}: ${REASONS[event.code](say)}`;
  }
  if (event.kind === 'command' && isStatus(event.code)) {
    return `${who} ${STATUS[event.code]}${clause(': ', say.power('setPoint_W', 'power_W'))}${clause(' (', say.text('reason'), ')')}.`;
  }
  switch (event.kind) {
    case 'signal':
      return `${capital(who)} sent ${SIGNALS[say.text('kind') ?? ''] ?? 'a signal'}${clause(': ', say.power('limit_W'))}${say.until()}.`;
    case 'rejected':
      return `A message from ${who} was refused: ${detail ?? codeWords(event.code)}.`;
    case 'override':
      return `${who}: ${overrideWords(event.detail, place)}`;
    default:
      return `${who}: ${detail ?? codeWords(event.code)}.`;
  }
}

function overrideWords(detail: Values, place: Place): string {
  const say = new Phrase(detail, place);
  switch (text(detail, 'kind')) {
    case 'now':
      return `you asked for it to run now${say.until()}.`;
    case 'notBefore':
      return `you asked it to wait until ${say.time('atMs') ?? 'later'}.`;
    case 'off':
      return 'you switched it off.';
    default:
      return 'you set it back to automatic.';
  }
}
