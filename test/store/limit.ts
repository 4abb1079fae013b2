/** A limit as the store keeps it. */
import type { Signal } from '../../firmware/domain/signal.ts';

export const limitSignal = (more: Partial<Signal>): Signal => ({
  id: 's',
  source: 'dso',
  kind: 'importLimit',
  binding: 'commandable',
  scope: 'site',
  priority: 0,
  modifiedMs: 1,
  receivedMs: 2,
  currency: null,
  text: null,
  intervals: [],
  ...more,
});
