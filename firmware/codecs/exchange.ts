/**
 * A dialogue as a pure machine: what was heard and that nothing was heard are inputs, what to send and how to set the
 * line are effects, carried out in order by a small runner.
 */
import type { LineSettings } from '../domain/link.ts';

export type ExchangeInput =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  /** The time of the last `await` is over. */
  | { readonly type: 'timeout' };

export type ExchangeEffect =
  | { readonly do: 'configure'; readonly line: LineSettings }
  /** Done when the last bit has left, at the speed of the line. */
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  | { readonly do: 'pause'; readonly ms: number }
  /** From now on so long for the next bytes; replaces the one before. */
  | { readonly do: 'await'; readonly ms: number };

export interface Step<S> {
  readonly state: S;
  readonly effects: readonly ExchangeEffect[];
}

/** `over` says when the machine wants no more input; the effects of its last step are still carried out. */
export interface Exchange<S> {
  start(): Step<S>;
  step(state: S, input: ExchangeInput): Step<S>;
  over(state: S): boolean;
}
