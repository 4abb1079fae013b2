/** Wireless meters that are heard and not read: for the installer, folded away, and not there when there are none. */
import { useState } from 'preact/hooks';
import type { HeardMeters, KeyTrialAnswer, View } from '../schema.ts';
import { ask } from './api.ts';
import { dayAndClock } from './format.ts';
import { usePolled } from './live.ts';

const EVERY_MS = 60_000;
const KEY = '[0-9a-fA-F]{32}';

type Heard = HeardMeters['meters'][number];

export function Radio({ view }: { view: View }) {
  const heard = usePolled<HeardMeters>('/radio/meters', EVERY_MS, null);
  if (!heard || heard.meters.length === 0) return null;
  return (
    <details class="card fold radio">
      <summary>Wireless meters that are heard and not read ({heard.meters.length})</summary>
      <p class="fine">
        For the installer. Neighbours' meters are heard too: compare the number on the meter.
      </p>
      <ul class="meters">
        {heard.meters.map((meter) => (
          <li key={`${meter.manufacturer} ${meter.id}`}>
            <HeardMeter meter={meter} view={view} />
          </li>
        ))}
      </ul>
    </details>
  );
}

function HeardMeter({ meter, view }: { meter: Heard; view: View }) {
  const title = [meter.maker, meter.medium].filter(Boolean).join(' · ');
  return (
    <>
      <h3 class="line">
        {meter.id}
        <span class="soft end">last heard {dayAndClock(meter.lastMs, view.atMs, view.timeZone)}</span>
      </h3>
      <p class="soft">
        {title === '' ? 'Unknown maker' : title} · {meter.encrypted ? 'encrypted' : 'not encrypted'}
        {meter.signal_dBm !== null && ` · ${meter.signal_dBm} dBm`} · heard {meter.telegrams} times
      </p>
      {meter.configured && (
        <p class="note">
          It is in the configuration, but is not read{meter.refused ? `: ${meter.refused.message}` : ''}.
        </p>
      )}
      {meter.encrypted && <TryKey meter={meter} />}
      {meter.row && (
        <details>
          <summary>Row for the configuration</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways, by the keys too */}
          <pre tabIndex={0}>{JSON.stringify(meter.row, null, 2)}</pre>
          {meter.encrypted && (
            <p class="fine">The key goes into a file of its own beside the configuration, 32 digits.</p>
          )}
        </details>
      )}
    </>
  );
}

function TryKey({ meter }: { meter: Heard }) {
  const [key, setKey] = useState('');
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const answer = await ask<KeyTrialAnswer>('/radio/key', {
      meter: `${meter.manufacturer} ${meter.id}`,
      key,
    });
    setBusy(false);
    setSaid(answer.ok ? answer.value.sentence : answer.message);
  };

  return (
    <form class="choose" onSubmit={submit}>
      <label>
        Key of {meter.id}
        <input
          type="text"
          required
          pattern={KEY}
          maxLength={32}
          title="32 hexadecimal digits"
          autocomplete="off"
          spellcheck={false}
          value={key}
          onInput={(event) => setKey(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={busy}>
        Try
      </button>
      <p class="said" aria-live="polite">
        {said}
      </p>
    </form>
  );
}
