import type { Fault } from '../domain/errors.ts';

/**
 * What stands at a place of the line: a whole unit and the bytes it takes, the beginning of one, something that
 * looked like one and is damaged, or something else. Depends on nothing but the bytes from there on, so that the cut
 * of the chunks never matters.
 */
export type Scan<T> =
  | { readonly found: 'whole'; readonly value: T; readonly length: number }
  | { readonly found: 'more' }
  | { readonly found: 'bad'; readonly error: Fault }
  | { readonly found: 'other' };

export const MORE = { found: 'more' } as const;
export const OTHER = { found: 'other' } as const;
