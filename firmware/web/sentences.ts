/**
 * Reasons and states as one plain sentence each. One table per kind of thing, so that another language is another
 * table. Values that a reason does not carry are left out of its sentence.
 */
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import type { ActiveLimit, Override } from '../domain/image.ts';
import type { InstructionStatus, Reason, ReasonCode } from '../domain/instruction.ts';
import type { ResourceHealth } from '../domain/resource-manager.ts';
import { capital, clause, number, Phrase, type Place, type Values } from './phrase.ts';
import { plannedWords } from './planned-words.ts';

const REASONS: Readonly<Record<ReasonCode, (say: Phrase) => string>> = {
  GRID_LIMIT: (say) =>
    `${capital(say.source())} limits ${scopeWords(say.text('scope'))}` +
    `${clause(' to ', say.power('limit_W'))}${say.until()}.`,
  FAILSAFE_LIMIT: (say) =>
    `No word from ${say.source()}: the agreed safe limit` +
    `${clause(' of ', say.power('limit_W'))} holds until it is heard again.`,
  RESTORING: (say) =>
    `The limit of ${say.source()} is over; loads come back one after another${say.until()}.`,
  GRID_ASKS: (say) =>
    `${capital(say.source())} asks for more to be drawn now${clause(' (', say.power('setPoint_W'), ')')}.`,
  ADMISSION_ASKED: (say) => `Asked ${say.source()} whether it may start${say.until()}.`,
  ADMISSION_LATER: (say) =>
    `${capital(say.source())} asked for a later start${clause(': not before ', say.time('fromMs'))}.`,
  ADMISSION_GRANTED: (say) => `${capital(say.source())} lets it start.`,
  ADMISSION_UNANSWERED: (say) => `${capital(say.source())} did not answer whether it may start; it may.`,
  HOUSE_FUSE: (say) =>
    `Held back so that the main fuse${clause(' of ', amps(number(say.values, 'fuse_A')))} is not overloaded.`,
  MINIMUM_ON: (say) => `Stays on${say.left()}: it should not be switched too often.`,
  MINIMUM_OFF: (say) => `Stays off${say.left()}: it should not be switched too often.`,
  SETTLING: (say) =>
    say.text('awaits') === 'meter'
      ? 'Waits a moment until the meter shows what the last change did.'
      : 'Was just turned down; it waits a minute before it is turned up again.',
  TOO_COLD: (say) =>
    `Heats${clause(': ', say.degrees('temperature_C'))}${clause(' is below the ', say.degrees('lo_C'), ' you asked for')}.`,
  WARM_ENOUGH: (say) => `Warm enough${clause(' (', say.degrees('temperature_C'), ')')}.`,
  PRICE_WAIT: (say) =>
    `Waits${clause(' until ', say.time('fromMs', 'atMs'))} for cheaper power` +
    `${clause(' (now ', say.price('price'), ')')}.` +
    clause(' Starting now would cost ', say.money('startingNowCosts'), ' more.'),
  PRICE_RUN: (say) =>
    `Runs now because power is cheap${clause(' (', say.price('price'), ')')}${say.until()}.` +
    clause(' Waiting would cost ', say.money('waitingCosts'), ' more.'),
  DEADLINE_RUN: (say) => `Runs now so that it is ready${clause(' by ', say.time('byMs'))}.`,
  OWN_SOLAR: (say) =>
    `Follows your own solar power${clause(' (', say.power('surplus_W'), ' to spare)')}.` +
    clause(' From the grid now it would cost ', say.money('startingNowCosts'), ' more.'),
  NO_PRICE: () => 'No price is known for now, so the price does not decide.',
  NO_CLOCK: () => 'The time of day is not known yet, so prices and schedules do not count.',
  STALE_METER: (say) =>
    say.text('power') === 'doubtful'
      ? 'The meter sends a power that it does not vouch for, so nothing is turned up until it does.'
      : 'The meter is silent, so nothing is turned up until it is heard again.',
  DEVICE_LOST: (say) =>
    `The device does not answer${clause('; it is counted with ', say.power('worstCase_W'))}.`,
  OWNER_NOW: (say) => `You asked for it to run now${say.until()}.`,
  OWNER_NOT_BEFORE: (say) => `You asked it to wait${clause(' until ', say.time('atMs', 'untilMs'))}.`,
  OWNER_OFF: () => 'You switched it off.',
  EXPORT_LIMIT: (say) =>
    `${capital(say.source())} allows feeding in` +
    `${clause(' at most ', say.power('limit_W'))}${say.until()}.`,
  EXPORT_COSTS: (say) =>
    `Gives no more than the house takes: feeding in would cost${clause(' ', say.price('costs')) || ' money'}.`,
  FREE: () => 'Nothing holds it back.',
  GUARD: (say) =>
    `The safety check lowered it${clause(' to ', say.power('allowed_W'))}${clause(' (', say.text('check'), ')')}.`,
  NO_NEED: () => 'It needs no energy for now.',
  PROGRAM_RUNS: (say) => `Its program has begun and runs${say.left()}: it is not interrupted.`,
  PEAK: (say) =>
    `Gives way while the rest of the house draws more` +
    `${clause(': above ', say.power('importUpTo_W'), ' a higher peak would be billed')}.` +
    clause(' Going on for a quarter hour would cost ', say.money('goingOnCosts'), ' more.'),
  PLANNED: plannedWords,
};

const amps = (value: number | null): string | null => (value === null ? null : `${value} A`);
const scopeWords = (scope: string | null): string =>
  scope === 'controllable' ? 'the controllable devices' : 'the house';

export const isReasonCode = (code: string): code is ReasonCode => Object.hasOwn(REASONS, code);
const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERRORS, code);

export const REASON_CODES = Object.keys(REASONS).filter(isReasonCode);

export const reasonSentence = ({ code, values }: Reason, place: Place): string =>
  reasonWords(code, values, place);

/** The same of values that were read back, from the journal. */
export const reasonWords = (code: ReasonCode, values: Values, place: Place): string =>
  REASONS[code](new Phrase(values, place));

export function limitSentence({ restoring, ...limit }: ActiveLimit, place: Place): string {
  const imports = limit.source === 'failsafe' ? 'FAILSAFE_LIMIT' : 'GRID_LIMIT';
  const code = limit.direction === 'export' ? 'EXPORT_LIMIT' : imports;
  return reasonSentence({ code: restoring ? 'RESTORING' : code, values: { ...limit } }, place);
}

export function overrideSentence(override: Override, place: Place): string | null {
  switch (override.kind) {
    case 'automatic':
      return null;
    case 'now':
      return reasonSentence({ code: 'OWNER_NOW', values: { untilMs: override.untilMs } }, place);
    case 'notBefore':
      return reasonSentence({ code: 'OWNER_NOT_BEFORE', values: { atMs: override.atMs } }, place);
    case 'runBy':
      return `You asked for one run${clause(', done by ', new Phrase({ byMs: override.byMs }, place).time('byMs'))}.`;
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

export const STATUS: Readonly<Record<InstructionStatus, string>> = {
  NEW: 'was given an instruction',
  ACCEPTED: 'accepted the instruction',
  REJECTED: 'rejected the instruction',
  STARTED: 'is carrying out the instruction',
  SUCCEEDED: 'carried out the instruction',
  ABORTED: 'could not carry out the instruction',
  REVOKED: 'was given a newer instruction',
};
export const isStatus = (code: string): code is InstructionStatus => Object.hasOwn(STATUS, code);

/** The catalogue's sentence for a code, or the code itself where it is not in the catalogue. */
export function codeWords(code: string): string {
  return isErrorCode(code) ? ERRORS[code] : code;
}

export const statusSentence = (name: string, status: InstructionStatus): string =>
  `${name} ${STATUS[status]}.`;
