import { HearthError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/time.ts';

/** Runs a callback-style operation; rejects with its error, or with TIMEOUT when it never calls back. */
export function within(
  clock: Clock,
  limitMs: number,
  name: string,
  start: (done: (error?: Error | null) => void) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limitMs, () =>
      reject(new HearthError('TIMEOUT', `${name}: no answer within ${Math.round(limitMs)} ms`)),
    );
    start((error) => {
      cancel();
      if (error) reject(error);
      else resolve();
    });
  });
}
