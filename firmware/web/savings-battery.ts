/**
 * "What did controlling the battery save?": the last whole day as it was, against the same day with the battery left to
 * itself, which stores spare sun and gives it back as soon as the house draws. What the two days leave in the battery
 * differs; the error is what that may be worth, and how full it was in the morning where that is not known.
 */
import type { BatteryStore } from '../domain/flexibility.ts';
import type { Quarter } from './savings-load.ts';

/** What a battery leaves behind after a day of quarter hours. */
interface Day {
  readonly cost: number;
  readonly fill_Wh: number;
}

/**
 * The least and the most that was saved, in the currency of the prices; null when the battery did nothing. In the
 * quarters `device_Wh` is what the battery took, negative what it gave.
 *
 * @param startFill 0 to 1, at the start of the first quarter hour; null is unknown
 */
export function batterySaved(
  quarters: readonly Quarter[],
  store: BatteryStore,
  startFill: number | null,
): [number, number] | null {
  if (quarters.every((q) => Math.abs(q.device_Wh) < 5)) return null;
  const starts = startFill === null ? [store.leastFill, store.mostFill] : [startFill];
  const prices = quarters.flatMap((q) => [q.importPrice, q.exportPrice]);
  const worths = [Math.min(...prices), Math.max(...prices)];
  const saved = starts.flatMap((start) => {
    const start_Wh = start * store.capacity_Wh;
    const was = dayOf(quarters, store, start_Wh, (q) => q.device_Wh);
    const alone = dayOf(quarters, store, start_Wh, (q, fill_Wh) => leftAlone_Wh(q, store, fill_Wh));
    const more_Wh = (was.fill_Wh - alone.fill_Wh) * store.dischargeEfficiency;
    return worths.map((worth) => alone.cost - was.cost + more_Wh * worth);
  });
  return [Math.min(...saved), Math.max(...saved)];
}

/** @param taken_Wh by the battery in a quarter hour, negative what it gives */
function dayOf(
  quarters: readonly Quarter[],
  store: BatteryStore,
  start_Wh: number,
  taken_Wh: (quarter: Quarter, fill_Wh: number) => number,
): Day {
  let fill_Wh = start_Wh;
  let cost = 0;
  for (const q of quarters) {
    const taken = taken_Wh(q, fill_Wh);
    const net_Wh = q.import_Wh - q.export_Wh - q.device_Wh + taken;
    cost += net_Wh * (net_Wh > 0 ? q.importPrice : q.exportPrice) + Math.max(0, -taken) * store.wear_perWh;
    fill_Wh += taken > 0 ? taken * store.chargeEfficiency : taken / store.dischargeEfficiency;
  }
  return { cost, fill_Wh };
}

/** What a battery that nobody plans takes: what is to spare; and gives: what the house draws. */
function leftAlone_Wh(q: Quarter, store: BatteryStore, fill_Wh: number): number {
  const house_Wh = q.import_Wh - q.export_Wh - q.device_Wh;
  const { capacity_Wh, leastFill, mostFill, chargeEfficiency, dischargeEfficiency } = store;
  if (house_Wh < 0) {
    const room_Wh = Math.max(0, mostFill * capacity_Wh - fill_Wh) / chargeEfficiency;
    return Math.min(-house_Wh, store.charge_W / 4, room_Wh);
  }
  const left_Wh = Math.max(0, fill_Wh - leastFill * capacity_Wh) * dischargeEfficiency;
  return -Math.min(house_Wh, store.discharge_W / 4, left_Wh);
}
