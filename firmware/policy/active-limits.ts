/** Which commandable limits are in force now: overlapping events become one limit per direction and scope. */
import type { ActiveLimit, Image } from '../domain/image.ts';
import type { LimitScope, Signal, SignalInterval } from '../domain/signal.ts';

type Direction = ActiveLimit['direction'];
type Now = Pick<Image, 'signals' | 'wallMs' | 'wallTrusted' | 'site'>;

interface Candidate {
  readonly signal: Signal;
  readonly interval: SignalInterval;
}

/** A set-point of the site is a limit from above; what it asks for from below is `askedFor_W`. */
const KINDS: Readonly<Record<Direction, readonly Signal['kind'][]>> = {
  import: ['importLimit', 'setPoint'],
  export: ['exportLimit'],
};

/**
 * Of one source the event with the best priority decides, the tighter one on a tie (OpenADR 3 leaves the tie
 * open); between sources the tightest holds, because each of them must be obeyed. An interval whose value is null
 * says "no limit" and, when it wins, lifts the weaker events of its source. Without a trusted clock nobody can say
 * that a stored limit is over, so every stored one counts as in force. A limit that is over is given up slowly.
 */
export function activeLimits(image: Now): ActiveLimit[] {
  const limits: ActiveLimit[] = [];
  for (const direction of ['import', 'export'] as const) {
    for (const scope of ['site', 'controllable'] as const) {
      const limit = limitFor(image, direction, scope);
      if (limit) limits.push(limit);
    }
  }
  return limits;
}

/** What the operator asks the site to draw now, in W: the least of all set-points; null when there is none. */
export function askedFor_W(image: Now): number | null {
  const asked = [...bySource(image, ['setPoint'], null).values()].flatMap(
    (said) => decider(said.filter((one) => isNow(image, one)))?.interval.value ?? [],
  );
  return asked.length > 0 ? Math.min(...asked) : null;
}

function limitFor(image: Now, direction: Direction, scope: LimitScope): ActiveLimit | null {
  const limits = [...bySource(image, KINDS[direction], scope).values()].map((said) => {
    const now = decider(said.filter((one) => isNow(image, one)));
    return (now && limitOf(image, direction, now)) ?? aftermath(image, direction, said);
  });
  return limits.reduce((a, b) => (a === null || (b !== null && b.limit_W < a.limit_W) ? b : a), null);
}

/** What each source says, or said so lately that its aftermath may hold. */
function bySource(
  { signals, wallMs, wallTrusted }: Now,
  kinds: readonly Signal['kind'][],
  scope: LimitScope | null,
): Map<string, Candidate[]> {
  const commands = signals.filter(
    (s) => s.binding === 'commandable' && kinds.includes(s.kind) && (scope === null || s.scope === scope),
  );
  const sinceMs = wallMs - Math.max(0, ...commands.map(restoreMs));
  const said = new Map<string, Candidate[]>();
  for (const signal of commands) {
    const own = said.get(signal.source) ?? [];
    for (const interval of signal.intervals) {
      const matters = interval.fromMs <= wallMs && interval.untilMs > sinceMs;
      if (matters || !wallTrusted) own.push({ signal, interval });
    }
    said.set(signal.source, own);
  }
  return said;
}

/** For so long after its end a limit is given up slowly. */
export const restoreMs = ({ restore }: Signal): number => (restore ? restore.delayMs + restore.rampMs : 0);

/** Of what one source says of one moment the event that decides. */
const decider = (said: readonly Candidate[]): Candidate | null =>
  said.reduce<Candidate | null>((best, one) => (best && !beats(one, best) ? best : one), null);

function isNow({ wallMs, wallTrusted }: Now, { signal, interval }: Candidate): boolean {
  return wallTrusted ? isAt(interval, wallMs) : signal.cancelledMs === undefined;
}

const isAt = ({ fromMs, untilMs }: SignalInterval, atMs: number): boolean => fromMs <= atMs && atMs < untilMs;

function beats(a: Candidate, b: Candidate): boolean {
  if (a.signal.priority !== b.signal.priority) return a.signal.priority < b.signal.priority;
  return (a.interval.value ?? Infinity) < (b.interval.value ?? Infinity);
}

function limitOf(
  { wallTrusted }: Now,
  direction: Direction,
  { signal: { id, source, scope }, interval: { value, untilMs } }: Candidate,
): ActiveLimit | null {
  if (value === null) return null;
  return {
    limit_W: value,
    source,
    signalId: id,
    scope,
    direction,
    untilMs: wallTrusted ? untilMs : null,
  };
}

/**
 * After its end the limit that was in force holds for this home's share of chance, then rises to the rating of the
 * connection: loads come back one after another, and a street does not rebound at once (BK6-22-300 annex 1, 4.3).
 * What was outranked or lifted when it ended was not in force, and leaves nothing behind.
 */
function aftermath(image: Now, direction: Direction, said: readonly Candidate[]): ActiveLimit | null {
  if (!image.wallTrusted) return null;
  for (const endMs of turns(said, image.wallMs)) {
    const last = decider(said.filter(({ interval }) => isAt(interval, endMs - 1)));
    if (last && last.interval.value !== null) return restoring(image, direction, last, endMs);
  }
  return null;
}

/** When a limit of the source may have ceased to hold, the latest first: at its own end, or where a lift began. */
function turns(said: readonly Candidate[], wallMs: number): number[] {
  const all = said.map(({ interval: { value, fromMs, untilMs } }) => (value === null ? fromMs : untilMs));
  return [...new Set(all)].filter((atMs) => atMs <= wallMs).sort((a, b) => b - a);
}

function restoring(image: Now, direction: Direction, last: Candidate, endMs: number): ActiveLimit | null {
  const { wallMs, site } = image;
  const { rampMs } = last.signal.restore ?? { rampMs: 0 };
  const untilMs = endMs + restoreMs(last.signal);
  const limit = wallMs < untilMs ? limitOf(image, direction, last) : null;
  if (!limit) return null;
  const rating_W = site.fuse_A * site.phases * site.nominal_V;
  const share = rampMs > 0 ? Math.max(0, wallMs - (untilMs - rampMs)) / rampMs : 0;
  const limit_W = limit.limit_W + Math.max(0, rating_W - limit.limit_W) * share;
  return { ...limit, limit_W: Math.round(limit_W), untilMs, restoring: true };
}
