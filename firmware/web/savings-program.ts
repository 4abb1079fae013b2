/**
 * "What did waiting with a program save?": the last run as it was, against the same run begun when its owner asked for
 * it; the journal has that moment. Within a quarter hour nobody knows when it began: that is the error.
 */
import type { Journal } from '../domain/storage.ts';
import type { WallMs } from '../domain/time.ts';
import { NOTHING_Wh, type Quarter, worth } from './savings-load.ts';

/** Wishes that are looked through for the last run. */
const MOST_WISHES = 64;

export interface PastRun {
  readonly askedMs: WallMs;
  readonly endedMs: WallMs;
}

/** The last run by a time that went to its end since `sinceMs`; null when there was none. */
export function lastRun(journal: Pick<Journal, 'read'>, subject: string, sinceMs: WallMs): PastRun | null {
  const wishes = journal.read({ kind: 'override', subject, limit: MOST_WISHES });
  const over = wishes.findIndex(
    ({ detail }, i) => detail.isOver === true && wishes[i + 1]?.detail.kind === 'runBy',
  );
  const ended = wishes[over];
  if (!ended || ended.atMs < sinceMs) return null;
  // Who asked for another time was waiting all the same: since the first of them.
  const before = wishes.slice(over + 1);
  const other = before.findIndex(({ detail }) => detail.kind !== 'runBy');
  const asked = before.at(other < 0 ? -1 : other - 1);
  return asked && asked.atMs < ended.atMs ? { askedMs: asked.atMs, endedMs: ended.atMs } : null;
}

/**
 * What beginning at once would have cost more, the least and the most, in the currency of the prices; null when it took
 * nothing.
 *
 * @param quarters from the one in which it was asked for to the one in which it ended
 */
export function programSaved(quarters: readonly Quarter[]): [number, number] | null {
  const first = quarters.findIndex((q) => q.device_Wh > NOTHING_Wh);
  if (first < 0) return null;
  const saved = [first, Math.max(0, first - 1)].map((earlier) =>
    quarters.reduce((sum, q, i) => sum + worth(q, (quarters[i + earlier]?.device_Wh ?? 0) - q.device_Wh), 0),
  );
  return [Math.min(...saved), Math.max(...saved)];
}
