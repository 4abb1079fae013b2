/** What the meters say and how they are, and what happened. */
import { useEffect, useState } from 'preact/hooks';
import type { JournalPage, MeterCard, View } from '../schema.ts';
import { get } from './api.ts';
import { clock, dayAndClock, fixed } from './format.ts';

export function Meters({ view }: { view: View }) {
  return (
    <section class="card" aria-labelledby="meters">
      <h2 id="meters">Meters and signals</h2>
      <ul class="meters">
        {view.meters.map((meter) => (
          <li key={meter.id}>
            <Meter meter={meter} timeZone={view.timeZone} />
          </li>
        ))}
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

function Meter({ meter, timeZone }: { meter: MeterCard; timeZone: string }) {
  return (
    <>
      <p class="line">
        <i class={`dot ${meter.health}`} aria-hidden="true" />
        <strong>{meter.name}</strong>
        {meter.lastMs !== null && <span class="soft end">last heard {clock(meter.lastMs, timeZone)}</span>}
      </p>
      <p class="soft">{meter.sentence}</p>
      {meter.faults.length > 0 && (
        <ul class="faults">
          {meter.faults.slice(0, 4).map((fault) => (
            <li key={fault.code}>
              {fault.count} × {fault.sentence}
            </li>
          ))}
        </ul>
      )}
      {meter.values.length > 0 && (
        <details>
          <summary>All {meter.values.length} values</summary>
          <dl>
            {meter.values.map((value) => (
              <div key={value.point}>
                <dt>{value.label}</dt>
                <dd>
                  {fixed(value.value)} {value.unit}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}

type Entry = JournalPage['entries'][number];
const PAGE = 12;
const MOST = 240;

export function Happened({ nowMs, timeZone, tick }: { nowMs: number; timeZone: string; tick: number }) {
  const [entries, setEntries] = useState<readonly Entry[]>([]);
  const [more, setMore] = useState(false);

  useEffect(() => {
    void get<JournalPage>(`/journal?limit=${PAGE}`).then((answer) => {
      if (!answer.ok) return;
      const fresh = answer.value.entries;
      const oldest = fresh.at(-1)?.id ?? 0;
      setEntries((before) => [...fresh, ...before.filter((entry) => entry.id < oldest)].slice(0, MOST));
      setMore((before) => before || answer.value.nextBeforeId !== null);
    });
  }, [tick]);
  const older = async (): Promise<void> => {
    const last = entries.at(-1);
    if (!last) return;
    const answer = await get<JournalPage>(`/journal?limit=${PAGE}&beforeId=${last.id}`);
    if (!answer.ok) return;
    setEntries([...entries, ...answer.value.entries].slice(0, MOST));
    setMore(answer.value.nextBeforeId !== null && entries.length < MOST - PAGE);
  };

  return (
    <section class="card" aria-labelledby="happened">
      <h2 id="happened">What happened</h2>
      {entries.length === 0 && <p class="soft">Nothing yet.</p>}
      <ol class="journal">
        {entries.map((entry) => (
          <li key={entry.id} class={`kind-${entry.kind}`}>
            <time dateTime={new Date(entry.atMs).toISOString()}>
              {dayAndClock(entry.atMs, nowMs, timeZone)}
            </time>
            <span>{entry.sentence}</span>
          </li>
        ))}
      </ol>
      {more && (
        <button type="button" onClick={() => void older()}>
          Earlier
        </button>
      )}
    </section>
  );
}
