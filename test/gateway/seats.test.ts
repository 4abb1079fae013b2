/** What the cycle knows of a device between a command and its effect, and of the quarter hour that has passed. */
import { test } from 'tap';
import { type Fault, fault } from '../../firmware/domain/errors.ts';
import type { Flexibility } from '../../firmware/domain/flexibility.ts';
import type { Site } from '../../firmware/domain/image.ts';
import { LIMITS } from '../../firmware/domain/limits.ts';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { Quality } from '../../firmware/domain/telegram.ts';
import { DeviceSeat, type DeviceSettings } from '../../firmware/gateway/device-seat.ts';
import { MeanImport } from '../../firmware/gateway/mean-import.ts';
import { MeterSeat } from '../../firmware/gateway/meter-seat.ts';
import { Settling } from '../../firmware/gateway/settling.ts';
import { SimulatedClock } from '../../firmware/hal/simulated/clock.ts';

test('limits stand on what can be trusted; what cannot is shown all the same', async (t) => {
  const seat = new MeterSeat('g', 'Grid', 'grid');
  const told = (quantity: 'activePower' | 'voltage', phase: 0 | 1, value: number, quality: Quality) => {
    const point = { source: 'g', quantity, phase, tariff: 0, channel: 0 } as const;
    const at = { meterTimeMs: null, receivedMs: 1_000, receivedElapsedMs: 1_000 };
    seat.take([{ point, value, quality, ...at } satisfies Measurement]);
  };
  for (const [quality, value] of [
    ['good', 2000],
    ['estimated', 2000],
    ['doubtful', null],
    ['invalid', null],
  ] as const) {
    told('activePower', 0, 2000, quality);
    t.same(seat.netPower(1_500), { value, ageMs: 500 }, quality);
    t.equal(seat.view().values[0]?.value, 2000, `${quality}: shown`);
  }
  told('activePower', 1, 2300, 'good');
  told('voltage', 1, 115, 'doubtful');
  t.equal(seat.phaseCurrent(1, 1_500, 230).value, 10, 'by the nominal voltage');
});

test('points that are made up without end go nowhere, and those that are there stay', async (t) => {
  const seat = new MeterSeat('w', 'Water', 'sub');
  const volume = (tariff: number, value: number): Measurement => ({
    point: { source: 'w', quantity: 'volume', phase: 0, tariff, channel: 0 },
    value,
    quality: 'good',
    meterTimeMs: null,
    receivedMs: 1_000,
    receivedElapsedMs: 1_000,
  });
  const many = Array.from({ length: 200 }, (_, tariff) => volume(tariff, 1));
  t.equal(seat.take(many).length, LIMITS.pointsPerMeter, 'of all, for the store too');
  t.same(seat.admitted([volume(0, 2), volume(199, 2)]), [volume(0, 2)]);
  seat.take([volume(0, 3)]);
  t.equal(seat.view().values.length, LIMITS.pointsPerMeter);
  t.equal(seat.view().values[0]?.value, 3);
});

test('a device is settled when it was heard after its command had ended', async (t) => {
  const it = new Settling();
  t.equal(it.sinceMs(1000), Infinity, 'before the first command');
  it.begun(1000);
  it.heard(1100);
  t.same([it.isSettled(), it.sinceMs(1200)], [false, 0], 'what it says meanwhile does not count');
  it.ended(1300, true);
  it.heard(1250);
  t.equal(it.isSettled(), false, 'nor what was asked before');
  it.heard(1400);
  it.heard(2000);
  t.same([it.isSettled(), it.sinceMs(1500)], [true, 100]);
});

test('one that never says what it draws, or falls silent, holds nobody up for ever', async (t) => {
  const mute = new Settling();
  mute.begun(0);
  mute.ended(500, false);
  t.equal(mute.sinceMs(600), 100);
  const silent = new Settling();
  silent.begun(0);
  silent.ended(500, true);
  t.equal(silent.sinceMs(30_000), 0);
  t.equal(silent.sinceMs(31_000), 30_500);
});

test('after a start, what is kept is in the reading of the meter until the device is heard, or not for long', async (t) => {
  const kept = (
    setPoint_W: number,
    controlType: Flexibility['controlType'] = 'OPERATION_MODE_BASED_CONTROL',
  ) => {
    const ranges = [{ min_W: -2000, max_W: 2000 }];
    const it = seatOf(ranges, controlType, new Map([['device.d', JSON.stringify({ setPoint_W })]]));
    const seen = () => {
      it.seat.meterRead(10_000);
      const { atGrid_W = null, sinceChangedMs } = it.seat.image(it.time.wallMs(), it.now()) ?? {};
      return [atGrid_W, sinceChangedMs];
    };
    const measure = (value: number): void => {
      const point = { source: 'd', quantity: 'activePower', phase: 0, tariff: 0, channel: 0 } as const;
      const at = { meterTimeMs: null, receivedMs: it.time.wallMs(), receivedElapsedMs: it.now() };
      it.seat.take([{ point, value, quality: 'good', ...at }]);
    };
    return { ...it, seen, measure };
  };
  const on = kept(2000);
  t.same(on.seen(), [2000, 0], 'and nothing is turned up meanwhile');
  await on.time.advanceTo(4000);
  on.tell(2000, fault('LINK_GONE'));
  on.seat.setHealth('silent');
  t.same(on.seen(), [2000, 0], 'nor does it matter that it cannot be reached yet');
  on.measure(1500);
  t.same(on.seen(), [1500, 0]);
  on.tell(2000);
  await on.time.advanceTo(5000);
  on.measure(1900);
  t.same(on.seen(), [1900, 0], 'as after any command');
  await on.time.advanceTo(6000);
  t.same(on.seen(), [1900, 1000]);

  const gone = kept(2000);
  gone.seat.setHealth('silent');
  await gone.time.advanceTo(30_000);
  t.same(gone.seen(), [2000, 0]);
  await gone.time.advanceTo(30_001);
  t.same(gone.seen(), [null, 30_001], 'then it is one that is lost');

  t.same(kept(0).seen(), [null, Infinity], 'what was off may draw all the same');
  t.same(kept(-1500).seen(), [null, Infinity], 'a roof that is not heard may hide what others draw');
  t.same(kept(1500, 'FILL_RATE_BASED_CONTROL').seen()[0], null, 'how far a battery is, is not kept');
});

test('what a device may draw is all that it was told and said since the meter last saw it follow', async (t) => {
  const { seat, tell, time, now } = seatOf(BATTERY, 'FILL_RATE_BASED_CONTROL');
  const may = () => seat.image(time.wallMs(), now())?.mayDraw_W;
  const said = (value: number): void => {
    const point = { source: 'd', quantity: 'activePower', phase: 0, tariff: 0, channel: 0 } as const;
    seat.take([
      { point, value, quality: 'good', meterTimeMs: null, receivedMs: 0, receivedElapsedMs: now() },
    ]);
  };
  t.same(may(), undefined);
  tell(500);
  t.same(may(), undefined, 'nobody knows what it drew before');
  await time.advanceTo(1000);
  said(500);
  await time.advanceTo(2000);
  seat.meterRead(10_000);
  tell(-800);
  t.same(may(), { min_W: -800, max_W: 500 });
  tell(200);
  t.same(may(), { min_W: -800, max_W: 500 }, 'it may be anywhere between');
  await time.advanceTo(2500);
  said(900);
  seat.meterRead(10_000);
  t.same(may(), { min_W: -800, max_W: 900 }, 'a reading at once may hold its old power');
  await time.advanceTo(3500);
  seat.meterRead(10_000);
  t.same(may(), undefined);
  for (let second = 4; second < 60; second++) {
    await time.advanceTo(second * 1000);
    tell(second);
    said(second);
  }
  t.same(may(), { min_W: 28, max_W: 59 }, 'told anew each second: what it was told long ago is over');
});

test('the mean import of a quarter of an hour', async (t) => {
  const mean = new MeanImport();
  const run = (fromS: number, untilS: number, value: number | null, ageMs = 500): void => {
    for (let s = fromS; s <= untilS; s++) mean.take({ value, ageMs }, s * 1000, 10_000);
  };
  run(0, 300, 6000);
  t.equal(mean.value_W(300_000), null, 'five minutes are too little');
  run(301, 900, 6000);
  t.equal(Math.round(mean.value_W(900_000) ?? 0), 6000);
  run(901, 1350, 0);
  t.ok(Math.abs((mean.value_W(1_350_000) ?? 0) - 3000) < 100, 'half of it at 6 kW, half at nothing');
  run(1351, 1800, -4000);
  t.ok((mean.value_W(1_800_000) ?? 9) < 100, 'what is fed in is no import');
  run(1801, 2400, 5000, 60_000);
  t.equal(mean.value_W(2_400_000), null, 'a stale meter says nothing');
});

/** A device that takes whatever it is told, or fails at it. */
function seatOf(
  ranges: Flexibility['ranges'],
  controlType: Flexibility['controlType'],
  kept = new Map<string, string>(),
  deadline: DeviceSettings['deadline'] = null,
) {
  const time = new SimulatedClock(Date.UTC(2026, 5, 1));
  const writes: string[] = [];
  const settings = {
    get: (key: string) => kept.get(key) ?? null,
    set: (key: string, value: string) => {
      writes.push(key);
      kept.set(key, value);
    },
    remove: (key: string) => void kept.delete(key),
  };
  const resource = { id: 'd', open: () => {}, instruct: () => {}, close: async () => {} };
  const site = { timeZone: 'Europe/Berlin', staleAfterMs: 10_000 } as Site;
  const seat = new DeviceSeat(
    resource,
    { priority: 1, mode: 'always', deadline },
    { clock: time, site, settings },
    { kind: 'automatic' },
  );
  const flexibility = { controlType, ranges } as unknown as Flexibility;
  seat.flexibility = flexibility;
  let id = 0;
  const tell = (setPoint_W: number, failure: Fault | null = null, abnormal = false): boolean[] => {
    const instruction = { id: ++id, resource: 'd', setPoint_W, issuedMs: 0, abnormal, reasons: [] };
    seat.instruct(instruction);
    const news = [seat.report(instruction, 'ACCEPTED', null), seat.report(instruction, 'STARTED', null)];
    return [...news, seat.report(instruction, failure ? 'ABORTED' : 'SUCCEEDED', failure)];
  };
  return { seat, tell, writes, time, now: () => time.elapsedMs() };
}

test('what comes home at an hour needs its energy from then on, by local time', async (t) => {
  const { seat, time } = seatOf([{ min_W: 0, max_W: 3600 }], 'POWER_ENVELOPE_BASED_CONTROL', new Map(), {
    ...{ time: '07:00', energy_Wh: 8000, from: '18:00' },
  });
  const need = (text: string) => {
    seat.account();
    return seat.image(Date.parse(text), time.elapsedMs())?.flexibility.need;
  };
  // The clock begins at two o'clock in the night, Berlin time.
  const fromMs = Date.parse('2026-05-31T18:00:00+02:00');
  const byMs = Date.parse('2026-06-01T07:00:00+02:00');
  t.same(need('2026-06-01T02:00:00+02:00'), { energy_Wh: 8000, byMs, fromMs });
  await time.advanceTo(time.elapsedMs() + 6 * 3_600_000);
  t.same(
    need('2026-06-01T08:00:00+02:00'),
    { energy_Wh: 8000, byMs: byMs + 86_400_000, fromMs: fromMs + 86_400_000 },
    'after the deadline: the next evening',
  );
});

const BATTERY = [{ min_W: -5000, max_W: 5000 }];

test('a battery: what a limit may be behind has no wait, either way', async (t) => {
  const refused = fault('DEVICE_EXCEPTION');
  for (const [from, to, isUrgent, what] of [
    [3000, 1000, true, 'charged less under a limit of import'],
    [0, -2000, true, 'giving under a limit of import'],
    [-3000, -1000, true, 'giving less under a limit of export'],
    [-3000, 2000, true, 'taking what may not be fed in'],
    [1000, 3000, false, 'charged more has no hurry'],
    [0, 3000, false, 'charged at all neither'],
  ] as const) {
    const { seat, tell, now, time } = seatOf(BATTERY, 'FILL_RATE_BASED_CONTROL');
    tell(from);
    tell(to, refused);
    t.equal(seat.wants(to - 10, now(), true), isUrgent, what);
    await time.advanceTo(now() + 1000);
    t.equal(seat.wants(to, now(), false), isUrgent, `${what}: again after a second`);
    await time.advanceTo(now() + 9000);
    t.equal(seat.wants(to, now(), false), true, `${what}: again after ten`);
  }
});

test('a battery that refuses while it follows the meter is not asked each second', async (t) => {
  const { seat, tell, now, time } = seatOf(BATTERY, 'FILL_RATE_BASED_CONTROL');
  tell(-1000);
  let asked = 0;
  for (let second = 0; second < 600; second++) {
    if (seat.wants(-1000 - 10 * (second + 1), now(), false)) {
      asked += 1;
      tell(-1000 - 10 * (second + 1), fault('READBACK_DIFFERS'));
    }
    await time.advanceTo(now() + 1000);
  }
  t.ok(asked > 50 && asked < 70, `${asked} times in ten minutes`);
  t.equal(seat.wants(-1000, now(), true), true, 'but at once for a limit');
});

test('a battery on its way: its steps are no news and not written to flash, its turns are', async (t) => {
  const { tell, writes, time, now } = seatOf(BATTERY, 'FILL_RATE_BASED_CONTROL');
  await time.advanceTo(100_000);
  t.same(tell(500), [true, true, true]);
  t.same(tell(600), [false, false, false]);
  t.same(tell(700, null, true), [true, true, true], 'a limit is');
  t.same(tell(650, fault('TIMEOUT')), [false, false, true], 'so is what went wrong');
  t.same(tell(640), [false, false, true], 'and that it goes on');
  t.same(tell(-100), [true, true, true]);
  const before = writes.length;
  for (let i = 0; i < 60; i++) {
    await time.advanceTo(now() + 5000);
    tell(i % 2 ? 100 : -100);
  }
  t.ok(writes.length - before <= 6, `${writes.length - before} writes in five minutes`);
  const boiler = seatOf([{ min_W: 0, max_W: 2000 }], 'POWER_ENVELOPE_BASED_CONTROL');
  boiler.tell(500);
  t.same(boiler.tell(600), [true, true, true], 'of others each is');
});
