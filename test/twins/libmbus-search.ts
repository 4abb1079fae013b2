/**
 * How many requests the search of libmbus 0.9 needs on the same bus: its documented walk, counted on the tree of masks.
 * It fixes the sixteen hexadecimal positions from the highest, each by 0 to 9; a silent mask is asked twice
 * (max_search_retry 1); one acknowledgement is followed by a request for data; more than one is a collision and goes one
 * position deeper. Before it, two SND_NKE to FDh and FFh.
 */
import { isSelected, type MbusTwinMeter } from './mbus-line.ts';

interface ReferenceSearch {
  readonly requests: number;
  readonly found: number;
}

export function libmbusSearch(meters: readonly MbusTwinMeter[]): ReferenceSearch {
  let requests = 2;
  let found = 0;
  const walk = (position: number, mask: string): void => {
    if (position >= 16) return;
    for (let digit = 0; digit <= 9; digit++) {
      const narrow = mask.slice(0, position) + digit + mask.slice(position + 1);
      const bytes = maskOnWire(narrow);
      const count = meters.filter((meter) => isSelected(meter, bytes)).length;
      if (count === 0) requests += 2;
      else if (count === 1) {
        requests += 2;
        found += 1;
      } else {
        requests += 1;
        walk(position + 1, narrow);
      }
    }
  };
  walk(0, 'F'.repeat(16));
  return { requests, found };
}

/** Number, manufacturer, version, medium as they are printed; number and manufacturer go low byte first. */
function maskOnWire(text: string): number[] {
  const byte = (i: number): number => Number.parseInt(text.slice(i, i + 2), 16);
  return [6, 4, 2, 0, 10, 8, 12, 14].map(byte);
}
