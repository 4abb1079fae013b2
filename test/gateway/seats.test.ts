/** What the cycle knows of a device between a command and its effect, and of the quarter hour that has passed. */
import { test } from 'tap';
import type { Measurement } from '../../firmware/domain/measurement.ts';
import type { Quality } from '../../firmware/domain/telegram.ts';
import { MeanImport } from '../../firmware/gateway/mean-import.ts';
import { MeterSeat } from '../../firmware/gateway/meter-seat.ts';
import { Settling } from '../../firmware/gateway/settling.ts';

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
