/** What the plan before says of the time that is still ahead, in the slots of the next one. */
import { beginMs, type HouseSlots, slotsUntil } from './house-slots.ts';
import { at, type DeviceSchedule, type Schedule } from './scenario.ts';

const POWERS = ['power_kw', 'used_kw', 'charge_kw', 'discharge_kw', 'curtailed_kw'] as const;

/** Every slot has the power of the slot of `before` in which it begins: never a mean of steps. */
export function laterSchedule(schedule: Schedule, before: HouseSlots, slots: HouseSlots): Schedule {
  const sources = Array.from({ length: slots.n }, (_, t) => slotsUntil(before, beginMs(slots, t)));
  return Object.fromEntries(
    Object.entries(schedule).map(([id, p]) => {
      const later: DeviceSchedule = {};
      for (const key of POWERS) {
        const values = p[key];
        if (values) later[key] = sources.map((t) => at(values, t));
      }
      if (p.start !== undefined)
        later.start = p.start === null ? null : slotsUntil(slots, beginMs(before, p.start));
      return [id, later];
    }),
  );
}
