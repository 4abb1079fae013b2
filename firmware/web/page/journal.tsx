/** What happened, the newest first. */
import { useEffect, useState } from 'preact/hooks';
import type { JournalPage } from '../schema.ts';
import { get } from './api.ts';
import { dayAndClock } from './format.ts';

type Entry = JournalPage['entries'][number];
const PAGE = 24;
/** On the way to what became of it: for who reads the API. */
const ON_THE_WAY = ['NEW', 'ACCEPTED', 'STARTED'];
const MOST = 240;

const isNews = ({ kind, code }: Entry): boolean => kind !== 'command' || !ON_THE_WAY.includes(code);

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
        {entries.filter(isNews).map((entry) => (
          <li key={entry.id} class={entry.code === 'OK' ? 'kind-good' : `kind-${entry.kind}`}>
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
