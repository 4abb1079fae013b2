/** A card for each device: what it does, why, and what the owner wants instead. */
import { useState } from 'preact/hooks';
import type { DeviceView, OverrideForm } from '../schema.ts';
import { post } from './api.ts';
import { clock, nextTime, power } from './format.ts';
import { Icon } from './icons.tsx';
import { Store } from './store.tsx';

interface Props {
  readonly device: DeviceView;
  readonly nowMs: number;
  readonly timeZone: string;
}

export function DeviceCard({ device, nowMs, timeZone }: Props) {
  const { number, unit } = power(device.power_W);
  const lost = device.reasons.some((reason) => reason.code === 'DEVICE_LOST');
  return (
    <article
      class={`card device is-${device.state} a-${device.kind}`}
      aria-labelledby={`device-${device.id}`}
      data-device={device.id}
    >
      <header>
        <span class="badge">
          <Icon name={device.kind} />
        </span>
        <div>
          <h3 id={`device-${device.id}`}>{device.name}</h3>
          <p class="state">
            {device.stateWords}
            {device.health !== 'ok' && device.state !== 'unknown' && (
              <span class={`pill ${device.health}`}>{HEALTH[device.health]}</span>
            )}
          </p>
        </div>
        <p class="amount">
          {number} <small>{unit}</small>
        </p>
      </header>
      {device.store && <Store store={device.store} />}
      <p class="reason">{device.reason}</p>
      {device.reasons.length > 1 && (
        <details>
          <summary>More about why</summary>
          <ul>
            {device.reasons.slice(1).map((reason) => (
              <li key={reason.sentence}>{reason.sentence}</li>
            ))}
          </ul>
        </details>
      )}
      {device.health !== 'ok' && !lost && <p class="note">{device.healthSentence}</p>}
      {(device.status === 'REJECTED' || device.status === 'ABORTED') && (
        <p class="note">{device.statusSentence}</p>
      )}
      {device.controllable && !device.producer && (
        <Wishes device={device} nowMs={nowMs} timeZone={timeZone} />
      )}
    </article>
  );
}

/** What the owner asks of a device, and what is said when it was heard. */
const ASK = {
  now: ['Now', 'Runs now.'],
  notBefore: ['Not before', 'Waits until'],
  off: ['Off', 'Switched off.'],
} as const;
const ASK_A_BATTERY = {
  now: ['Charge', 'Charges now.'],
  notBefore: ['Rest until', 'Rests until'],
  off: ['Rest', 'Rests.'],
} as const;

const HEALTH = { connecting: 'connecting', ok: 'ok', silent: 'no answer', faulty: 'faulty' } as const;

function Wishes({ device, nowMs, timeZone }: Props) {
  const [choosing, setChoosing] = useState(false);
  const [said, setSaid] = useState('');
  const [busy, setBusy] = useState(false);
  const { override } = device;
  const asks = device.kind === 'battery' ? ASK_A_BATTERY : ASK;

  const wish = async (form: OverrideForm, words: string): Promise<void> => {
    setBusy(true);
    const answer = await post(`/devices/${device.id}/override`, form);
    setBusy(false);
    setChoosing(false);
    setSaid(answer.ok ? words : answer.message);
  };
  const wait = (time: string): void => {
    const atMs = nextTime(time, nowMs, timeZone);
    if (atMs === null) setSaid('Choose a time of day.');
    else void wish({ kind: 'notBefore', atMs }, `${asks.notBefore[1]} ${time}.`);
  };
  const waits = `${asks.notBefore[0]} ${override.kind === 'notBefore' ? clock(override.atMs, timeZone) : '…'}`;

  return (
    <div class="wishes">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a row of buttons everywhere */}
      <div class="buttons" role="group" aria-label={`Your wish for ${device.name}`}>
        <Wish
          on={override.kind === 'now'}
          busy={busy}
          act={() => wish({ kind: 'now', untilMs: null }, asks.now[1])}
        >
          {asks.now[0]}
        </Wish>
        <Wish
          on={override.kind === 'notBefore'}
          busy={busy}
          act={() => setChoosing(!choosing)}
          expanded={choosing}
        >
          {waits}
        </Wish>
        <Wish on={override.kind === 'off'} busy={busy} act={() => wish({ kind: 'off' }, asks.off[1])}>
          {asks.off[0]}
        </Wish>
        {override.kind !== 'automatic' && (
          <button
            type="button"
            class="back"
            disabled={busy}
            onClick={() => wish({ kind: 'automatic' }, 'Back to automatic.')}
          >
            Back to automatic
          </button>
        )}
      </div>
      {choosing && <Until label={asks.notBefore[0]} busy={busy} choose={wait} />}
      <p class="said" aria-live="polite">
        {said}
      </p>
    </div>
  );
}

interface UntilProps {
  readonly label: string;
  readonly busy: boolean;
  readonly choose: (time: string) => void;
}

function Until({ label, busy, choose }: UntilProps) {
  const [time, setTime] = useState('18:00');
  const submit = (event: Event): void => {
    event.preventDefault();
    choose(time);
  };
  return (
    <form class="choose" onSubmit={submit}>
      <label>
        {label}
        <input type="time" required value={time} onInput={(event) => setTime(event.currentTarget.value)} />
      </label>
      <button type="submit" class="primary" disabled={busy}>
        Wait
      </button>
    </form>
  );
}

interface WishProps {
  readonly on: boolean;
  readonly busy: boolean;
  readonly act: () => unknown;
  readonly expanded?: boolean;
  readonly children: string;
}

function Wish({ on, busy, act, expanded, children }: WishProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      disabled={busy}
      onClick={() => void act()}
      {...(expanded === undefined ? {} : { 'aria-expanded': expanded })}
    >
      {children}
    </button>
  );
}
