/** Batteries by SunSpec: 704 with 701 and 713, and 124, whose twins have timers of their own. */
import { test } from 'tap';
import { storageBattery, sunspecBattery } from '../twins/battery.ts';
import type { ModbusTwin } from '../twins/modbus-device.ts';
import { BATTERY, battery, instruction, onLine, profileOf } from './store-bench.ts';

test('SunSpec 704: the sign is turned, the scale read, and the battery reverts to rest', async (t) => {
  let cells = battery();
  let at: (model: number, offset: number) => number = () => 0;
  const start = async (spoil: (twin: ModbusTwin) => void = () => {}) =>
    onLine(
      (wallMs) => {
        cells = battery();
        const sunspec = sunspecBattery(cells, wallMs);
        at = sunspec.at;
        spoil(cells.twin);
        return cells.twin;
      },
      profileOf('battery-sunspec', { charge_W: 4000, discharge_W: 3000 }),
      BATTERY,
    );
  const d = await start();
  const { holding } = d.twin.registers;
  t.match(d.menu(), { ranges: [{ min_W: -3000, max_W: 4000 }], failsafe_W: 0, store: { fill: 0.5 } });
  t.equal(await d.outcome(instruction(2500)), 'SUCCEEDED');
  t.same(
    [holding.get(at(704, 24)), holding.get(at(704, 25))],
    [0xffff, 65_536 - 2500],
    '-2500 W to the grid',
  );
  t.same(
    [23, 30, 32].map((offset) => holding.get(at(704, offset))),
    [1, 1, 60],
    'in watts; back to 0 W after 60 s',
  );
  await d.pass(1500);
  t.equal(d.last('activePower'), 2500);
  t.equal(await d.outcome(instruction(-1230)), 'SUCCEEDED');
  await d.pass(3 * 60_000);
  t.equal(d.last('activePower'), -1230, 'told again in time');
  d.line.silence(true);
  await d.pass(70_000);
  d.twin.refresh();
  t.equal(cells.wanted_W(), 0, 'reverted');
  d.line.silence(false);

  const coarse = await start(({ registers }) => void registers.holding.set(at(704, 55), 2));
  t.equal(await coarse.outcome(instruction(-1260)), 'SUCCEEDED');
  t.equal(cells.wanted_W(), -1200, 'in hundreds of watts, never more than told');

  for (let i = 0; i < 30; i++) {
    await coarse.outcome(instruction(-1250 - (i % 2) * 10));
    await coarse.pass(3500);
  }
  t.same(coarse.lost, [], 'what comes to the same is not written, and yet told again in time');

  const scaleless = await start(({ registers }) => void registers.holding.set(at(704, 55), 0x8000));
  t.equal(await scaleless.outcome(instruction(-1000)), 'ABORTED WRONG_ANSWER');
  const timerless = await start(({ refuses }) => void refuses.add(at(704, 31)));
  t.match(timerless.menu(), { failsafe_W: null }, 'one without a timer is not trusted to fall back');
  t.equal(await timerless.outcome(instruction(-1000)), 'SUCCEEDED');
  const fillless = await start(({ registers }) => void registers.holding.set(at(713, 8), 0x8000));
  t.same([fillless.range(), fillless.health.at(-1)], [[0, 4000], 'ok'], 'no scale of the fill');
});

test('SunSpec 124: both rates in one request, in percent of what the inverter says', async (t) => {
  const cells = battery();
  let at: (model: number, offset: number) => number = () => 0;
  const d = await onLine(
    (wallMs) => {
      const storage = storageBattery(cells, wallMs, 3000);
      at = storage.at;
      return cells.twin;
    },
    profileOf('battery-sunspec-124', { charge_W: 4000, discharge_W: 2000 }),
    BATTERY,
  );
  const { holding } = d.twin.registers;
  t.match(d.menu(), {
    ranges: [{ min_W: -2000, max_W: 3000 }],
    worstCase_W: 3000,
    failsafe_W: null,
    store: { fill: 0.5 },
  });
  for (const [power_W, out, into] of [
    [1500, 65_536 - 5000, 5000],
    [-600, 2000, 65_536 - 2000],
    [0, 0, 0],
  ] as const) {
    t.equal(await d.outcome(instruction(power_W)), 'SUCCEEDED');
    t.same(
      [12, 13, 5].map((offset) => holding.get(at(124, offset))),
      [out, into, 3],
    );
    t.equal(cells.wanted_W(), power_W);
    await d.pass(1500);
    t.equal(d.last('activePower'), power_W, 'it does not measure: taken as told');
  }
  t.equal(await d.outcome(instruction(-600)), 'SUCCEEDED');
  holding.set(at(124, 13), 10_000);
  await d.pass(1500);
  t.equal(d.lost.length, 1, 'half of it gone');
});
