/** "What happened": each entry of the journal as one plain sentence. */
import type { ShortfallReason } from '../domain/command-report.ts';
import { METER_EVENTS, type MeterEventCode } from '../domain/meter-event.ts';
import type { ResourceHealth } from '../domain/resource-manager.ts';
import { capital, clause, number, Phrase, type Place, text, type Values } from './phrase.ts';
import { plannerWords } from './planner-words.ts';
import { NOT_ASKED, settingWords } from './program-view.ts';
import { codeWords, isReasonCode, isStatus, reasonWords, STATUS } from './sentences.ts';

/** The part of a journal entry that a sentence is made of. */
export interface Event {
  readonly kind: string;
  readonly subject: string | null;
  readonly code: string;
  readonly detail: Values;
  /** It is about an appliance with a program: what is over there is a run. */
  readonly isProgram?: boolean;
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
    return isStatus(code)
      ? `${who} ${STATUS[code]}${clause(': ', setPoint(detail, place))}${clause(' (', cause(detail), ')')}.`
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
  override: ({ detail, isProgram = false }, who, place) =>
    `${who}: ${overrideWords(detail, isProgram, place)}`,
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
  METER_DOUBTFUL: 'the meter sends a power that it does not vouch for',
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
function decisionWords({ code, detail, isProgram }: Event, who: string, place: Place): string | null {
  if (!isReasonCode(code)) return null;
  const [first] = Array.isArray(detail.reasons) ? detail.reasons : [];
  const values = isRecord(first) && isRecord(first.values) ? first.values : detail;
  const words = (isProgram && ofProgram(code, values, place)) || reasonWords(code, values, place);
  return `${who}${clause(' set to ', setPoint(detail, place))}: ${words}`;
}

/** What is negative is given: by a roof, or by a battery. */
function setPoint(detail: Values, place: Place): string | null {
  const words = new Phrase(detail, place).power('setPoint_W');
  return words !== null && (number(detail, 'setPoint_W') ?? 0) < 0 ? `give up to ${words}` : words;
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

/** Where an appliance with a program has other words. */
function ofProgram(code: string, values: Values, place: Place): string | null {
  if (code === 'NO_NEED') return NOT_ASKED;
  const words = code === 'OWNER_NOW' ? settingWords(values, place) : null;
  return words && capital(words);
}

const SETTINGS: Readonly<Record<string, string>> = {
  begun: 'it was started while it had power for being set; its program runs to its end.',
  over: 'the time with power for setting it is over.',
};

const RUN_OVER = 'the run that you asked for is over.';
const WISH_OVER = 'what you asked for is over; it is back to automatic.';

function overrideWords(detail: Values, isProgram: boolean, place: Place): string {
  const say = new Phrase(detail, place);
  switch (text(detail, 'kind')) {
    case 'now':
      return (isProgram && settingWords(detail, place)) || `you asked for it to run now${say.until()}.`;
    case 'notBefore':
      return `you asked it to wait until ${say.time('atMs') ?? 'later'}.`;
    case 'runBy':
      return `you asked for one run${clause(', done by ', say.time('byMs'))}.`;
    case 'off':
      return 'you switched it off.';
    default:
      if (detail.isOver !== true) return 'you set it back to automatic.';
      return SETTINGS[text(detail, 'setting') ?? ''] ?? (isProgram ? RUN_OVER : WISH_OVER);
  }
}
