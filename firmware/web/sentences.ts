/**
 * Reasons, states and journal entries as one plain sentence each. One table per kind of thing, so that another
 * language is another table. Values that a reason does not carry are left out of its sentence.
 */
import type { ShortfallReason } from '../domain/command-report.ts';
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import type { ActiveLimit, Override } from '../domain/image.ts';
import type { InstructionStatus, Reason, ReasonCode } from '../domain/instruction.ts';
import { METER_EVENTS, type MeterEventCode } from '../domain/meter-event.ts';
import type { ResourceHealth } from '../domain/resource-manager.ts';
import type { WallMs } from '../domain/time.ts';
import { plannerWords } from './planner-words.ts';
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
  const cents = currency === 'EUR' || currency === 'USD';
  return cents ? `${(price * 100_000).toFixed(1)} ct/kWh` : `${(price * 1000).toFixed(3)} ${currency}/kWh`;
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

  /** `for 4 more minutes` from a duration. */
  left(): string {
    const leftMs = number(this.values, 'leftMs');
    if (leftMs === null) return this.until();
    const minutes = Math.max(1, Math.ceil(leftMs / 60_000));
    return minutes === 1 ? ' for another minute' : ` for ${minutes} more minutes`;
  }

  /** Who sent a signal; `failsafe` is what we agreed on for when nobody sends one. */
  source(): string {
    const source = this.text('source');
    return source === null || source === 'failsafe' ? 'the grid operator' : source;
  }

  price(...names: string[]): string | null {
    const value = number(this.values, ...names);
    return value === null ? null : priceWords(value, this.place.currency);
  }

  /** `0.84 EUR`; null for what would not show. */
  money(name: string): string | null {
    const value = number(this.values, name);
    return value === null || value < 0.005 ? null : `${value.toFixed(2)} ${this.place.currency}`;
  }

  degrees(name: string): string | null {
    const value = number(this.values, name);
    return value === null ? null : `${value.toFixed(1)} °C`;
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
    clause(' A pause of a quarter of an hour would cost ', say.money('waitingCosts'), ' more.'),
  DEADLINE_RUN: (say) => `Runs now so that it is ready${clause(' by ', say.time('byMs'))}.`,
  OWN_SOLAR: (say) =>
    `Follows your own solar power${clause(' (', say.power('surplus_W'), ' to spare)')}.` +
    clause(' From the grid now it would cost ', say.money('startingNowCosts'), ' more.'),
  NO_PRICE: () => 'No price is known for now, so the price does not decide.',
  NO_CLOCK: () => 'The time of day is not known yet, so prices and schedules do not count.',
  STALE_METER: () => 'The meter is silent, so nothing is turned up until it is heard again.',
  DEVICE_LOST: (say) =>
    `The device does not answer${clause('; it is counted with ', say.power('worstCase_W'))}.`,
  OWNER_NOW: (say) => `You asked for it to run now${say.until()}.`,
  OWNER_NOT_BEFORE: (say) => `You asked it to wait${clause(' until ', say.time('atMs', 'untilMs'))}.`,
  OWNER_OFF: () => 'You switched it off.',
  EXPORT_LIMIT: (say) =>
    `${capital(say.source())} allows feeding in` +
    `${clause(' at most ', say.power('limit_W'))}${say.until()}.`,
  FREE: () => 'Nothing holds it back.',
  GUARD: (say) =>
    `The safety check lowered it${clause(' to ', say.power('allowed_W'))}${clause(' (', say.text('check'), ')')}.`,
  NO_NEED: () => 'It needs no energy for now.',
  PLANNED: (say) =>
    `${plannedWords(say.text('mode'), say.power('needs_W'))}${clause(' from ', say.time('fromMs'))}${clause(' until ', say.time('untilMs'))}.`,
};

const plannedWords = (mode: string | null, needs: string | null): string => {
  if (mode === 'surplus' && needs !== null) return `Waits for ${needs} of sun to spare, as planned,`;
  if (mode === 'off' || mode === 'hold') return 'Waits as planned';
  if (mode === 'surplus') return 'Takes only what the sun gives, as planned,';
  return mode === 'selfConsume' ? 'Keeps the house off the grid as planned' : 'Runs as planned';
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
  solarForecast: 'a forecast of the sun on the roof',
  temperatureForecast: 'a forecast of the temperature outdoors',
  importLimit: 'a limit for power from the grid',
  exportLimit: 'a limit for feeding in',
  setPoint: 'a set-point',
  alert: 'an alert',
};

/** One sentence for "What happened". `name` turns a device or meter id into what the owner calls it. */
export function journalSentence(event: Event, name: (id: string) => string, place: Place): string {
  const who = event.subject === null ? null : capital(name(event.subject));
  return EVENTS[event.kind]?.(event, who ?? 'The gateway', place) ?? plainly(event, who);
}

const SIGNAL_NEWS: Readonly<Record<string, string>> = {
  CANCELLED: 'A signal was withdrawn.',
  HELD: 'The clock was set while a limit was in force; the limit goes on for the time it had left.',
};

const EVENTS: Readonly<Record<string, (event: Event, who: string, place: Place) => string | null>> = {
  decision: decisionWords,
  guard: decisionWords,
  command: ({ code, detail }, who, place) => {
    const power = new Phrase(detail, place).power('setPoint_W');
    return isStatus(code)
      ? `${who} ${STATUS[code]}${clause(': ', power)}${clause(' (', cause(detail), ')')}.`
      : null;
  },
  signal: ({ code, detail }, who, place) => SIGNAL_NEWS[code] ?? `${who} sent ${signalWords(detail, place)}.`,
  rejected: ({ subject, code, detail }, who) =>
    `A message${subject === null ? '' : ` from ${who}`} was refused: ${text(detail, 'message') ?? codeWords(code)}.`,
  system: ({ subject, code, detail }, who) => {
    if (isMeterEvent(code)) return `${who}: ${METER_EVENTS[code]}${clause(' (', kept(detail), ')')}.`;
    if (subject === 'planner') return plannerWords(code, detail.source);
    if (subject !== 'broker') return null;
    return code === 'CONNECTED'
      ? "Connected to the grid's signals."
      : `The connection to the grid's signals is gone (${codeWords(code)}).`;
  },
  limit: ({ code, detail }, _who, place) => limitWords(code, detail, place),
  override: ({ detail }, who, place) => `${who}: ${overrideWords(detail, place)}`,
  fault: ({ code, detail }, who) => {
    const health = code.toLowerCase();
    return isHealth(health) ? `${who} ${HEARD[health]}${clause(' (', cause(detail), ')')}.` : null;
  },
};

const isMeterEvent = (code: string): code is MeterEventCode => Object.hasOwn(METER_EVENTS, code);

/** The value that a meter kept at a due date. */
function kept(detail: Values): string | null {
  const [value, unit, date] = [number(detail, 'value'), text(detail, 'unit'), text(detail, 'date')];
  return value === null || date === null ? null : `${value}${clause(' ', unit)}, ${date.replace('T', ' ')}`;
}

/** What a signal says and from when; a limit whose value is null lifts the limit. */
function signalWords(detail: Values, place: Place): string {
  const kind = text(detail, 'kind') ?? '';
  const what = SIGNALS[kind] ?? 'a signal';
  if (!kind.endsWith('Limit') || !isRecord(detail.first)) return what;
  const say = new Phrase(detail.first, place);
  const size = say.power('value') ?? 'none';
  const from = number(detail.first, 'fromMs') ?? 0;
  return `${what}: ${size}${from > place.nowMs ? clause(' from ', say.time('fromMs')) : ''}${say.until()}`;
}

const TURNS: Readonly<Record<string, string>> = {
  BEGUN: 'holds from now on',
  REACHED: 'is met',
  EXCEEDED: 'cannot be met',
  OVER: 'is over',
};
const SHORTFALLS: Readonly<Record<ShortfallReason, string>> = {
  HOUSEHOLD_LOAD: 'what cannot be steered draws more than that',
  DEVICE_LOST: 'a device does not answer',
  DEVICE_DISOBEYS: 'a device does not do what it was told',
  DEVICE_MINIMUM: 'a device cannot be turned down further',
  UNSTEERED_PRODUCTION: 'production that cannot be turned down is more than that',
  METER_SILENT: 'the meter is silent',
};

const isBelow = (values: Values, less: string, more: string): boolean =>
  (number(values, less) ?? 0) < (number(values, more) ?? 0);

/** What became of a limit. */
function limitWords(code: string, detail: Values, place: Place): string | null {
  const turn = TURNS[code];
  if (turn === undefined) return null;
  const { shortfall } = detail;
  const reason = isRecord(shortfall) ? SHORTFALLS[text(shortfall, 'reason') as ShortfallReason] : undefined;
  const say = new Phrase(detail, place);
  const what = text(detail, 'direction') === 'export' ? 'feeding in' : 'power from the grid';
  return (
    `The limit of ${say.source()} for ${what}` +
    `${clause(' (', say.power('limit_W'), ')')} ${turn}${clause(': ', reason ?? null)}.` +
    (code === 'BEGUN' && isBelow(detail, 'limit_W', 'guaranteed_W')
      ? clause(' It has to leave ', say.power('guaranteed_W'), ' to the controllable devices.')
      : '')
  );
}

const HEARD: Readonly<Record<ResourceHealth, string>> = {
  connecting: 'is being connected',
  ok: 'works',
  silent: 'has fallen silent',
  faulty: 'answers wrongly',
};
const isHealth = (code: string): code is ResourceHealth => Object.hasOwn(HEARD, code);

/** A decision carries its reasons with their values; a bare code carries them beside the set-point. */
function decisionWords({ code, detail }: Event, who: string, place: Place): string | null {
  if (!isReasonCode(code)) return null;
  const [first] = Array.isArray(detail.reasons) ? detail.reasons : [];
  const values = isRecord(first) && isRecord(first.values) ? first.values : detail;
  const power = new Phrase(detail, place).power('setPoint_W');
  return `${who}${clause(' set to ', power)}: ${REASONS[code](new Phrase(values, place))}`;
}

const isRecord = (value: unknown): value is Values => typeof value === 'object' && value !== null;

/** The message of the fault that an entry carries, without its full stop. */
function cause(detail: Values): string | null {
  const given = detail.fault ?? detail.reason;
  const words = isRecord(given) ? text(given, 'message') : text(detail, 'reason');
  return words === null ? null : words.replace(/\.$/, '');
}

function plainly({ code, detail }: Event, who: string | null): string {
  const words = (text(detail, 'message') ?? text(detail, 'text') ?? codeWords(code)).replace(/\.$/, '');
  return who === null ? `${capital(words)}.` : `${who}: ${words}.`;
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
      return detail.isOver === true
        ? 'what you asked for is over; it is back to automatic.'
        : 'you set it back to automatic.';
  }
}
