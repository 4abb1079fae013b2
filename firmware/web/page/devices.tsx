/** A card for each device: what it does, why, and what the owner wants instead. */
import { power } from './format.ts';
import { Icon } from './icons.tsx';
import { Program } from './program.tsx';
import { RunWishes } from './run-wishes.tsx';
import { Store } from './store.tsx';
import { type CardProps, Wishes } from './wishes.tsx';

export function DeviceCard({ device, nowMs, timeZone }: CardProps) {
  const { number, unit } = power(device.power_W);
  const Asks = device.program ? RunWishes : Wishes;
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
      {device.program && <Program program={device.program} />}
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
      {device.controllable && !device.producer && <Asks device={device} nowMs={nowMs} timeZone={timeZone} />}
    </article>
  );
}

const HEALTH = { connecting: 'connecting', ok: 'ok', silent: 'no answer', faulty: 'faulty' } as const;
