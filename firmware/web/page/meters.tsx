/** What the meters say and how they are. */
import type { MeterCard, View } from '../schema.ts';
import { dayAndClock } from './format.ts';

export function Meters({ view }: { view: View }) {
  return (
    <section class="card" aria-labelledby="meters">
      <h2 id="meters">Meters and signals</h2>
      <ul class="meters">
        {view.meters.map((meter) => (
          <li key={meter.id}>
            <Meter meter={meter} view={view} />
          </li>
        ))}
        {view.meters.length === 0 && <li class="soft">No meter is configured.</li>}
        <li>
          <p class="line">
            <i class={`dot ${view.broker.connected ? 'ok' : 'silent'}`} aria-hidden="true" />
            <strong>Grid signals</strong>
          </p>
          <p class="soft">{view.broker.sentence}</p>
        </li>
      </ul>
    </section>
  );
}

function Meter({ meter, view: { atMs, timeZone } }: { meter: MeterCard; view: View }) {
  const main = meter.values.filter((value) => value.group === 'main' || value.group === 'behind');
  const rest = meter.values.filter((value) => !main.includes(value));
  return (
    <>
      <h3 class="line">
        <i class={`dot ${meter.health}`} aria-hidden="true" />
        {meter.name}
        {meter.lastMs !== null && (
          <span class="soft end">last heard {dayAndClock(meter.lastMs, atMs, timeZone)}</span>
        )}
      </h3>
      {meter.health !== 'ok' && <p class="soft">{meter.sentence}</p>}
      {meter.notes.map((note) => (
        <p key={note} class="note">
          {note}
        </p>
      ))}
      {meter.faults.length > 0 && (
        <ul class={meter.health === 'ok' ? 'faults soft' : 'faults'}>
          {meter.faults.slice(0, 4).map((fault) => (
            <li key={fault.code}>
              {fault.count} × {fault.sentence}
            </li>
          ))}
        </ul>
      )}
      {main.length > 0 && <Values values={main} />}
      {main.length === 0 && rest.length === 0 && <p class="soft">No value yet.</p>}
      {rest.length > 0 && (
        <details>
          <summary>
            {rest.length} more {rest.length === 1 ? 'value' : 'values'}
          </summary>
          {GROUPS.map(([group, name]) => (
            <Group key={group} name={name} values={rest.filter((value) => value.group === group)} />
          ))}
        </details>
      )}
    </>
  );
}

const GROUPS = [
  ['tariffs', 'By tariff'],
  ['phases', 'By phase'],
  ['more', 'Other'],
] as const;

function Group({ name, values }: { name: string; values: MeterCard['values'] }) {
  if (values.length === 0) return null;
  return (
    <>
      <h4>{name}</h4>
      <Values values={values} />
    </>
  );
}

function Values({ values }: { values: MeterCard['values'] }) {
  return (
    <dl>
      {values.map((value) => (
        <div key={value.point}>
          <dt>{value.label}</dt>
          <dd>{value.text}</dd>
        </div>
      ))}
    </dl>
  );
}
