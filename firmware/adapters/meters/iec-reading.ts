/** One visit to a meter of IEC 62056-21: sign-on, then its readout or the reads of programming mode. */
import {
  type Answer,
  type Identification,
  type Password,
  programming,
  type Read,
  readLoadProfile,
  readReadout,
  receiveReadout,
  SIGN_ON,
  type SignedOn,
  signOn,
} from '../../codecs/iec62056-21/index.ts';
import type { ProfileSection } from '../../codecs/load-profile.ts';
import { type Fault, ok, type Result } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Telegram } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';
import type { Dialogue } from './dialogue.ts';

export interface Visit {
  readonly address: string;
  /** Speed of the first contact. */
  readonly baudRate: number;
  readonly wakeUp: boolean;
  /** Stay at the speed of the first contact. */
  readonly stay: boolean;
  readonly timeZone: string;
  /** How often the sign-on is tried; absent is as often as the limits say. */
  readonly attempts?: number;
  /** Null for the readout. */
  readonly programming: {
    readonly password: Password | null;
    readonly reads: readonly Read[];
    /** End of the last period of the profile that is known. */
    readonly afterMs: WallMs;
  } | null;
}

export interface Findings {
  readonly identification: Identification | null;
  readonly telegram: Telegram | null;
  /** Profile answers in the order of their reads; what was read before a failure is among them. */
  readonly profile: readonly ProfileSection[];
  /** How many profile reads were answered, by a profile or by a refusal. */
  readonly profileAnswers: number;
  /** Single reads that the meter refuses, or whose answer is no data. */
  readonly refused: readonly Fault[];
  /** Why the visit ended early, null when it went well. */
  readonly reason: Fault | null;
}

const NOTHING: Findings = {
  identification: null,
  telegram: null,
  profile: [],
  profileAnswers: 0,
  refused: [],
  reason: null,
};

export async function visit(dialogue: Dialogue, wanted: Visit): Promise<Findings> {
  const canChangeSpeed = await dialogue.setLine({ ...SIGN_ON, baudRate: wanted.baudRate });
  const signed = await dialogue.run(
    signOn({
      attempts: LIMITS.iecRepeats,
      ...wanted,
      canChangeSpeed,
      want: wanted.programming ? 'programming' : 'readout',
    }),
  );
  if (signed.name !== 'done') return { ...NOTHING, reason: signed.name === 'failed' ? signed.reason : null };
  return wanted.programming
    ? readRegisters(dialogue, signed.result, wanted, wanted.programming)
    : readAll(dialogue, signed.result);
}

async function readAll(dialogue: Dialogue, signed: SignedOn): Promise<Findings> {
  const { identification } = signed;
  const end = await dialogue.run(receiveReadout(signed));
  if (end.name !== 'done')
    return { ...NOTHING, identification, reason: end.name === 'failed' ? end.reason : null };
  const telegram = readReadout(end.frame);
  return telegram.ok
    ? { ...NOTHING, identification, telegram: telegram.value }
    : { ...NOTHING, identification, reason: telegram.error };
}

async function readRegisters(
  dialogue: Dialogue,
  { identification }: SignedOn,
  { timeZone }: Visit,
  { password, reads, afterMs }: NonNullable<Visit['programming']>,
): Promise<Findings> {
  const { reactionMinMs } = identification;
  const end = await dialogue.run(programming({ password, reads, reactionMinMs }));
  if (end.name !== 'done' && end.name !== 'failed') return NOTHING;
  const profiles: Result<readonly ProfileSection[]>[] = [];
  let lastMs = afterMs;
  for (const answer of end.answers.filter((a) => isProfile(a.read))) {
    const profile = profileOf(answer, timeZone, lastMs);
    profiles.push(profile);
    if (profile.ok) lastMs = profile.value.at(-1)?.rows.at(-1)?.endMs ?? lastMs;
  }
  const registers = registersOf(
    identification,
    end.answers.filter((a) => !isProfile(a.read)),
  );
  return {
    identification,
    telegram: registers?.ok ? registers.value : null,
    profile: profiles.flatMap((p) => (p.ok ? p.value : [])),
    profileAnswers: profiles.length,
    refused: [...profiles, ...(registers ? [registers] : [])].flatMap((r) => (r.ok ? [] : [r.error])),
    reason: end.name === 'failed' ? end.reason : null,
  };
}

const isProfile = (read: Read): boolean => read.address.startsWith('P.');

function profileOf(
  { data, refusal, read }: Answer,
  timeZone: string,
  afterMs: WallMs,
): Result<readonly ProfileSection[]> {
  if (data !== null) return readLoadProfile(data, timeZone, afterMs);
  // "No data for this range" is an answer, not a failure: VDEW gives error 03 to it.
  if (refusal && /0*3$/.test(refusal)) return ok([]);
  return { ok: false, error: { code: 'APPLICATION_ERROR', message: `${read.address}: ${refusal}` } };
}

/** The answers as one telegram. Some meters repeat the code before its brackets, some do not. */
function registersOf(identification: Identification, answers: readonly Answer[]): Result<Telegram> | null {
  const lines = answers.flatMap(({ data, read }) =>
    data === null ? [] : [data.trimStart().startsWith('(') ? `${read.address}${data.trim()}` : data.trim()],
  );
  if (lines.length === 0) return null;
  return readReadout({ identification: identification.line, text: lines.join('\r\n'), bcc: 'valid' });
}
