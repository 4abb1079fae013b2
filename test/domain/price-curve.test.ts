/** The price curve against a plain search over all signals, instant by instant. */
import fc from 'fast-check';
import { test } from 'tap';
import type { Site } from '../../firmware/domain/image.ts';
import {
  type PriceKind,
  plannedPriceFinder,
  priceAt,
  priceCurve,
  pricesBetween,
} from '../../firmware/domain/price-curve.ts';
import type { Signal } from '../../firmware/domain/signal.ts';
import { fixedTariff } from '../../firmware/domain/tariff.ts';

const SITE: Site = {
  timeZone: 'Europe/Berlin',
  currency: 'EUR',
  fuse_A: 35,
  phases: 3,
  nominal_V: 230,
  staleAfterMs: 30_000,
  baseWorstCase_W: 2000,
  importTariff: [],
  exportTariff: fixedTariff(0.00008),
};

const signalOf = (of: Partial<Signal>): Signal => ({
  id: 's',
  source: 'Market',
  kind: 'importPrice',
  binding: 'informational',
  scope: 'site',
  priority: 0,
  modifiedMs: 0,
  receivedMs: 0,
  currency: 'EUR',
  text: null,
  intervals: [],
  ...of,
});

const anySignal: fc.Arbitrary<Signal> = fc
  .record({
    kind: fc.constantFrom<PriceKind>('importPrice', 'exportPrice'),
    priority: fc.nat(2),
    // Two signals of the same strength would make either right.
    modifiedMs: fc.nat(1_000_000_000),
    currency: fc.constantFrom('EUR', 'EUR', 'SEK', null),
    intervals: fc.array(
      fc
        .record({ fromMs: fc.nat(60), lasts: fc.nat(20), value: fc.option(fc.integer({ min: -5, max: 40 })) })
        .map(({ fromMs, lasts, value }) => ({ fromMs, untilMs: fromMs + lasts, value })),
      { maxLength: 4 },
    ),
  })
  .map((of) => {
    // Intervals of one signal follow each other.
    let end = 0;
    const intervals = of.intervals.map(({ fromMs, untilMs, value }) => {
      const begin = end + (fromMs % 7);
      end = begin + (untilMs - fromMs);
      return { fromMs: begin, untilMs: end, value };
    });
    return signalOf({ ...of, intervals });
  });

/** Of all that say something at this instant the strongest. */
function searched(signals: readonly Signal[], kind: PriceKind, atMs: number): number | null {
  const said = signals
    .filter((s) => s.kind === kind && (s.currency === null || s.currency === SITE.currency))
    .flatMap((s) =>
      s.intervals
        .filter((i) => i.value !== null && i.fromMs <= atMs && atMs < i.untilMs)
        .map((i) => ({ s, value: i.value })),
    )
    .sort((a, b) => a.s.priority - b.s.priority || b.s.modifiedMs - a.s.modifiedMs);
  return said[0]?.value ?? (kind === 'importPrice' ? null : 0.00008);
}

test('at every instant the curve says what the strongest signal says', async (t) => {
  const unlike = (signals: readonly Signal[]): boolean =>
    new Set(signals.map((s) => s.modifiedMs)).size === signals.length;
  fc.assert(
    fc.property(fc.array(anySignal, { maxLength: 6 }).filter(unlike), (signals) => {
      for (const kind of ['importPrice', 'exportPrice'] as const) {
        for (let at = -1; at < 130; at++)
          if (priceAt(signals, kind, SITE, at) !== searched(signals, kind, at)) return false;
        for (const part of pricesBetween(signals, kind, SITE, 3, 90))
          if (part.untilMs <= part.fromMs || part.price !== searched(signals, kind, part.fromMs))
            return false;
      }
      return true;
    }),
    { numRuns: 400, seed: 7 },
  );
  t.pass('400 lists of signals');
});

test('a stretch without an end, a gap, and a list that is asked again', async (t) => {
  const endless = signalOf({ intervals: [{ fromMs: 0, untilMs: Number.MAX_SAFE_INTEGER, value: 2 }] });
  const later = signalOf({ modifiedMs: 5, intervals: [{ fromMs: 10, untilMs: 20, value: 1 }] });
  const signals = [endless, later];
  t.same(
    priceCurve(signals, 'importPrice', 'EUR').map((s) => s.price),
    [2, 1, 2],
  );
  t.equal(priceCurve(signals, 'importPrice', 'EUR'), priceCurve(signals, 'importPrice', 'EUR'));
  t.same(pricesBetween([later], 'importPrice', SITE, 0, 30), [
    { fromMs: 0, untilMs: 10, price: null },
    { fromMs: 10, untilMs: 20, price: 1 },
    { fromMs: 20, untilMs: 30, price: null },
  ]);
  t.same(pricesBetween([], 'exportPrice', SITE, 0, 30), [{ fromMs: 0, untilMs: 30, price: 0.00008 }]);
});

test('for who plans a short gap has the worse of its neighbours; a long one, and the end, have none', async (t) => {
  const HOUR = 3_600_000;
  const at = (hour: number, value: number) => ({ fromMs: hour * HOUR, untilMs: (hour + 1) * HOUR, value });
  const intervals = [at(0, 3), at(2, 1), at(6, 2)];
  const prices = (['importPrice', 'exportPrice'] as const).map((kind) => {
    const none = { ...SITE, exportTariff: [] };
    const find = plannedPriceFinder([signalOf({ kind, intervals })], kind, none);
    return [-1, 0, 1, 2, 3, 5.9, 6, 7].map((hour) => find(hour * HOUR));
  });
  t.same(prices, [
    [null, 3, 3, 1, 2, 2, 2, null],
    [null, 3, 1, 1, 1, 1, 2, null],
  ]);
  const wider = plannedPriceFinder([signalOf({ intervals: [at(0, 3), at(4.1, 1)] })], 'importPrice', SITE);
  t.equal(wider(2 * HOUR), null);
  const fixed = { ...SITE, importTariff: fixedTariff(0.0005) };
  t.equal(plannedPriceFinder([signalOf({ intervals })], 'importPrice', fixed)(HOUR), 0.0005, 'the contract');
});
