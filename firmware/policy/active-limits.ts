/** Which commandable limits are in force now: overlapping events become one limit per direction and scope. */
import type { ActiveLimit, Image } from '../domain/image.ts';
import type { LimitScope, Signal, SignalInterval } from '../domain/signal.ts';

type Direction = ActiveLimit['direction'];

interface Candidate {
  readonly signal: Signal;
  readonly interval: SignalInterval;
}

/**
 * Of one source the event with the best priority decides, the tighter one on a tie (OpenADR 3 leaves the tie
 * open); between sources the tightest holds, because each of them must be obeyed. An interval whose value is null
 * says "no limit" and, when it wins, lifts the weaker events of its source. Without a trusted clock nobody can say
 * that a stored limit is over, so every stored one counts as in force.
 */
export function activeLimits(image: Pick<Image, 'signals' | 'wallMs' | 'wallTrusted'>): ActiveLimit[] {
  const limits: ActiveLimit[] = [];
  for (const direction of ['import', 'export'] as const) {
    for (const scope of ['site', 'controllable'] as const) {
      const limit = limitFor(image, direction, scope);
      if (limit) limits.push(limit);
    }
  }
  return limits;
}

function limitFor(
  image: Pick<Image, 'signals' | 'wallMs' | 'wallTrusted'>,
  direction: Direction,
  scope: LimitScope,
): ActiveLimit | null {
  const bySource = new Map<string, Candidate>();
  for (const signal of image.signals) {
    if (signal.binding !== 'commandable' || signal.kind !== `${direction}Limit` || signal.scope !== scope)
      continue;
    for (const interval of signal.intervals) {
      const now = !image.wallTrusted || (interval.fromMs <= image.wallMs && image.wallMs < interval.untilMs);
      if (!now) continue;
      const best = bySource.get(signal.source);
      if (!best || beats({ signal, interval }, best)) bySource.set(signal.source, { signal, interval });
    }
  }
  let tightest: ActiveLimit | null = null;
  for (const { signal, interval } of bySource.values()) {
    if (interval.value === null || (tightest && tightest.limit_W <= interval.value)) continue;
    const untilMs = image.wallTrusted ? interval.untilMs : null;
    tightest = {
      limit_W: interval.value,
      source: signal.source,
      signalId: signal.id,
      scope,
      direction,
      untilMs,
    };
  }
  return tightest;
}

function beats(a: Candidate, b: Candidate): boolean {
  if (a.signal.priority !== b.signal.priority) return a.signal.priority < b.signal.priority;
  return (a.interval.value ?? Infinity) < (b.interval.value ?? Infinity);
}
