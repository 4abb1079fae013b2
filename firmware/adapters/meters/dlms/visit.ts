/** One visit to a meter that is asked over DLMS: sign-on where the port wants it, association, values, profile. */
import {
  type Asked,
  type CosemInstant,
  cosemInstant,
  obisBytes,
  type SessionOptions,
  textOf,
} from '../../../codecs/dlms/index.ts';
import { SIGN_ON, signOn } from '../../../codecs/iec62056-21/index.ts';
import type { ProfileSection } from '../../../codecs/load-profile.ts';
import { type Fault, HearthError } from '../../../domain/errors.ts';
import { LIMITS } from '../../../domain/limits.ts';
import type { LineSettings } from '../../../domain/link.ts';
import type { Telegram } from '../../../domain/telegram.ts';
import type { Dialogue } from '../dialogue.ts';
import type { Stretch } from '../profile-gaps.ts';
import { type DlmsOptions, publicOptions } from './options.ts';
import { fetchProfile, openProfile, type ProfileBook } from './profile.ts';
import { findRegisters, type Register, readingsOf } from './registers.ts';
import { type Counters, DlmsTalk } from './talk.ts';

/** What is learnt of a meter once and holds until another one answers. */
export interface MeterBook {
  /** Logical device name. */
  readonly name: string | null;
  readonly registers: readonly Register[] | null;
  /** `absent`: the meter has none, or does not give it to us. */
  readonly profile: ProfileBook | 'absent' | null;
}

export const EMPTY_BOOK: MeterBook = { name: null, registers: null, profile: null };

export interface Visit {
  readonly dlms: DlmsOptions;
  /** Of the sign-on. */
  readonly address: string;
  readonly timeZone: string;
  readonly session: SessionOptions;
  readonly counters: Counters | null;
  /** Ask the meter, as public client, which counter it expects. */
  readonly wantsCounter: boolean;
  /** The line on which a dialogue was cut off: the meter still listens there. */
  readonly cutOff: LineSettings | null;
  readonly stretches: readonly Stretch[];
}

interface VisitEvents {
  /** The meter's own time, at the moment it came. */
  clock(clock: CosemInstant): void;
  values(telegram: Telegram, clock: CosemInstant | null): void;
  profile(section: ProfileSection, completeMs: number): void;
  /** Another meter answers than before. */
  replaced(before: string, now: string): void;
  /** A message was dropped, or the meter refused an object. */
  fault(reason: Fault): void;
  /** The line changed to HDLC, or is free again. */
  line(settings: LineSettings | null): void;
}

/** Rejects with the coded reason; what was read before is handed on. Returns what is known for the next time. */
export async function visit(
  dialogue: Dialogue,
  wanted: Visit,
  book: MeterBook,
  events: VisitEvents,
): Promise<MeterBook> {
  if (wanted.dlms.modeE) await toHdlc(dialogue, wanted, events);
  if (wanted.wantsCounter && wanted.counters) await askCounter(dialogue, wanted, wanted.counters, events);
  const talk = await DlmsTalk.open(dialogue, wanted.session, wanted.counters, {
    dropped: (reason) => events.fault(reason),
    closed: () => events.line(null),
  });
  let known = book;
  try {
    known = await readValues(talk, wanted, book, events);
    known = await readProfile(talk, wanted, known, events);
  } finally {
    await talk.close();
  }
  return known;
}

/** The optical port begins at 300 baud and is changed to HDLC by its sign-on (IEC 62056-21, annex B). */
async function toHdlc(
  dialogue: Dialogue,
  { dlms, address, cutOff }: Visit,
  events: VisitEvents,
): Promise<void> {
  if (cutOff) {
    await dialogue.setLine(cutOff);
    return;
  }
  const { baudRate } = dlms;
  const canChangeSpeed = await dialogue.setLine({ ...SIGN_ON, baudRate });
  const signed = await dialogue.run(
    signOn({
      address,
      baudRate,
      wakeUp: false,
      canChangeSpeed,
      stay: false,
      want: 'hdlc',
      attempts: LIMITS.iecRepeats,
    }),
  );
  if (signed.name === 'failed') throw new HearthError(signed.reason.code, signed.reason.message);
  if (signed.name === 'done') events.line(signed.result.line);
}

async function askCounter(
  dialogue: Dialogue,
  { dlms, session }: Visit,
  { own }: Counters,
  events: VisitEvents,
): Promise<void> {
  const obis = dlms.counterCode === null ? null : obisBytes(dlms.counterCode);
  if (!obis) return;
  // The line stays in HDLC for the dialogue that follows.
  const talk = await DlmsTalk.open(dialogue, publicOptions(session), null, {
    dropped: (reason) => events.fault(reason),
    closed: () => {},
  });
  try {
    const answer = await talk.one({ classId: 1, obis, attribute: 2 });
    if (answer.ok && answer.data.kind === 'integer') own.advance(Number(answer.data.value) + 1);
  } finally {
    await talk.close();
  }
}

const NAME: Asked = { classId: 1, obis: Uint8Array.of(0, 0, 42, 0, 0, 255), attribute: 2 };
const CLOCK: Asked = { classId: 8, obis: Uint8Array.of(0, 0, 1, 0, 0, 255), attribute: 2 };

async function readValues(
  talk: DlmsTalk,
  { dlms, timeZone }: Visit,
  book: MeterBook,
  events: VisitEvents,
): Promise<MeterBook> {
  const known = await whoIsThere(talk, book, events);
  const [time] = await talk.ask([CLOCK]);
  const clock = time?.ok ? cosemInstant(time.data, timeZone) : null;
  if (clock) events.clock(clock);
  const found = known.registers
    ? { registers: known.registers, faults: [], settled: true }
    : await findRegisters(talk, dlms.registers);
  const { registers } = found;
  const { readings, faults } = readingsOf(registers, await talk.ask(registers));
  events.values({ ...(known.name !== null && { meter: { id: known.name } }), readings }, clock);
  for (const reason of [...found.faults, ...faults]) events.fault(reason);
  return { ...known, registers: found.settled ? registers : null };
}

/** What was learnt belongs to one meter: another one is asked anew what it has. */
async function whoIsThere(talk: DlmsTalk, book: MeterBook, events: VisitEvents): Promise<MeterBook> {
  const answer = await talk.one(NAME);
  const name = answer.ok ? textOf(answer.data) : null;
  if (name === null || name === book.name) return book;
  if (book.name !== null) events.replaced(book.name, name);
  return book.name === null ? { ...book, name } : { ...EMPTY_BOOK, name };
}

async function readProfile(
  talk: DlmsTalk,
  { dlms, timeZone, stretches }: Visit,
  book: MeterBook,
  events: VisitEvents,
): Promise<MeterBook> {
  const { profile } = dlms;
  if (!profile || stretches.length === 0 || book.profile === 'absent') return book;
  try {
    const opened = book.profile ?? (await openProfile(talk, profile));
    const question = { profile, book: opened, stretches, timeZone };
    const access = await fetchProfile(talk, question, ({ section, completeMs }) =>
      events.profile(section, completeMs),
    );
    return { ...book, profile: { ...opened, access } };
  } catch (error) {
    const absent =
      error instanceof HearthError && (error.code === 'OBJECT_UNDEFINED' || error.code === 'ACCESS_DENIED');
    if (!absent) throw error;
    events.fault({ code: error.code, message: error.message });
    return { ...book, profile: 'absent' };
  }
}
