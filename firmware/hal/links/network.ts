/** What TCP and UDP share: how long each step may take and the code of its failure. */
import { HearthError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/time.ts';
import { within } from './deadline.ts';

const CONNECT_MS = 5_000;
const WRITE_MS = 5_000;

type Start = Parameters<typeof within>[3];

/** Rejects with LINK_REFUSED. */
export const connected = (clock: Clock, name: string, start: Start): Promise<void> =>
  within(clock, CONNECT_MS, name, start).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : 'refused';
    throw new HearthError('LINK_REFUSED', `${name}: ${message}`, error);
  });

/** Rejects with LINK_GONE or TIMEOUT. */
export const written = (clock: Clock, name: string, start: Start): Promise<void> =>
  within(clock, WRITE_MS, name, start).catch((error: unknown) => {
    throw error instanceof HearthError
      ? error
      : new HearthError('LINK_GONE', `${name}: cannot be sent`, error);
  });

export const closed = (clock: Clock, name: string, start: Start): Promise<void> =>
  within(clock, WRITE_MS, name, start);
