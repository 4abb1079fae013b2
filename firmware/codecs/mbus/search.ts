/**
 * The wildcard search for every meter of a bus by secondary address, as a pure machine: one outcome in, the next
 * request out. A mask that nobody answers is closed, one that a single meter answers gives its address, one that
 * several answer is split (`search-split.ts`).
 *
 * What is garbled is taken for a collision, which is safe: at worst a mask is split for nothing. What is silent is
 * believed at once, and looked at again where it cannot be right: below a mask that several answered fewer than two
 * were found, or the bus has been seen to lose or delay something.
 */
import { LIMITS } from '../../domain/limits.ts';
import { addressIn } from './address-in.ts';
import type { Outcome, Request } from './exchange.ts';
import { ADDRESS, reqUd2, select, sndNke } from './requests.ts';
import { restOf, splitOf } from './search-split.ts';
import {
  counted,
  countIn,
  isWithin,
  type Looking,
  type Node,
  record,
  replaceTop,
  type SearchState,
  seenOn,
} from './search-state.ts';
import { ANYBODY, fits, maskText, type SecondaryMask } from './secondary.ts';

export interface SearchOptions {
  /** Where the search starts; all meters of the bus when it is ANYBODY. */
  readonly mask: SecondaryMask;
}

export interface SearchStep {
  readonly state: SearchState;
  /** Null when it is over. */
  readonly request: Request | null;
}

const SELECTIONS = 3;
/** How often the silent masks of a troubled bus are gone through again. */
const SWEEPS = 3;
/** So many times the standard's time for an answer is given where silence is doubted. */
const PATIENCE = 4;

/** Begin with outcome null. */
export function step(state: SearchState, outcome: Outcome | null, options: SearchOptions): SearchStep {
  const { doing } = state;
  if (doing.name === 'done') return { state, request: null };
  if (outcome === null) {
    const bytes = sndNke(ADDRESS.selected);
    return { state: counted(state), request: { bytes, expect: 'ack', from: null, attempts: 1 } };
  }
  const heard = record(state, outcome);
  if (doing.name === 'deselecting') return selecting(heard, options.mask, 1, false);
  return doing.name === 'selecting' ? selected(heard, doing, outcome) : asked(heard, doing, outcome);
}

function selecting(state: SearchState, mask: SecondaryMask, attempt: number, self: boolean): SearchStep {
  return {
    state: counted({ ...state, doing: { name: 'selecting', mask, attempt, self } }),
    request: {
      bytes: select(mask),
      expect: 'ack',
      from: null,
      attempts: 1,
      patience: state.sweeps > 0 || attempt > 1 ? PATIENCE : 1,
    },
  };
}

function selected(state: SearchState, doing: Looking, outcome: Outcome): SearchStep {
  const { mask, attempt, self } = doing;
  switch (outcome.kind) {
    case 'ack': {
      const bytes = reqUd2(ADDRESS.selected, true);
      const patience = attempt > 1 ? PATIENCE : 1;
      return {
        state: counted({ ...state, doing: { name: 'asking', mask, attempt, self } }),
        request: { bytes, expect: 'data', from: null, attempts: 1, patience },
      };
    }
    case 'garbled':
      return several(state, mask, self);
    case 'frame':
      // The answer to a question before this one.
      return again({ ...state, troubled: true }, doing);
    case 'silent':
      // Where nothing at all is heard it is asked three times.
      return state.nodes.length === 0 && attempt < SELECTIONS
        ? selecting(state, mask, attempt + 1, self)
        : nobody(state, mask, self);
  }
}

function asked(state: SearchState, doing: Looking, outcome: Outcome): SearchStep {
  const { mask, self } = doing;
  if (outcome.kind === 'garbled') return several(state, mask, self);
  if (outcome.kind !== 'frame') return again({ ...state, troubled: true }, doing);
  const address = addressIn(outcome.frame);
  if (!address) return again(state, doing);
  if (!fits(mask, address)) return again({ ...state, troubled: true }, doing);
  // A second acknowledgement came after the first: one of the two was heard.
  return outcome.acks > 0 ? several(state, mask, self) : alone(state, self);
}

/** Selects the same mask once more; a meter that acknowledges each time and says nothing is noted. */
function again(state: SearchState, doing: Looking): SearchStep {
  const { mask, attempt, self } = doing;
  if (attempt < SELECTIONS) return selecting(state, mask, attempt + 1, self);
  const known = [...state.found.values()].some(({ address }) => fits(mask, address));
  const unresolved = known ? state.unresolved : [...state.unresolved, { mask, why: 'mute' as const }];
  return nobody({ ...state, unresolved }, mask, self);
}

function nobody(state: SearchState, mask: SecondaryMask, self: boolean): SearchStep {
  if (self) return goOn(state);
  const noted = replaceTop(state, (node) => ({ silent: [...node.silent, mask] }));
  return goOn({ ...noted, silent: [...state.silent, mask] });
}

function alone(state: SearchState, self: boolean): SearchStep {
  return goOn(self ? { ...state, nodes: state.nodes.slice(0, -1) } : answered(state));
}

function several(state: SearchState, mask: SecondaryMask, self: boolean): SearchStep {
  if (self) return goOn(state);
  const marked = answered(state);
  const node = nodeOf(state, mask, false);
  if (node) return goOn({ ...marked, nodes: [...marked.nodes, node] });
  return goOn({ ...marked, unresolved: [...state.unresolved, { mask, why: 'alike' }] });
}

function nodeOf(state: SearchState, mask: SecondaryMask, inferred: boolean): Node | null {
  const split = splitOf(mask, seenOn(state));
  return split && { mask, split, pending: split.masks, silent: [], answered: false, inferred, stage: 0 };
}

/** Who answers now and did not before was not heard then. */
function answered(state: SearchState): SearchState {
  const troubled = state.troubled || state.nodes.at(-1)?.stage === 2;
  return replaceTop({ ...state, troubled }, () => ({ answered: true }));
}

function goOn(state: SearchState): SearchStep {
  if (state.unresolved.length >= LIMITS.mbusUnresolved) return end(state, [{ mask: ANYBODY, why: 'noise' }]);
  const node = state.nodes.at(-1);
  if (!node) return sweepOrEnd(state);
  const [next, ...pending] = node.pending;
  if (!next) return close(state, node);
  const taken = replaceTop(state, () => ({ pending }));
  // Several are below, and nobody is in any part but the last: they should all be there, and need not be asked.
  const last = pending.length === 0 && node.stage === 0 && !node.answered && next.id.includes('F');
  const inferred = last ? nodeOf(state, next, true) : null;
  return inferred ? goOn({ ...taken, nodes: [...taken.nodes, inferred] }) : selecting(taken, next, 1, false);
}

/** Nothing is left to ask below a mask that several had answered: are there several? */
function close(state: SearchState, node: Node): SearchStep {
  const count = countIn(state, node.mask);
  const below = { ...state, nodes: state.nodes.slice(0, -1) };
  if (node.inferred && !node.answered && node.stage === 0) return nobody(below, node.mask, false);
  const explained = state.unresolved.some(({ mask }) => isWithin(mask, node.mask));
  if (count < 2 && !explained && node.stage < 3) return doubt(state, node);
  const mute = count === 0 && !explained ? [{ mask: node.mask, why: 'mute' as const }] : [];
  return goOn({ ...below, unresolved: [...state.unresolved, ...mute] });
}

function doubt(state: SearchState, node: Node): SearchStep {
  if (node.stage === 0)
    return selecting(
      replaceTop(state, () => ({ stage: 1 })),
      node.mask,
      1,
      true,
    );
  if (node.stage === 1)
    return goOn(replaceTop(state, () => ({ stage: 2, pending: node.silent, silent: [] })));
  const pending = node.split ? restOf(node.mask, node.split) : [];
  return goOn(replaceTop(state, () => ({ stage: 3, pending })));
}

function sweepOrEnd(state: SearchState): SearchStep {
  const needed = state.sweeps === 0 ? state.troubled : state.found.size > state.knownBefore;
  if (!needed || state.sweeps >= SWEEPS || state.silent.length === 0) return end(state);
  const silent = [...new Map(state.silent.map((mask) => [maskText(mask), mask])).values()];
  // A node of no mask of its own: it is closed as soon as all of it was asked.
  const node: Node = {
    mask: ANYBODY,
    split: null,
    pending: silent,
    silent: [],
    answered: true,
    inferred: false,
    stage: 3,
  };
  const sweeps = state.sweeps + 1;
  return goOn({ ...state, nodes: [node], silent: [], sweeps, knownBefore: state.found.size });
}

function end(state: SearchState, besides: SearchState['unresolved'] = []): SearchStep {
  const unresolved = state.unresolved.filter(({ mask }) => countIn(state, mask) === 0);
  return {
    state: { ...state, unresolved: [...unresolved, ...besides], doing: { name: 'done' } },
    request: null,
  };
}
