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
  const asked = [...inForce(image, ['setPoint'], null).values()].flatMap(
    ({ interval }) => interval.value ?? [],
  );
  return asked.length > 0 ? Math.min(...asked) : null;
}

function limitFor(image: Now, direction: Direction, scope: LimitScope): ActiveLimit | null {
  const kinds = KINDS[direction];
  const bySource = inForce(image, kinds, scope);
  const limits = [...bySource.values()].map(({ signal, interval }) =>
    limitOf(image, direction, signal, interval),
  );
  for (const signal of image.signals) {
    if (!isOf(signal, kinds, scope) || (bySource.get(signal.source)?.interval.value ?? null) !== null)
      continue;
    limits.push(aftermath(image, direction, signal));
  }
  return limits.reduce((a, b) => (a === null || (b !== null && b.limit_W < a.limit_W) ? b : a), null);
}

const isOf = (signal: Signal, kinds: readonly Signal['kind'][], scope: LimitScope | null): boolean =>
  signal.binding === 'commandable' &&
  kinds.includes(signal.kind) &&
  (scope === null || signal.scope === scope);

/** Of each source the event that decides. */
function inForce(
  image: Now,
  kinds: readonly Signal['kind'][],
  scope: LimitScope | null,
): Map<string, Candidate> {
  const bySource = new Map<string, Candidate>();
  for (const signal of image.signals) {
    if (!isOf(signal, kinds, scope)) continue;
    for (const interval of signal.intervals) {
      if (!isNow(image, signal, interval)) continue;
      const best = bySource.get(signal.source);
      if (!best || beats({ signal, interval }, best)) bySource.set(signal.source, { signal, interval });
    }
  }
  return bySource;
}

function isNow({ wallMs, wallTrusted }: Now, { cancelledMs }: Signal, { fromMs, untilMs }: SignalInterval) {
  return wallTrusted ? fromMs <= wallMs && wallMs < untilMs : cancelledMs === undefined;
}

function beats(a: Candidate, b: Candidate): boolean {
  if (a.signal.priority !== b.signal.priority) return a.signal.priority < b.signal.priority;
  return (a.interval.value ?? Infinity) < (b.interval.value ?? Infinity);
}

function limitOf(
  { wallTrusted }: Now,
  direction: Direction,
  { id, source, scope }: Signal,
  { value, untilMs }: SignalInterval,
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
 * After its end a limit holds for this home's share of chance, then rises to the rating of the connection: loads come
 * back one after another, and a street does not rebound at once (BK6-22-300 annex 1, 4.3).
 */
function aftermath(image: Now, direction: Direction, signal: Signal): ActiveLimit | null {
  const { wallMs, wallTrusted, site } = image;
  if (!signal.restore || !wallTrusted) return null;
  const { delayMs, rampMs } = signal.restore;
  const ended = signal.intervals.filter((i) => i.value !== null && i.untilMs <= wallMs);
  const last = ended.reduce<SignalInterval | null>((a, b) => (a && a.untilMs >= b.untilMs ? a : b), null);
  const untilMs = (last?.untilMs ?? 0) + delayMs + rampMs;
  const limit = last && wallMs < untilMs ? limitOf(image, direction, signal, { ...last, untilMs }) : null;
  if (!limit) return null;
  const rating_W = site.fuse_A * site.phases * site.nominal_V;
  const share = rampMs > 0 ? Math.max(0, wallMs - (untilMs - rampMs)) / rampMs : 0;
  const limit_W = limit.limit_W + Math.max(0, rating_W - limit.limit_W) * share;
  return { ...limit, limit_W: Math.round(limit_W), restoring: true };
}
