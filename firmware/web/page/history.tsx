/** Past days: energy from and to the grid and its cost, with a table for who cannot see a chart, and a copy to keep. */
import { useState } from 'preact/hooks';
import { dayStart } from '../../web/zone.ts';
import type { EnergyDays, TariffCheck, View } from '../schema.ts';
import { get } from './api.ts';
import { Bars } from './bars.tsx';
import { csvOf, save } from './csv.ts';
import { Fact, Facts } from './facts.tsx';
import { clock, date, energy, money, weekday } from './format.ts';
import { usePolled } from './live.ts';
import { Savings } from './savings.tsx';

const SPANS = [
  { days: 1, name: 'Day', per: 'quarter' },
  { days: 7, name: 'Week', per: 'day' },
  { days: 31, name: 'Month', per: 'day' },
] as const;
type Span = (typeof SPANS)[number];

const EVERY_MS = 300_000;

export function History({ view }: { view: View }) {
  const [span, setSpan] = useState<Span>(SPANS[0]);
  // Whole spans back from the one that ends today.
  const [back, setBack] = useState(0);
  const firstMs = dayStart(view.timeZone, view.atMs, 1 - span.days * (back + 1));
  const query = `day=${date(firstMs, view.timeZone)}&days=${span.days}`;
  const path = `/energy?${query}&per=${span.per}`;
  const energyDays = usePolled<EnergyDays>(path, EVERY_MS, null);
  // While the next is asked for the last one stands there: it must not be taken for it.
  const untilMs = dayStart(view.timeZone, firstMs, span.days);
  const isAsked = energyDays?.fromMs === firstMs && energyDays.untilMs === untilMs;
  const shown = isAsked ? energyDays : null;

  const keep = async (): Promise<void> => {
    const answer = await get<EnergyDays>(`/energy?${query}&per=quarter`);
    if (answer.ok) save(csvOf(answer.value, view.timeZone), `energy-${date(firstMs, view.timeZone)}.csv`);
  };
  const choose = (next: Span): void => {
    setSpan(next);
    setBack(0);
  };

  return (
    <section class="card history" aria-labelledby="history">
      <div class="head">
        <h2 id="history">History</h2>
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a row of buttons everywhere */}
        <div class="buttons" role="group" aria-label="How much to show">
          {SPANS.map((each) => (
            <button key={each.name} type="button" aria-pressed={each === span} onClick={() => choose(each)}>
              {each.name}
            </button>
          ))}
        </div>
      </div>
      <div class="head">
        <p class="when" aria-live="polite">
          {title(firstMs, span, view)}
        </p>
        <button
          type="button"
          class="arrow"
          aria-label={`The ${span.name.toLowerCase()} before`}
          onClick={() => setBack(back + 1)}
        >
          ‹
        </button>
        <button
          type="button"
          class="arrow"
          aria-label={`The ${span.name.toLowerCase()} after`}
          disabled={back === 0}
          onClick={() => setBack(back - 1)}
        >
          ›
        </button>
      </div>
      {shown ? <Shown days={shown} per={span.per} view={view} /> : <p class="soft">One moment …</p>}
      {shown && shown.total.import_Wh !== null && (
        <p>
          <button type="button" onClick={() => void keep()}>
            Save as CSV
          </button>
        </p>
      )}
      <Savings />
      <WouldItHavePaid />
    </section>
  );
}

function title(firstMs: number, span: Span, { timeZone, atMs }: View): string {
  const lastMs = dayStart(timeZone, firstMs, span.days - 1);
  const last = lastMs === dayStart(timeZone, atMs) ? 'today' : weekday(lastMs, timeZone);
  return span.days === 1 ? last.replace(/^t/, 'T') : `${weekday(firstMs, timeZone)} to ${last}`;
}

function Shown({ days, per, view }: { days: EnergyDays; per: Span['per']; view: View }) {
  const { total, currency } = days;
  if (total.import_Wh === null && total.export_Wh === null) {
    return <p class="soft">No readings of this time are stored.</p>;
  }
  return (
    <>
      <Facts>
        <Fact name={(total.cost ?? 0) <= -0.005 ? 'earned' : 'cost'}>
          {money(total.cost === null ? null : Math.abs(total.cost), currency)}
        </Fact>
        <Fact name="from the grid" unit="kWh">
          {energy(total.import_Wh).number}
        </Fact>
        <Fact name="to the grid" unit="kWh">
          {energy(total.export_Wh).number}
        </Fact>
      </Facts>
      <Bars days={days} per={per} timeZone={view.timeZone} />
      {total.missing > 0 && (
        <p class="fine">
          {total.missing} quarter {total.missing === 1 ? 'hour has' : 'hours have'} no reading.
        </p>
      )}
      {total.unpriced_Wh > 0 && (
        <p class="fine">
          {energy(total.unpriced_Wh).number} kWh have no known price and are not in the cost.
        </p>
      )}
      <details>
        <summary>As a table</summary>
        <Table days={days} per={per} timeZone={view.timeZone} />
      </details>
    </>
  );
}

function Table({ days, per, timeZone }: { days: EnergyDays; per: Span['per']; timeZone: string }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, by the keys too
    <div class="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{per === 'day' ? 'Day' : 'From'}</th>
            <th scope="col">From the grid, kWh</th>
            <th scope="col">To the grid, kWh</th>
            <th scope="col">Cost</th>
          </tr>
        </thead>
        <tbody>
          {days.slots.map((slot) => (
            <tr key={slot.fromMs}>
              <th scope="row">
                {per === 'day' ? weekday(slot.fromMs, timeZone) : clock(slot.fromMs, timeZone)}
              </th>
              <td>{energy(slot.import_Wh, 2).number}</td>
              <td>{energy(slot.export_Wh, 2).number}</td>
              <td>{money(slot.cost, days.currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Asked for when it is opened: a month of quarter hours is read for it. */
function WouldItHavePaid() {
  const [check, setCheck] = useState<TariffCheck | null>(null);
  const [said, setSaid] = useState('');
  const look = async (open: boolean): Promise<void> => {
    if (!open || check) return;
    const answer = await get<TariffCheck>('/tariff');
    if (answer.ok) setCheck(answer.value);
    else setSaid(answer.message);
  };
  return (
    <details onToggle={(event) => void look(event.currentTarget.open)}>
      <summary>Would a price by the hour have paid last month?</summary>
      <ul class="words" aria-live="polite">
        {(check?.sentences ?? [said || 'One moment …']).map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
    </details>
  );
}
