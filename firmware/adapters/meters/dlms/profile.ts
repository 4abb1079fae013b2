/** A meter's load profile: what it captures, and its rows of a stretch of time, by range, by entry or as a whole. */
import {
  type Asked,
  byEntry,
  byRange,
  type Column,
  cosemStamp,
  type Data,
  obisBytes,
  readBuffer,
  readColumns,
  type Scaling,
  selects,
} from '../../../codecs/dlms/index.ts';
import type { ProfileSection } from '../../../codecs/load-profile.ts';
import { localMs } from '../../../domain/calendar.ts';
import { HearthError } from '../../../domain/errors.ts';
import { isSummer, type Season } from '../../../domain/meter-time.ts';
import type { WallMs } from '../../../domain/time.ts';
import type { Stretch } from '../profile-gaps.ts';
import type { DlmsProfile } from './options.ts';
import { accessFault, scalingsOf } from './registers.ts';
import type { DlmsTalk } from './talk.ts';

/** What is known of a profile after its first visit. */
export interface ProfileBook {
  readonly columns: readonly Column[];
  readonly scalings: readonly (Scaling | null)[];
  readonly periodMs: number;
  readonly access: 'range' | 'entry' | 'whole';
}

/** Part of a profile: its rows, and the end of the time for which there are no others. */
interface Piece {
  readonly section: ProfileSection;
  readonly completeMs: WallMs;
}

const PROFILE_CLASS = 7;
const ATTRIBUTE = { buffer: 2, columns: 3, period: 4, order: 5, entries: 7 };
const ENTRIES_AT_ONCE = 96;
const LAST_IN_FIRST_OUT = 2;

const part = (code: string, attribute: number): Asked => ({
  classId: PROFILE_CLASS,
  obis: obisBytes(code) ?? new Uint8Array(6),
  attribute,
});

/** Rejects with OBJECT_UNDEFINED or ACCESS_DENIED when there is no such profile. */
export async function openProfile(talk: DlmsTalk, { code, periodMs }: DlmsProfile): Promise<ProfileBook> {
  const captured = await read(talk, part(code, ATTRIBUTE.columns));
  const columns = readColumns(captured);
  if (!columns) throw new HearthError('BAD_VALUE', `${code}: its capture objects cannot be read`);
  const period = await talk.one(part(code, ATTRIBUTE.period));
  const seconds = period.ok ? whole(period.data) : 0;
  const scalings = await scalingsOf(talk, columns);
  const { session } = talk;
  return {
    columns,
    scalings: scalings.map((s) => s.scaling),
    periodMs: seconds > 0 ? seconds * 1000 : periodMs,
    access: session && selects(session.client) ? 'range' : 'whole',
  };
}

interface ProfileQuestion {
  readonly profile: DlmsProfile;
  readonly book: ProfileBook;
  readonly stretches: readonly Stretch[];
  readonly timeZone: string;
}

/**
 * The rows of the stretches, oldest first, each piece as soon as it is here. A meter that refuses a selection by range
 * is asked by entry, then for all it has.
 */
export async function fetchProfile(
  talk: DlmsTalk,
  question: ProfileQuestion,
  take: (piece: Piece) => void,
): Promise<ProfileBook['access']> {
  const { book, profile } = question;
  let { access } = book;
  for (const [i, stretch] of access === 'range' ? question.stretches.entries() : []) {
    const answer = await talk.one({
      ...part(profile.code, ATTRIBUTE.buffer),
      selection: range(stretch, question),
    });
    if (answer.ok) take(piece(answer.data, stretch, question, i < question.stretches.length - 1));
    else if (i === 0 && REFUSES_SELECTOR.has(answer.error)) {
      access = 'entry';
      break;
    } else throw refusal(profile.code, answer.error);
  }
  if (access === 'entry') access = await byEntries(talk, question, take);
  if (access === 'whole') {
    const all = overall(question);
    take(piece(await read(talk, part(profile.code, ATTRIBUTE.buffer)), all, question, false));
  }
  return access;
}

const REFUSES_SELECTOR = new Set([
  'scope-of-access-violated',
  'type-unmatched',
  'other-reason',
  'hardware-fault',
]);

const overall = ({ stretches }: ProfileQuestion): Stretch => ({
  afterMs: stretches[0]?.afterMs ?? 0,
  untilMs: stretches.at(-1)?.untilMs ?? 0,
});

/** As many of the newest entries as there are periods missing; from the oldest on, so that no hole is left. */
async function byEntries(
  talk: DlmsTalk,
  question: ProfileQuestion,
  take: (piece: Piece) => void,
): Promise<ProfileBook['access']> {
  const { profile, book } = question;
  const { code } = profile;
  const inUse = whole(await read(talk, part(code, ATTRIBUTE.entries)));
  const order = await talk.one(part(code, ATTRIBUTE.order));
  const newestFirst = order.ok && whole(order.data) === LAST_IN_FIRST_OUT;
  const all = overall(question);
  // Some more than that: the meter adds rows at events.
  const missing = Math.min(inUse, Math.ceil((all.untilMs - all.afterMs) / book.periodMs) + 8);
  const first = newestFirst ? 1 : inUse - missing + 1;
  const size = newestFirst ? missing : ENTRIES_AT_ONCE;
  let afterMs = all.afterMs;
  for (let from = first; from < first + missing; from += size) {
    const selection = byEntry(from, Math.min(from + size, first + missing) - 1);
    const answer = await talk.one({ ...part(code, ATTRIBUTE.buffer), selection });
    if (!answer.ok && from === first) return 'whole';
    if (!answer.ok) throw refusal(code, answer.error);
    const rows = piece(answer.data, { ...all, afterMs }, question, false);
    afterMs = rows.completeMs;
    take(rows);
  }
  return 'entry';
}

/** `settled`: nothing more is to come for this stretch, even where it holds fewer rows than periods. */
function piece(
  data: Data,
  { afterMs, untilMs }: Stretch,
  { book, timeZone }: ProfileQuestion,
  settled: boolean,
): Piece {
  const section = readBuffer(data, { ...book, timeZone, afterMs });
  if (!section.ok) throw new HearthError(section.error.code, section.error.message);
  const lastMs = section.value.rows.at(-1)?.endMs ?? afterMs;
  return { section: section.value, completeMs: settled ? Math.max(untilMs, lastMs) : lastMs };
}

/** From the first missing period on. The hour that comes twice is asked for from its beginning: rows known are left out. */
function range({ afterMs, untilMs }: Stretch, { timeZone, book }: ProfileQuestion): Uint8Array {
  const from = afterMs + book.periodMs;
  const season: Season = isSummer(from, timeZone) ? 'summer' : 'normal';
  const back = season === 'normal' && isSummer(from - 3_600_000, timeZone) ? 3_600_000 : 0;
  return byRange(stamp(from - back, timeZone), stamp(untilMs, timeZone));
}

const stamp = (atMs: WallMs, timeZone: string): Uint8Array =>
  cosemStamp(localMs(atMs, timeZone), atMs, isSummer(atMs, timeZone));

async function read(talk: DlmsTalk, asked: Asked): Promise<Data> {
  const answer = await talk.one(asked);
  if (answer.ok) return answer.data;
  throw refusal('the profile', answer.error);
}

function refusal(code: string, error: string): HearthError {
  const reason = accessFault(code, error);
  return new HearthError(reason.code, reason.message);
}

const whole = (data: Data): number =>
  data.kind === 'integer' || data.kind === 'enum' ? Number(data.value) : 0;
