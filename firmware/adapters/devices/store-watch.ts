/**
 * What a device stores: readings that can be believed, the menu that is left by them, and when that is worth telling.
 * The ends of a store have a memory, so that a battery at its reserve does not swing between giving and resting.
 */
import {
  type BatteryStore,
  type Flexibility,
  type HeatStore,
  type PowerRange,
  ratedOf,
} from '../../domain/flexibility.ts';

export type Store = BatteryStore | HeatStore;

/** What was read; null is unknown. Share of the capacity, °C. */
export interface StoreReading {
  readonly fill: number | null;
  readonly temperature_C: number | null;
  readonly outdoor_C: number | null;
}

export const NOTHING_READ: StoreReading = { fill: null, temperature_C: null, outdoor_C: null };

/** A battery that says a little more than full is full. What is beyond these is no reading. */
const PLAUSIBLE = { fill: [0, 1.02], temperature_C: [-40, 150], outdoor_C: [-60, 70] } as const;
/** Changes that a plan should know of. */
const MATTERS = { fill: 0.005, temperature_C: 0.25, outdoor_C: 0.5 } as const;
/** How far a store has to leave its end before that end is open again: share, K. */
const FILL_BACK = 0.02;
const BACK_K = 2;

const KEYS = ['fill', 'temperature_C', 'outdoor_C'] as const;

/** Null for what cannot be: a fill of 140 %, water of 6000 °C. */
export function believable(reading: StoreReading): StoreReading {
  const [fill, temperature_C, outdoor_C] = KEYS.map((key) => {
    const value = reading[key];
    const [least, most] = PLAUSIBLE[key];
    return value !== null && value >= least && value <= most ? value : null;
  });
  return {
    fill: fill == null ? null : Math.min(1, fill),
    temperature_C: temperature_C ?? null,
    outdoor_C: outdoor_C ?? null,
  };
}

export class StoreWatch {
  private readonly store: Store;
  private told: StoreReading = NOTHING_READ;
  private isLow = false;
  private isHigh = false;

  constructor(store: Store) {
    this.store = store;
  }

  /** True when the menu has to be registered anew. */
  take(reading: StoreReading): boolean {
    const ends = `${this.isLow} ${this.isHigh}`;
    this.holdEnds(reading);
    if (ends === `${this.isLow} ${this.isHigh}` && !KEYS.some((key) => matters(key, this.told, reading)))
      return false;
    this.told = reading;
    return true;
  }

  /** The menu with what is stored, and without what would harm it or be against the owner's reserve. */
  over(menu: Flexibility): Flexibility {
    const { fill, temperature_C, outdoor_C } = this.told;
    const { store } = this;
    const rated_W = ratedOf(menu);
    if (store.kind === 'heat') {
      const ranges = this.isHigh ? menu.ranges.filter(({ max_W }) => max_W <= 0) : menu.ranges;
      return { ...menu, ranges, rated_W, store: { ...store, temperature_C, outdoor_C } };
    }
    const least_W = this.isLow || fill === null ? 0 : -Infinity;
    const most_W = this.isHigh ? 0 : Infinity;
    const ranges = menu.ranges.map((range) => between(range, least_W, most_W));
    return { ...menu, ranges, rated_W, store: { ...store, fill } };
  }

  private holdEnds({ fill, temperature_C }: StoreReading): void {
    const { store } = this;
    if (store.kind === 'heat') {
      const most_C = store.most_C ?? Infinity;
      this.isHigh =
        temperature_C !== null &&
        (temperature_C >= most_C || (this.isHigh && temperature_C > most_C - BACK_K));
      return;
    }
    if (fill === null) return;
    const { leastFill, mostFill } = store;
    this.isLow = fill <= leastFill || (this.isLow && fill < leastFill + FILL_BACK);
    this.isHigh = fill >= mostFill || (this.isHigh && fill > mostFill - FILL_BACK);
  }
}

function matters(key: (typeof KEYS)[number], before: StoreReading, now: StoreReading): boolean {
  const [was, is] = [before[key], now[key]];
  return was === null || is === null ? was !== is : Math.abs(is - was) >= MATTERS[key] - 1e-9;
}

const between = ({ min_W, max_W }: PowerRange, least_W: number, most_W: number): PowerRange => ({
  min_W: Math.max(min_W, least_W),
  max_W: Math.min(max_W, most_W),
});
