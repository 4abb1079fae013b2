import fc from 'fast-check';
import { test } from 'tap';
import type { Baseline, SignalInterval } from '../../firmware/domain/signal.ts';
import { SignalBook } from '../../firmware/signals/book.ts';
import { readOpenAdr3 } from '../../firmware/signals/openadr3.ts';
import { cancelMessage, limitEvent, priceEvent } from '../twins/operator.ts';

const NOW = Date.UTC(2026, 0, 15, 16);
const HOUR = 3_600_000;
const context = {
  programs: [
    { id: 'limits', name: 'DSO', binding: 'commandable', scope: 'site' },
    { id: 'prices', name: 'Market', binding: 'informational', scope: 'site' },
  ],
  receivedMs: NOW,
  draw: () => 0.5,
} as const;
const read = (body: unknown) =>
  readOpenAdr3(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), context);
const limit = { id: 'e', programID: 'limits', modificationDateTime: '2026-01-15T15:58:02Z' };
const interval = (values: unknown[], intervalPeriod?: object) => ({
  id: 0,
  intervalPeriod,
  payloads: [{ type: 'IMPORT_CAPACITY_LIMIT', values }],
});
const intervalsOf = (body: object): readonly SignalInterval[] => {
  const result = read(body);
  return result.ok ? (result.value.keep[0]?.intervals ?? []) : [];
};
const hours = (list: readonly SignalInterval[]) =>
  list.map((i) => [(i.fromMs - NOW) / HOUR, (i.untilMs - NOW) / HOUR, i.value]);

test('a limit: none, 0 W and some W are three things', async (t) => {
  for (const [kW, W] of [
    [null, null],
    [0, 0],
    [4.2, 4200],
  ] as const) {
    const result = readOpenAdr3(
      limitEvent({ id: 'e', programID: 'limits', modifiedMs: NOW }, NOW, HOUR, kW),
      context,
    );
    t.match(result, {
      ok: true,
      value: {
        keep: [
          {
            kind: 'importLimit',
            binding: 'commandable',
            source: 'DSO',
            intervals: [{ fromMs: NOW, untilMs: NOW + HOUR }],
          },
        ],
      },
    });
    if (result.ok) t.equal(result.value.keep[0]?.intervals[0]?.value, W);
  }
});

test('prices are per Wh, and a price programme commands nothing', async (t) => {
  const result = readOpenAdr3(
    priceEvent({ id: 'p', programID: 'prices', modifiedMs: NOW }, NOW, [0.3, -0.05]),
    context,
  );
  if (!result.ok) throw new Error(result.error.message);
  t.same(
    result.value.keep[0]?.intervals.map((i) => i.value),
    [0.0003, -0.00005],
  );
  const trick = read({
    ...limit,
    programID: 'prices',
    intervals: [interval([0], { start: '2026-01-15T16:00:00Z', duration: 'PT1H' })],
  });
  t.match(trick, { ok: true, value: { keep: [{ binding: 'informational' }] } });
});

test('a market price becomes the price of the contract, each way by its own terms', async (t) => {
  const programs = [
    {
      ...context.programs[1],
      importPrice: { factor: 1.19, plus: 0.17 },
      exportPrice: { factor: 1, plus: -0.01 },
    },
  ];
  const values = [
    { type: 'PRICE', values: [0.1, -0.1] },
    { type: 'EXPORT_PRICE', values: [0.1, -0.1] },
  ];
  const period = { start: '2026-01-15T16:00:00Z', duration: 'PT2H' };
  const body = {
    id: 'p',
    programID: 'prices',
    intervalPeriod: period,
    intervals: [{ id: 0, payloads: values }],
  };
  const result = readOpenAdr3(Buffer.from(JSON.stringify(body)), { ...context, programs });
  if (!result.ok) throw new Error(result.error.message);
  const rounded = result.value.keep.map((s) => s.intervals.map((i) => Math.round((i.value ?? 0) * 1e8)));
  t.same(rounded, [
    [28_900, 5100],
    [9000, -11_000],
  ]);
});

test('an ordinary price in every currency, and an absurd one in none', async (t) => {
  const said = (price: number, currency: string | null, site?: string) => {
    const body = {
      ...{ id: 'p', programID: 'prices' },
      payloadDescriptors: [{ payloadType: 'PRICE', units: 'KWH', ...(currency && { currency }) }],
      intervalPeriod: { start: '2026-01-15T16:00:00Z', duration: 'PT1H' },
      intervals: [{ id: 0, payloads: [{ type: 'PRICE', values: [price] }] }],
    };
    const bytes = Buffer.from(JSON.stringify(body));
    const result = readOpenAdr3(bytes, { ...context, ...(site && { currency: site }) });
    return result.ok ? Math.round((result.value.keep[0]?.intervals[0]?.value ?? 0) * 1e6) : result.error.code;
  };
  for (const [price, currency] of [
    [0.3, 'EUR'],
    [-4, 'SEK'],
    [36, 'HUF'],
    [31, 'JPY'],
    [150, 'KRW'],
    [800, 'COP'],
    [1444, 'IDR'],
    [-500, 'IDR'],
  ] as const) {
    t.equal(said(price, currency), price * 1000, currency);
    t.equal(said(price, null, currency), price * 1000, `of a site in ${currency}`);
  }
  for (const [price, currency] of [
    [101, 'EUR'],
    [-101, 'USD'],
    [50_000, 'JPY'],
    [1e7, 'IDR'],
    [1444, 'XXX'],
    [1444, 'constructor'],
    [1444, null],
  ] as const)
    t.equal(said(price, currency), 'SIGNAL_OUT_OF_RANGE', String(currency));
  t.equal(said(1444, 'EUR', 'IDR'), 'SIGNAL_OUT_OF_RANGE', 'the message says in what it is');
});

test('forecasts of sun and temperature, in W and °C', async (t) => {
  const said = (type: string, value: unknown, units?: string) =>
    read({
      id: 'f',
      programID: 'limits',
      ...(units && { payloadDescriptors: [{ payloadType: type, units }] }),
      intervalPeriod: { start: '2026-01-15T16:00:00Z', duration: 'PT1H' },
      intervals: [{ id: 0, payloads: [{ type, values: [value] }] }],
    });
  const signal = (kind: string, value: number) => ({
    ok: true,
    value: { keep: [{ kind, binding: 'informational', intervals: [{ value }] }] },
  });
  t.match(said('SOLAR_FORECAST', 3.2), signal('solarForecast', 3200));
  t.match(said('TEMPERATURE_FORECAST', -4.5), signal('temperatureForecast', -4.5));
  t.match(said('TEMPERATURE_FORECAST', 50, 'FAHRENHEIT'), signal('temperatureForecast', 10));
  t.match(said('TEMPERATURE_FORECAST', 20, 'KW'), { error: { code: 'SIGNAL_INVALID' } });
  t.match(said('SOLAR_FORECAST', -1), { error: { code: 'SIGNAL_OUT_OF_RANGE' } });
  t.match(said('TEMPERATURE_FORECAST', 'mild'), { error: { code: 'SIGNAL_INVALID' } });
});

test('the rules of time', async (t) => {
  const start = '2026-01-15T16:00:00Z';
  const two = [interval([1]), interval([2])];
  const eachHour = { start, duration: 'PT1H' };
  /** Hours from now, from when until when, and W. */
  type Row = readonly [
    title: string,
    event: object,
    expected: readonly (readonly [number, number, number])[],
  ];
  const rows: readonly Row[] = [
    [
      'each follows the one before',
      { intervalPeriod: eachHour, intervals: two },
      [
        [0, 1, 1000],
        [1, 2, 2000],
      ],
    ],
    [
      'now: when it was said',
      {
        modificationDateTime: '2026-01-15T15:00:00Z',
        intervalPeriod: { start: '0001-01-01T00:00:00Z', duration: 'PT2H' },
        intervals: [interval([1])],
      },
      [[-1, 1, 1000]],
    ],
    [
      'several values split',
      { intervalPeriod: { start, duration: 'PT3H' }, intervals: [interval([1, 2, 3])] },
      [
        [0, 1, 1000],
        [1, 2, 2000],
        [2, 3, 3000],
      ],
    ],
    [
      'repeated',
      { duration: 'PT3H', intervalPeriod: eachHour, intervals: two },
      [
        [0, 1, 1000],
        [1, 2, 2000],
        [2, 3, 1000],
      ],
    ],
    [
      'cut',
      { duration: 'PT90M', intervalPeriod: eachHour, intervals: two },
      [
        [0, 1, 1000],
        [1, 1.5, 2000],
      ],
    ],
    [
      'shifted once',
      { intervalPeriod: { ...eachHour, randomizeStart: 'PT1H' }, intervals: two },
      [
        [0.5, 1.5, 1000],
        [1.5, 2.5, 2000],
      ],
    ],
    [
      'one of them shifted by itself: what has a start of its own stays, what follows follows',
      {
        intervalPeriod: eachHour,
        intervals: [
          interval([1]),
          interval([2], { start: '2026-01-15T18:00:00Z', duration: 'PT1H', randomizeStart: 'PT30M' }),
          interval([3]),
          interval([4], { start: '2026-01-15T22:00:00Z', duration: 'PT1H' }),
        ],
      },
      [
        [0, 1, 1000],
        [2.25, 3.25, 2000],
        [3.25, 4.25, 3000],
        [6, 7, 4000],
      ],
    ],
    [
      'the event and one of them, each by its own',
      {
        intervalPeriod: { ...eachHour, randomizeStart: 'PT1H' },
        intervals: [interval([1]), interval([2], { randomizeStart: 'PT1H' })],
      },
      [
        [0.5, 1.5, 1000],
        [2, 3, 2000],
      ],
    ],
    [
      'own periods, an offset',
      {
        intervals: [
          interval([1], eachHour),
          interval([2], { start: '2026-01-15T18:00:00+01:00', duration: 'PT1H' }),
        ],
      },
      [
        [0, 1, 1000],
        [1, 2, 2000],
      ],
    ],
  ];
  for (const [title, event, expected] of rows)
    t.same(hours(intervalsOf({ ...limit, ...event })), expected, title);
  t.ok(
    (intervalsOf({ ...limit, intervalPeriod: { start, duration: 'P9999Y' }, intervals: [interval([1])] })[0]
      ?.untilMs ?? 0) >
      NOW + 50 * 365 * 24 * HOUR,
    'for ever',
  );
  t.match(read({ ...limit, intervalPeriod: { start, duration: 'PT0S' }, intervals: two }), {
    ok: true,
    value: { keep: [], cancel: [{ event: 'openadr3/limits/e' }] },
  });
  t.match(readOpenAdr3(cancelMessage({ id: 'e', programID: 'limits', modifiedMs: NOW }), context), {
    ok: true,
    value: { cancel: [{ event: 'openadr3/limits/e' }] },
  });
});

test('what is wrong is refused with its code', async (t) => {
  const good = {
    ...limit,
    intervalPeriod: { start: '2026-01-15T16:00:00Z', duration: 'PT1H' },
    intervals: [interval([4.2])],
  };
  for (const [body, code] of [
    ['{', 'SIGNAL_NOT_JSON'],
    ['null', 'SIGNAL_INVALID'],
    [{ ...good, id: 'a b' }, 'SIGNAL_INVALID'],
    [{ ...good, programID: 'other' }, 'SIGNAL_UNKNOWN_PROGRAM'],
    [{ ...good, intervals: [interval([-1])] }, 'SIGNAL_OUT_OF_RANGE'],
    [{ ...good, intervals: [interval([1e9])] }, 'SIGNAL_OUT_OF_RANGE'],
    [{ ...good, intervals: [interval(['4'])] }, 'SIGNAL_INVALID'],
    [{ ...good, intervals: [interval([])] }, 'SIGNAL_INVALID'],
    [{ ...good, intervals: [] }, 'SIGNAL_INVALID'],
    [{ ...good, intervals: [interval([4.2], { randomizeStart: 'soon' })] }, 'SIGNAL_INVALID'],
    [{ ...good, intervalPeriod: { start: 'tomorrow', duration: 'PT1H' } }, 'SIGNAL_INVALID'],
    [{ ...good, intervalPeriod: { start: '2026-01-15T16:00:00Z', duration: '-PT5M' } }, 'SIGNAL_INVALID'],
    [{ ...good, intervalPeriod: { start: '2026-01-15T16:00:00Z', duration: 'P1M' } }, 'SIGNAL_INVALID'],
    [
      { ...good, payloadDescriptors: [{ payloadType: 'IMPORT_CAPACITY_LIMIT', units: 'AMPS' }] },
      'SIGNAL_INVALID',
    ],
    [`"${'x'.repeat(300_000)}"`, 'OVERSIZED'],
  ] as const) {
    t.match(read(body), { ok: false, error: { code } }, code);
  }
});

test('a value that is none is a gap in what informs, and told; half a command is none', async (t) => {
  const day = (programID: string, type: string, wrong: readonly unknown[]) =>
    read({
      ...{ id: 'day', programID, modificationDateTime: '2026-01-15T15:58:02Z' },
      intervalPeriod: { start: '2026-01-15T16:00:00Z', duration: 'PT1H' },
      intervals: Array.from({ length: 24 }, (_, id) => ({
        ...{ id, payloads: [{ type, values: [id in wrong ? wrong[id] : 0.25] }] },
      })),
    });
  const at = (...pairs: readonly (readonly [number, unknown])[]): unknown[] =>
    pairs.reduce<unknown[]>((all, [i, value]) => Object.assign(all, { [i]: value }), []);
  const kept = (result: ReturnType<typeof read>) =>
    result.ok ? hours(result.value.keep[0]?.intervals ?? []).map(([from]) => from) : [result.error.code];
  const all = Array.from({ length: 24 }, (_, i) => i);
  const two = day('prices', 'PRICE', at([3, 1e9], [7, null]));
  t.same(
    kept(two),
    all.filter((i) => i !== 3 && i !== 7),
    'the others hold',
  );
  t.match(two, {
    value: {
      gaps: [
        {
          id: 'openadr3/prices/day/PRICE',
          reason: { code: 'SIGNAL_OUT_OF_RANGE', message: /^2 of 24 values of PRICE .*1000000000/ },
        },
      ],
    },
  });
  t.match(day('prices', 'PRICE', at([0, 'x'])), {
    value: { gaps: [{ reason: { code: 'SIGNAL_INVALID' } }] },
  });
  t.notMatch(day('prices', 'PRICE', []), { value: { gaps: [{}] } }, 'nothing to tell');
  t.same(
    kept(
      day(
        'prices',
        'PRICE',
        all.map(() => null),
      ),
    ),
    ['SIGNAL_INVALID'],
    'nothing is left of it',
  );
  t.same(kept(day('limits', 'IMPORT_CAPACITY_LIMIT', at([3, 1e9]))), ['SIGNAL_OUT_OF_RANGE']);
  t.same(kept(day('limits', 'DISPATCH_SETPOINT', at([3, '4']))), ['SIGNAL_INVALID']);
  t.same(kept(day('limits', 'IMPORT_CAPACITY_LIMIT', at([3, null]))), all, 'no limit is a value');
});

test('no message crashes the dialect or gives a value that is no number', async (t) => {
  const wild = fc.record({
    id: fc.constant('e'),
    programID: fc.constant('limits'),
    duration: fc.option(fc.constantFrom('PT1H', 'P9999Y', 'PT0S', 'x', 'PT1S')),
    intervalPeriod: fc.option(
      fc.record({
        start: fc.constantFrom('0001-01-01', NOW, '2026-01-15T16:00:00Z', 'x'),
        duration: fc.constantFrom('PT1S', 'PT1H', 'PT0S', '-P1D', ''),
      }),
    ),
    intervals: fc.array(
      fc.record({
        payloads: fc.array(
          fc.record({
            type: fc.constantFrom('IMPORT_CAPACITY_LIMIT', 'PRICE', '__proto__', 'constructor'),
            values: fc.array(fc.oneof(fc.double(), fc.constant(null), fc.string())),
          }),
        ),
      }),
    ),
  });
  fc.assert(
    fc.property(fc.oneof(wild, fc.jsonValue()), (body) => {
      const result = read(JSON.stringify(body));
      if (!result.ok) return;
      for (const s of result.value.keep)
        for (const i of s.intervals) {
          if (!(i.fromMs <= i.untilMs) || (i.value !== null && !Number.isFinite(i.value)))
            throw new Error(JSON.stringify(i));
        }
    }),
    { numRuns: 3000, seed: 3 },
  );
  t.pass('3000 messages');
});

test('the book only moves forward', async (t) => {
  const AT_NOW = { wallMs: NOW, isSet: true, stands: true, leapMs: 0 };
  const book = new SignalBook([], NOW);
  const version = (modifiedMs: number, kW: number) => {
    const result = readOpenAdr3(
      limitEvent({ id: 'e', programID: 'limits', modifiedMs }, NOW, HOUR, kW),
      context,
    );
    return result.ok ? result.value : { keep: [], cancel: [] };
  };
  book.apply(version(NOW, 4), AT_NOW);
  t.match(
    book.apply(version(NOW - 1, 9), AT_NOW).refused,
    [{ reason: { code: 'SIGNAL_STALE' } }],
    'an older version, sent again',
  );
  t.equal(book.current()[0]?.intervals[0]?.value, 4000);
  t.match(
    new SignalBook([], NOW).apply(version(NOW, 4), { ...AT_NOW, wallMs: NOW + 2 * HOUR }).refused,
    [{ reason: { code: 'SIGNAL_STALE' } }],
    'over',
  );
  book.apply({ keep: [], cancel: [{ event: 'openadr3/limits/e', modifiedMs: null }] }, AT_NOW);
  t.equal(book.current().length, 0);
});

test('a reduction counts from what it was measured against, until another baseline is agreed', async (t) => {
  const body = {
    ...limit,
    payloadDescriptors: [{ payloadType: 'DISPATCH_SETPOINT_RELATIVE', units: 'PERCENT' }],
    intervalPeriod: { start: '2026-01-15T16:00:00Z', duration: 'PT1H' },
    intervals: [{ id: 0, payloads: [{ type: 'DISPATCH_SETPOINT_RELATIVE', values: [-0.3] }] }],
  };
  const against = (name: 'mean15min' | 'contracted', measured: Baseline | null) => {
    const programs = [{ ...context.programs[0], baseline: { name, contracted_W: 10_000 } }];
    const baselines = (asked: string) => (asked === 'mean15min' ? 4000 : null);
    const result = readOpenAdr3(Buffer.from(JSON.stringify(body)), {
      ...{ ...context, programs, baselines },
      measured: (event) => (event === 'openadr3/limits/e' ? measured : null),
    });
    return result.ok ? result.value.keep[0]?.intervals[0]?.value : result.error.code;
  };
  const before = { name: 'mean15min', value_W: 6000, asked: '-30 %' } as const;
  t.equal(against('mean15min', null), 2800);
  t.equal(against('mean15min', before), 4200);
  t.equal(against('contracted', before), 7000, 'agreed anew');
  t.equal(against('mean15min', { ...before, name: 'nominal', agreed: 'mean15min' }), 4200, 'a stand-in');
});

test('each interval has a draw of its own, the same in every version', async (t) => {
  const asked: string[] = [];
  const draw = (name: string): number => {
    asked.push(name);
    return name.endsWith('/7') ? 1 : -1;
  };
  const randomizeStart = 'PT10M';
  const version = (intervals: readonly object[]) => {
    const body = { ...limit, intervalPeriod: { duration: 'PT1H' }, intervals };
    const result = readOpenAdr3(Buffer.from(JSON.stringify(body)), { ...context, draw });
    return result.ok
      ? hours(result.value.keep[0]?.intervals ?? []).map(([from]) => Math.round((from ?? 0) * 60))
      : [];
  };
  const one = { ...interval([1], { start: '2026-01-15T17:00:00Z', randomizeStart }), id: 3 };
  const other = { ...interval([2], { start: '2026-01-15T20:00:00Z', randomizeStart }), id: 7 };
  t.same(version([one, other]), [50, 250]);
  t.same(version([other]), [250], 'by its id, not by its place');
  t.ok(asked.includes('e/3') && asked.includes('e/7'));
  for (const id of [undefined, null, 'seven'])
    t.same(version([{ ...other, id }]), [230], 'without one by its place');
  const { id: _, ...nameless } = other;
  t.same(version([nameless]), [230]);
});
