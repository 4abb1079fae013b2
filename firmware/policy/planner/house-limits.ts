/**
 * The operator's limits as a plan sees them. What holds in a slot is asked of the very function that the rules ask in the
 * cycle (`activeLimits`): what outranks another, lifts it, or gives it up slowly does so in the plan, too.
 */
import type { ActiveLimit, Image } from '../../domain/image.ts';
import { LIMITS } from '../../domain/limits.ts';
import { isCommand, type Signal } from '../../domain/signal.ts';
import type { WallMs } from '../../domain/time.ts';
import { activeLimits, restoreMs } from '../active-limits.ts';
import { beginMs, type HouseSlots } from './house-slots.ts';
import type { PlanEvent } from './scenario.ts';

type Kind = Extract<PlanEvent['kind'], `${string}_limit`>;

const KINDS: readonly Kind[] = ['import_limit', 'steerable_limit', 'export_limit'];
/** What is shorter is left to the rules. */
const STEP_MS = 60_000;
/** As good as no limit, kW. */
const MOST_KW = 1e5;

/** One event for each stretch of time that is limited, by the tightest limit of each slot. */
export function limitsOf(image: Image, slots: HouseSlots): PlanEvent[] {
  const signals = image.signals.filter(isCommand);
  if (signals.length === 0) return [];
  const bySlot = Array.from({ length: slots.n }, (_, t) => limitsIn({ ...image, signals }, slots, t));
  return KINDS.flatMap((kind) => eventsOf(kind, bySlot))
    .sort((a, b) => a.start - b.start)
    .slice(0, LIMITS.planEvents);
}

type Limits = Readonly<Partial<Record<Kind, ActiveLimit>>>;

/** The tightest of those that are in force in slot `t` at one time or another, from now on. */
function limitsIn(image: Image, slots: HouseSlots, t: number): Limits {
  const [fromMs, untilMs] = [Math.max(beginMs(slots, t), image.wallMs), beginMs(slots, t + 1)];
  const sinceMs = fromMs - Math.max(...image.signals.map(restoreMs));
  const signals = image.signals.map((s) => near(s, sinceMs, untilMs));
  const limits: Partial<Record<Kind, ActiveLimit>> = {};
  const stepMs = signals.some((s) => changesIn(s, fromMs, untilMs)) ? STEP_MS : untilMs - fromMs;
  for (let wallMs = fromMs; wallMs < untilMs; wallMs += stepMs)
    for (const limit of activeLimits({ ...image, signals, wallMs })) {
      const kind = kindOf(limit);
      if (limit.limit_W < (limits[kind]?.limit_W ?? Infinity)) limits[kind] = limit;
    }
  return limits;
}

/** Something of it begins, ends or is given up slowly in that time. */
const changesIn = ({ intervals, cancelledMs }: Signal, fromMs: WallMs, untilMs: WallMs): boolean =>
  cancelledMs !== undefined || intervals.some((i) => i.fromMs > fromMs || i.untilMs < untilMs);

const kindOf = ({ direction, scope }: ActiveLimit): Kind =>
  direction === 'export' ? 'export_limit' : scope === 'controllable' ? 'steerable_limit' : 'import_limit';

/**
 * Without what is still to come, or over so long that nothing is given up slowly any more that ended with it: a series of a
 * week is gone through once a slot.
 */
const near = (signal: Signal, sinceMs: WallMs, untilMs: WallMs): Signal => ({
  ...signal,
  intervals: signal.intervals.filter((i) => i.fromMs < untilMs && i.untilMs > sinceMs),
});

function eventsOf(kind: Kind, bySlot: readonly Limits[]): PlanEvent[] {
  const events: (PlanEvent & { limits_kw: number[] })[] = [];
  bySlot.forEach(({ [kind]: limit }, t) => {
    if (!limit) return;
    const limit_kw = Math.min(MOST_KW, Math.max(0, limit.limit_W) / 1000);
    const last = events.at(-1);
    if (last?.end === t) {
      last.end = t + 1;
      last.limits_kw.push(limit_kw);
      return;
    }
    const id = limit.signalId.slice(0, 64);
    events.push({ id, kind, start: t, end: t + 1, hard: true, announced_slot: 0, limits_kw: [limit_kw] });
  });
  return events;
}
