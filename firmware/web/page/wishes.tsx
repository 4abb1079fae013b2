/** What the owner may ask of a device, and what is said when it was heard. */
import { useState } from 'preact/hooks';
import type { DeviceView, OverrideForm } from '../schema.ts';
import { post } from './api.ts';
import { clock, nextTime } from './format.ts';

export interface CardProps {
  readonly device: DeviceView;
  readonly nowMs: number;
  readonly timeZone: string;
}

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

/** Sends a wish, and keeps what was said to the last one. `open`: whether more is asked before it is sent. */
export function useWish(device: string) {
  const [open, setOpen] = useState(false);
  const [said, say] = useState('');
  const [busy, setBusy] = useState(false);
  const wish = async (form: OverrideForm, words: string): Promise<void> => {
    setBusy(true);
    const answer = await post(`/devices/${device}/override`, form);
    setBusy(false);
    setOpen(false);
    say(answer.ok ? words : answer.message);
  };
  return { busy, said, say, wish, open, setOpen };
}

export function Wishes({ device, nowMs, timeZone }: CardProps) {
  const { busy, said, say, wish, open, setOpen } = useWish(device.id);
  const { override } = device;
  const asks = device.kind === 'battery' ? ASK_A_BATTERY : ASK;
  const wait = (time: string): void => {
    const atMs = nextTime(time, nowMs, timeZone);
    if (atMs === null) say(NO_TIME);
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
        <Wish on={override.kind === 'notBefore'} busy={busy} act={() => setOpen(!open)} expanded={open}>
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
      {open && <AtTime label={asks.notBefore[0]} start="18:00" verb="Wait" busy={busy} choose={wait} />}
      <Said words={said} />
    </div>
  );
}

interface AtTimeProps {
  readonly label: string;
  /** `HH:MM`, to begin with. */
  readonly start: string;
  readonly verb: string;
  readonly busy: boolean;
  readonly choose: (time: string) => void;
}

export function AtTime({ label, start, verb, busy, choose }: AtTimeProps) {
  const [time, setTime] = useState(start);
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
        {verb}
      </button>
    </form>
  );
}

export const NO_TIME = 'Choose a time of day.';

export const Said = ({ words }: { words: string }) => (
  <p class="said" aria-live="polite">
    {words}
  </p>
);

interface WishProps {
  /** Whether it is what was asked; undefined: it is no wish that lasts. */
  readonly on?: boolean;
  readonly busy: boolean;
  readonly act: () => unknown;
  readonly expanded?: boolean;
  readonly children: string;
}

export function Wish({ on, busy, act, expanded, children }: WishProps) {
  return (
    <button
      type="button"
      disabled={busy}
      onClick={() => void act()}
      {...(on === undefined ? {} : { 'aria-pressed': on })}
      {...(expanded === undefined ? {} : { 'aria-expanded': expanded })}
    >
      {children}
    </button>
  );
}
