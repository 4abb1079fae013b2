/** Heat pumps by levels, and elements behind a relay, with the tank that they heat. */
import { test } from 'tap';
import { heatSchema, heatStoreOf } from '../../firmware/config/store.ts';
import { HeatPumpTwin } from '../twins/heat-pump.ts';
import { battery, HOUR, instruction, onLine, profileOf, START, storedIn, TANK } from './store-bench.ts';

test('a heat pump: levels, its tank, and none above what the tank may have', async (t) => {
  let pump: HeatPumpTwin | undefined;
  const d = await onLine(
    (wallMs) => {
      pump = new HeatPumpTwin(300, 48, START, wallMs);
      return pump.twin;
    },
    profileOf('heat-pump-levels'),
    TANK,
  );
  if (!pump) throw new Error('no twin');
  const { holding } = pump.twin.registers;
  t.match(d.menu(), {
    controlType: 'OPERATION_MODE_BASED_CONTROL',
    kind: 'heat-pump',
    ranges: [0, 2000, 3000].map((power_W) => ({ min_W: power_W, max_W: power_W })),
    minOnMs: 600_000,
    worstCase_W: 3000,
    store: { kind: 'heat', what: 'tank', most_C: 60, capacity_WhPerK: 300 * 1.163, ambient_C: 18 },
  });
  t.ok(Math.abs((storedIn(d.menu()) ?? 0) - 48) < 0.2);
  t.ok((d.last('outdoorTemperature') ?? 0) > 5);
  for (const [power_W, level] of [
    [3000, 3],
    [2999, 2],
    [2000, 2],
    [1999, 1],
    [0, 1],
  ] as const) {
    t.equal(await d.outcome(instruction(power_W)), 'SUCCEEDED');
    t.equal(holding.get(3000), level, `${power_W} W`);
  }
  const before_C = pump.water_C;
  t.equal(await d.outcome(instruction(3000)), 'SUCCEEDED');
  await d.pass(HOUR / 2);
  t.ok(pump.water_C > before_C + 3, `${before_C} to ${pump.water_C} °C in half an hour of 3 kW`);
  pump.water_C = 60.5;
  await d.pass(2500);
  t.same(d.menu().ranges, [{ min_W: 0, max_W: 0 }], 'off alone');
  pump.water_C = 59;
  await d.pass(2500);
  t.equal(d.menu().ranges.length, 1, 'until it has cooled');
  pump.water_C = 57.5;
  await d.pass(2500);
  t.equal(d.menu().ranges.length, 3);
  pump.water_C = 600;
  await d.pass(2500);
  t.same(
    [storedIn(d.menu()), d.last('temperature'), d.menu().ranges.length],
    [null, null, 3],
    'no such water',
  );
});

test('an element behind a relay, with a sensor in its tank', async (t) => {
  const store = heatStoreOf(heatSchema.parse({ what: 'tank', litres: 120, most_C: 70 }), 'boiler');
  const cells = battery();
  const d = await onLine(() => cells.twin, profileOf('relay-heater-tank'), store);
  t.match(d.menu(), { store: { temperature_C: 0, cop: [{ outdoor_C: 0, cop: 1 }], most_C: 70 } });
  cells.twin.registers.input.set(1, 705);
  await d.pass(2500);
  t.same(d.menu().ranges, [{ min_W: 0, max_W: 0 }]);
});
