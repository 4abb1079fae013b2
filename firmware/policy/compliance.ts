/**
 * Follows each limit from its beginning to its end and says what became of it. Pure: what was known before goes in with
 * the image and its decision, what is known now comes out with the reports.
 */
import type { CommandReport, Shortfall } from '../domain/command-report.ts';
import { type DeviceKind, ratedOf } from '../domain/flexibility.ts';
import type { ActiveLimit, Decision, Image } from '../domain/image.ts';
import type { ElapsedMs, WallMs } from '../domain/time.ts';
import { ofMeter, shortfall, TOLERANCE_W, underLimit_W } from './shortfall.ts';
import { guaranteed_W, type Steerable } from './simultaneity.ts';

/** A reading, a cycle, a command and its repetitions: what is above the limit for longer is told to the operator. */
export const REACTION_MS = 30_000;

const GROUPS: Readonly<Partial<Record<DeviceKind, Steerable['group']>>> = {
  wallbox: 'charging',
  'heat-pump': 'heating',
  battery: 'battery',
};

interface Followed {
  readonly limit: ActiveLimit;
  readonly receivedMs: WallMs | null;
  readonly reachedMs: WallMs | null;
  /** Since when it has not been met, null while it is. */
  readonly missedSinceMs: ElapsedMs | null;
  /** The reason that was told last. */
  readonly told: Shortfall['reason'] | null;
}

export type Compliance = readonly Followed[];

export interface Followup {
  readonly next: Compliance;
  readonly reports: readonly CommandReport[];
}

const keyOf = ({ signalId, limit_W }: ActiveLimit): string => `${signalId} ${limit_W}`;

export function follow(before: Compliance, image: Image, decision: Decision): Followup {
  const reports: CommandReport[] = [];
  const limits = decision.limits.filter((l) => !l.restoring);
  const known = new Map(before.map((f) => [keyOf(f.limit), f]));
  const next = limits.map((limit) => {
    const old = known.get(keyOf(limit));
    const begun = old ?? beginning(image, limit);
    if (!old) reports.push(report('BEGUN', image, begun, null));
    const now = look(image, decision, { ...begun, limit });
    reports.push(...now.reports);
    return now.followed;
  });
  const kept = new Set(limits.map(keyOf));
  for (const gone of before.filter((f) => !kept.has(keyOf(f.limit))))
    reports.push(report('OVER', image, gone, null));
  return { next, reports };
}

const beginning = (image: Image, limit: ActiveLimit): Followed => ({
  limit,
  receivedMs: image.signals.find((s) => s.id === limit.signalId)?.receivedMs || null,
  reachedMs: null,
  missedSinceMs: null,
  told: null,
});

function look(image: Image, decision: Decision, before: Followed) {
  const missing = shortfall(image, decision, before.limit);
  const power_W = underLimit_W(image, before.limit);
  const met = power_W !== null && power_W <= before.limit.limit_W + TOLERANCE_W;
  const missedSinceMs = met ? null : (before.missedSinceMs ?? image.elapsedMs);
  const late = missedSinceMs !== null && image.elapsedMs - missedSinceMs >= REACTION_MS;
  const newly = met && (before.reachedMs === null || before.told !== null);
  const reason = late ? (missing?.reason ?? (power_W === null ? ofMeter(image) : 'DEVICE_DISOBEYS')) : null;
  const now: Followed = {
    ...before,
    missedSinceMs,
    reachedMs: before.reachedMs ?? (met ? image.wallMs : null),
    told: met ? null : (reason ?? before.told),
  };
  const reports: CommandReport[] = [];
  if (newly) reports.push(report('REACHED', image, now, null));
  if (reason !== null && reason !== before.told) {
    const excess_W = power_W === null ? null : power_W - before.limit.limit_W;
    reports.push(report('EXCEEDED', image, now, missing ?? { reason, excess_W }));
  }
  return { followed: now, reports };
}

/** By what the devices are and can draw at all, whatever they can take just now. */
function leftToHome_W({ devices }: Image): number {
  return guaranteed_W(
    devices.flatMap(({ flexibility }) => {
      const group = flexibility.steerable ? GROUPS[flexibility.kind] : undefined;
      return group ? [{ group, rated_W: ratedOf(flexibility) }] : [];
    }),
  );
}

function report(
  state: CommandReport['state'],
  image: Image,
  { limit, receivedMs, reachedMs }: Followed,
  missing: Shortfall | null,
): CommandReport {
  const { signalId, source, direction, scope, limit_W } = limit;
  const power_W = underLimit_W(image, limit);
  const guaranteed_W = scope === 'controllable' && direction === 'import' ? leftToHome_W(image) : null;
  const what = { signalId, source, direction, scope, limit_W, guaranteed_W };
  return { state, atMs: image.wallMs, ...what, receivedMs, reachedMs, power_W, shortfall: missing };
}
