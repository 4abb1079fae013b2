/** The chart of days: prices, powers and what each way of running the home has cost so far. */
import { chart, type Line } from './chart.ts';
import { dayEnds } from './day-slots.ts';
import type { Days } from './days.ts';
import type { Outcome } from './home.ts';

/** By the name of the strategy. */
export type Runs = ReadonlyMap<string, Outcome>;

const COLOURS = ['#999999', '#d08700', '#0a7d46', '#1f5fbf'];

/** Up to a fortnight slot by slot; longer as what each way has cost so far. */
export function drawnDays(d: Days, runs: Runs): string {
  const days = dayEnds(d).length;
  const spent = [...runs].map(
    ([name, o], i): Line => ({ name, colour: COLOURS[i] ?? '#000', values: byDay(d, o) }),
  );
  const total = { title: 'Cost so far', unit: d.currency, lines: spent };
  const title = `${d.name}, ${days} days`;
  const [without, ...others] = spent;
  const saved = {
    title: 'Saved against no control',
    unit: d.currency,
    lines: others.map((l) => ({ ...l, values: l.values.map((x, i) => (without?.values[i] ?? 0) - x) })),
  };
  if (days > 14) return chart(title, [total, saved], monthLabels(d, days));
  const hearth = runs.get('Hearth');
  const line = (name: string, values: ArrayLike<number>, colour: string): Line => ({
    name,
    colour,
    steps: true,
    values: Array.from(values),
  });
  const panels = [
    { title: 'Price', unit: `${d.currency}/kWh`, lines: [line('import', d.prices.import, '#1f5fbf')] },
    {
      title: 'Power',
      unit: 'kW',
      lines: [
        line('grid', hearth?.import_kw ?? [], '#333333'),
        line('battery', hearth?.battery_kw ?? [], '#0a7d46'),
        line('car', hearth?.car_kw ?? [], '#d08700'),
        ...(d.pv_kw ? [line('sun', d.pv_kw, '#e0b000')] : []),
      ],
    },
    { title: 'Battery', unit: 'kWh', lines: [line('held', hearth?.soc_kwh ?? [], '#0a7d46')] },
    total,
  ];
  return chart(
    title,
    panels,
    Array.from({ length: days }, (_, i) => dateOf(d, i).slice(5)),
  );
}

function byDay(d: Days, o: Outcome): number[] {
  let [sum, t] = [0, 0];
  return dayEnds(d).map((end) => {
    for (; t < end; t++) sum += o.costs[t] ?? 0;
    return sum;
  });
}

const dateOf = (d: Days, day: number): string =>
  new Date(Date.parse(`${d.start.slice(0, 10)}T00:00:00Z`) + day * 86_400_000).toISOString().slice(0, 10);

const monthLabels = (d: Days, days: number): string[] => {
  const count = Math.max(1, Math.min(12, Math.round(days / 30)));
  return Array.from({ length: count }, (_, i) =>
    dateOf(d, Math.floor(((i + 0.5) * days) / count)).slice(0, 7),
  );
};
