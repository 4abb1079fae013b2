/**
 * Load profiles as meters of IEC 62056-21 send them in programming mode (R5, R6): a header
 * `P.01(time)(status)(period)(n)(code)(unit)…` and one line of n values a period, until the next event makes the meter
 * send a header anew (VDEW requirements for load profile meters 2.1, 10.3).
 */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import { meterInstant } from '../../domain/meter-time.ts';
import type { Quality } from '../../domain/telegram.ts';
import type { WallMs } from '../../domain/time.ts';
import type { ProfileRow, ProfileSection } from '../load-profile.ts';
import { readLine } from './data-set.ts';
import type { Read } from './programming.ts';
import { readStamp } from './stamp.ts';

/** Bits of the status word in the header. */
export const STATUS = {
  fatal: 0x01,
  clockReserveEmpty: 0x02,
  incomplete: 0x04,
  seasonChanged: 0x08,
  clockSet: 0x20,
  powerUp: 0x40,
  powerDown: 0x80,
} as const;

const CHANNELS_MAX = 32;

/** Asks a profile for the periods that end in (from, until]; times are written in the meter's own way. */
export function profileRead(profile: string, from: string, until: string): Read {
  return { name: 'R5', address: profile, argument: `${from};${until}` };
}

/**
 * The sections of a profile. A row that cannot be read is a missing period and keeps its place in time: the rows
 * behind it do not move. Never invents; what is no profile is refused. `afterMs` is the end of the last period known:
 * where stamps carry no season it tells the two hours at the end of summer time apart.
 */
export function readLoadProfile(
  text: string,
  timeZone: string,
  afterMs: WallMs | null = null,
): Result<readonly ProfileSection[]> {
  const sections: Mutable[] = [];
  let rows = 0;
  for (const line of text.split(/[\r\n]+/)) {
    if (line.trim() === '' || line.trim() === '!') continue;
    const current = sections.at(-1);
    if (!line.trimStart().startsWith('(')) {
      const section = header(line, timeZone, current?.rows.at(-1)?.endMs ?? afterMs);
      if (!section.ok) return section;
      sections.push(section.value);
    } else if (current) {
      if (++rows > LIMITS.iecProfileRows) return refuse('OVERSIZED', 'a load profile with too many rows');
      current.rows.push(row(line, current));
    } else return refuse('BAD_FRAME', 'a load profile begins without a header');
  }
  return ok(sections);
}

type Mutable = Omit<ProfileSection, 'rows'> & { rows: ProfileRow[] };

function header(line: string, timeZone: string, afterMs: WallMs | null): Result<Mutable> {
  const read = readLine(line);
  const set = read.ok ? read.value[0] : undefined;
  if (!set || !/^P\.\d\d$/.test(set.id.trim())) return refuse('BAD_FRAME', 'no header of a load profile');
  const [time = '', status = '', period = '', count = '', ...pairs] = set.groups;
  if (/^ERR/i.test(time)) return refuse('APPLICATION_ERROR', `the meter answers ${time.slice(0, 20)}`);
  const stamp = readStamp(time);
  const n = Number(count);
  const minutes = Number(period);
  if (!stamp || !/^[0-9A-Fa-f]{1,8}$/.test(status) || !Number.isInteger(n) || n < 1 || n > CHANNELS_MAX)
    return refuse('BAD_VALUE', `a malformed header of a load profile: ${line.slice(0, 40)}`);
  if (!(minutes > 0 && minutes <= 44_640) || pairs.length < 2 * n)
    return refuse(
      'BAD_VALUE',
      `a load profile with period "${period}" and ${pairs.length} groups of channels`,
    );
  return ok({
    startMs: meterInstant(stamp.local, stamp.season, timeZone, afterMs),
    season: stamp.season,
    status: Number.parseInt(status, 16),
    periodMs: minutes * 60_000,
    channels: Array.from({ length: n }, (_, i) => ({
      code: pairs[2 * i] ?? '',
      unit: pairs[2 * i + 1] ?? '',
    })),
    rows: [],
  });
}

function row(line: string, section: Mutable): ProfileRow {
  const endMs = section.startMs + section.rows.length * section.periodMs;
  const read = readLine(line.trim());
  const groups = read.ok ? (read.value[0]?.groups ?? []) : [];
  if (groups.length !== section.channels.length)
    return { endMs, quality: 'missing', values: section.channels.map(() => null) };
  const values = groups.map((g) => (/^[+-]?\d+(\.\d+)?$/.test(g.trim()) ? g.trim() : null));
  return { endMs, quality: qualityOf(section.status, section.rows.length === 0), values };
}

/** An event spoils the one period in which it happened, a lasting fault all of them. */
function qualityOf(status: number, first: boolean): Quality {
  if (status & STATUS.fatal) return 'invalid';
  const events = STATUS.incomplete | STATUS.clockSet | STATUS.powerUp | STATUS.powerDown;
  return status & STATUS.clockReserveEmpty || (first && status & events) ? 'doubtful' : 'good';
}
