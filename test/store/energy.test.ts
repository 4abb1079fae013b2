/** Energy of each quarter hour, from registers on a real disk. */
import { test } from 'tap';
import { energyHistory } from '../../firmware/domain/energy-history.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';
import { openStore } from '../../firmware/store/index.ts';
import { advance, at, file, HOUR, ZONE } from './home.ts';

const QUARTER = HOUR / 4;
/** Midnight before the night of 23 hours. */
const SPRING = Date.UTC(2026, 2, 28, 23);

const register = (clock: SimulatedClock, value: number, tariff = 0): Measurement => {
  const m = at(clock, value, 'activeEnergyImport');
  return { ...m, point: { ...m.point, tariff } };
};

test('a day of 23 hours has 92 quarter hours; a gap is spread, another meter is unknown', async (t) => {
  const clock = new SimulatedClock(SPRING - 60_000);
  const store = openStore(file(), { clock, timeZone: ZONE, syncs: false });
  store.series.append([register(clock, 1000)]);
  for (let slot = 0; slot < 92; slot++) {
    await advance(clock, QUARTER);
    // Nothing is heard for an hour; later the meter is exchanged.
    if (slot >= 8 && slot < 11) continue;
    store.series.append([register(clock, slot < 40 ? 1000 + (slot + 1) * 100 : (slot - 39) * 100)]);
  }
  const read = (untilMs: number) => energyHistory(store.series, 'm', 'activeEnergyImport', SPRING, untilMs);
  const slots = read(SPRING + 23 * HOUR);
  t.equal(slots.length, 92);
  t.same(slots[0], { fromMs: SPRING, untilMs: SPRING + QUARTER, energy_Wh: 100, spread: false });
  t.same(
    slots
      .filter(({ spread }) => spread)
      .map(({ fromMs, energy_Wh }) => [(fromMs - SPRING) / QUARTER, energy_Wh]),
    [8, 9, 10, 11].map((slot) => [slot, 100]),
    'what was measured over the gap, evenly',
  );
  t.same(
    slots.flatMap(({ energy_Wh }, slot) => (energy_Wh === 100 ? [] : [slot])),
    [40],
  );
  t.equal(slots[40]?.energy_Wh, null, 'not a negative one, and not 0');
  t.equal(read(SPRING + 24 * HOUR).at(-1)?.energy_Wh, null, 'after the last reading nothing is known');
  t.equal(read(SPRING + 2 * QUARTER - 1).length, 1, 'whole quarter hours only');
  t.same(energyHistory(store.series, 'm', 'activeEnergyExport', SPRING, SPRING + HOUR), []);
  store.close();
});

test('a meter that counts by tariff: the sum of both', async (t) => {
  const clock = new SimulatedClock(SPRING - 60_000);
  const store = openStore(file(), { clock, timeZone: ZONE, syncs: false });
  for (let slot = 0; slot < 5; slot++) {
    store.series.append([register(clock, slot * 10, 1), register(clock, 500 + slot * 7, 2)]);
    await advance(clock, QUARTER);
  }
  const slots = energyHistory(store.series, 'm', 'activeEnergyImport', SPRING - HOUR, SPRING + HOUR);
  t.same(
    slots.map(({ energy_Wh }) => energy_Wh),
    [null, null, null, null, 17, 17, 17, 17],
  );
  store.close();
});
