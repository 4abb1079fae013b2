/** What a wildcard search (`search.ts`) knows: whom it found, what it looks into, where nobody was. */
import { addressIn } from './address-in.ts';
import type { Outcome } from './exchange.ts';
import type { Address } from './identity.ts';
import type { LongFrame } from './link.ts';
import type { Seen, Split } from './search-split.ts';
import { fits, maskOf, maskText, type SecondaryMask } from './secondary.ts';

export interface FoundMeter {
  readonly address: Address;
  /** The A field of its answer. */
  readonly primary: number;
  /** The answer, so that nothing has to be read twice. */
  readonly frame: LongFrame;
}

/**
 * `mute`: acknowledges its selection and gives no data. `alike`: several with one and the same address. `noise`: so
 * many seem to be alike that the line answers to everything; the search was given up.
 */
export interface UnresolvedMask {
  readonly mask: SecondaryMask;
  readonly why: 'mute' | 'alike' | 'noise';
}

export interface SearchState {
  readonly doing: Doing;
  readonly found: ReadonlyMap<string, FoundMeter>;
  readonly unresolved: readonly UnresolvedMask[];
  /** Masks that several answered, from the widest to the one that is being looked into. */
  readonly nodes: readonly Node[];
  /** Masks without an answer. */
  readonly silent: readonly SecondaryMask[];
  /** An answer was lost, late, or not from whom it should be: silence is worth less. */
  readonly troubled: boolean;
  readonly sweeps: number;
  /** Meters known when the present sweep began. */
  readonly knownBefore: number;
  readonly requests: number;
}

/** `self`: asked anew, the mask of the node itself. */
export interface Looking {
  readonly name: 'selecting' | 'asking';
  readonly mask: SecondaryMask;
  readonly attempt: number;
  readonly self: boolean;
}

type Doing = Looking | { readonly name: 'deselecting' } | { readonly name: 'done' };

export interface Node {
  readonly mask: SecondaryMask;
  /** Null for the sweep over silent masks, which is no mask of its own. */
  readonly split: Split | null;
  readonly pending: readonly SecondaryMask[];
  readonly silent: readonly SecondaryMask[];
  /** Whether anything answered below it. */
  readonly answered: boolean;
  /** It was not asked: nobody was anywhere else. */
  readonly inferred: boolean;
  /** What has been done about too few meters below it: nothing, asked itself again, the silent again, all others. */
  readonly stage: 0 | 1 | 2 | 3;
}

export const newSearch = (): SearchState => ({
  doing: { name: 'deselecting' },
  found: new Map(),
  unresolved: [],
  nodes: [],
  silent: [],
  troubled: false,
  sweeps: 0,
  knownBefore: 0,
  requests: 0,
});

export const counted = (state: SearchState): SearchState => ({ ...state, requests: state.requests + 1 });

/** Any good frame is a meter that is there, whatever was asked. */
export function record(state: SearchState, outcome: Outcome): SearchState {
  if (outcome.kind !== 'frame') return state;
  const address = addressIn(outcome.frame);
  if (!address) return state;
  const key = maskText(maskOf(address));
  if (state.found.has(key)) return state;
  const meter: FoundMeter = { address, primary: outcome.frame.address, frame: outcome.frame };
  return { ...state, found: new Map(state.found).set(key, meter) };
}

export const replaceTop = (state: SearchState, change: (node: Node) => Partial<Node>): SearchState => {
  const top = state.nodes.at(-1);
  if (!top) return state;
  return { ...state, nodes: [...state.nodes.slice(0, -1), { ...top, ...change(top) }] };
};

export function seenOn({ found }: SearchState): Seen {
  const addresses = [...found.values()].map(({ address }) => maskOf(address));
  const values = (field: 'manufacturer' | 'version' | 'medium'): number[] => [
    ...new Set(addresses.flatMap((mask) => mask[field] ?? [])),
  ];
  return {
    ids: addresses.map(({ id }) => id),
    manufacturers: values('manufacturer'),
    versions: values('version'),
    media: values('medium'),
  };
}

export const countIn = ({ found }: SearchState, mask: SecondaryMask): number =>
  [...found.values()].filter(({ address }) => fits(mask, address)).length;

/** Whether every meter of the narrow mask is one of the wide one. */
export const isWithin = (narrow: SecondaryMask, wide: SecondaryMask): boolean =>
  [...wide.id].every((digit, i) => digit === 'F' || digit === narrow.id[i]) &&
  (wide.medium === null || wide.medium === narrow.medium);
