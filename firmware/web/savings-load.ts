/**
 * "What did waiting save?": what a load took by its deadline, at the prices of when it ran, against the same energy
 * taken at once. When it would have begun nobody knows (when was the car plugged in?): somewhere between the deadline
 * before and its first quarter hour; the error is what that leaves open.
 */

/** A quarter hour with less is a device that waits. */
export const NOTHING_Wh = 5;

/** One quarter hour, Wh and currency per Wh; consumption of the device positive. */
export interface Quarter {
  readonly import_Wh: number;
  readonly export_Wh: number;
  readonly device_Wh: number;
  readonly importPrice: number;
  /** What is fed in for no known price earns nothing. */
  readonly exportPrice: number;
}

/**
 * What running at once would have cost more, in the currency of the prices: the least and the most over all quarter
 * hours in which it may have begun. `most_Wh`: what the device takes in a quarter hour. Null when it took nothing.
 */
export function savedBetween(quarters: readonly Quarter[], most_Wh: number): [number, number] | null {
  const energy_Wh = quarters.reduce((sum, q) => sum + q.device_Wh, 0);
  const first = quarters.findIndex((q) => q.device_Wh > NOTHING_Wh);
  if (first < 0 || most_Wh <= 0) return null;
  const saved = quarters.slice(0, first + 1).map((_, start) => {
    let left_Wh = energy_Wh;
    return quarters.reduce((sum, q, i) => {
      // What no time was left for is taken in the last one: it was taken.
      const room_Wh = i < start ? 0 : i === quarters.length - 1 ? left_Wh : most_Wh;
      const taken_Wh = Math.min(left_Wh, room_Wh);
      left_Wh -= taken_Wh;
      return sum + worth(q, taken_Wh - q.device_Wh);
    }, 0);
  });
  return [Math.min(...saved), Math.max(...saved)];
}

/** What `more_Wh` cost or spare: more takes what was fed in first, less spares what was bought first. */
export function worth({ import_Wh, export_Wh, importPrice, exportPrice }: Quarter, more_Wh: number): number {
  const sold_Wh = more_Wh > 0 ? Math.min(export_Wh, more_Wh) : Math.min(0, more_Wh + import_Wh);
  return sold_Wh * exportPrice + (more_Wh - sold_Wh) * importPrice;
}
