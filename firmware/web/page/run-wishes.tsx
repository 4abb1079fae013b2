/** What the owner may ask of an appliance with a program: one run, ready by a time or at once, to stop it, and power for setting it. */
import { clock, dayWord, nextTime } from './format.ts';
import { AtTime, type CardProps, NO_TIME, Said, useWish, Wish } from './wishes.tsx';

/** So long it has power for being set. */
const SETTING_MS = 15 * 60_000;

/** Most people come home, or get up. */
const USUAL = ['18:00', '07:00'];

export function RunWishes(props: CardProps) {
  const { override, program } = props.device;
  if (program?.run != null && program.run.doneMs !== null) return <Running {...props} />;
  return (
    <Ask {...props} isAsked={program?.run != null || override.kind === 'runBy' || override.kind === 'now'} />
  );
}

function Ask({ device, nowMs, timeZone, isAsked }: CardProps & { isAsked: boolean }) {
  const { busy, said, say, wish, open, setOpen } = useWish(device.id);
  const { override } = device;
  const lengthMs = device.program?.lengthMs ?? 0;
  const setUntilMs = override.kind === 'now' ? override.untilMs : null;
  const earliestMs = nowMs + lengthMs;
  const when = (atMs: number): string => `${dayWord(atMs, nowMs, timeZone)}${clock(atMs, timeZone)}`;
  const choose = (time: string): void => {
    const byMs = nextTime(time, nowMs, timeZone);
    if (byMs === null) say(NO_TIME);
    else
      void wish(
        { kind: 'runBy', byMs },
        byMs < earliestMs ? tooLate(when(byMs)) : `To be ready by ${when(byMs)}.`,
      );
  };
  return (
    <div class="wishes">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a row of buttons everywhere */}
      <div class="buttons" role="group" aria-label={`Your wish for ${device.name}`}>
        <Wish on={override.kind === 'runBy'} busy={busy} act={() => setOpen(!open)} expanded={open}>
          {`Ready by ${override.kind === 'runBy' ? clock(override.byMs, timeZone) : '…'}`}
        </Wish>
        <Others {...{ override, busy, isAsked, nowMs, wish }} />
      </div>
      {setUntilMs !== null && (
        <p class="fine">
          Has power until {when(setUntilMs)}. Choose its program, press start, then ask here: its power goes,
          and comes back at its time.
        </p>
      )}
      {open && (
        <>
          <AtTime
            label="Ready by"
            start={usualTime(nowMs, lengthMs, timeZone)}
            verb="Ask for a run"
            {...{ busy, choose }}
          />
          <p class="fine">At the earliest it is done by {when(earliestMs)}.</p>
        </>
      )}
      <Said words={said} />
    </div>
  );
}

interface OthersProps {
  readonly override: CardProps['device']['override'];
  readonly busy: boolean;
  readonly isAsked: boolean;
  readonly nowMs: number;
  readonly wish: ReturnType<typeof useWish>['wish'];
}

/** Now, power for setting it, and back. */
function Others({ override, busy, isAsked, nowMs, wish }: OthersProps) {
  const isSet = override.kind === 'now' && override.untilMs !== null;
  return (
    <>
      <Wish
        on={override.kind === 'now' && !isSet}
        busy={busy}
        act={() => wish({ kind: 'now', untilMs: null }, 'Starts as soon as it may.')}
      >
        Start now
      </Wish>
      {(!isAsked || isSet) && (
        <Wish
          on={isSet}
          busy={busy}
          act={() => wish({ kind: 'now', untilMs: nowMs + SETTING_MS }, 'Has power for 15 minutes.')}
        >
          Power for setting it
        </Wish>
      )}
      {isAsked && (
        <Wish busy={busy} act={() => wish({ kind: 'automatic' }, isSet ? 'Its power is off.' : NOT_ANY_MORE)}>
          Cancel
        </Wish>
      )}
      {override.kind === 'off' && (
        <button
          type="button"
          class="back"
          disabled={busy}
          onClick={() => void wish({ kind: 'automatic' }, 'Back to automatic.')}
        >
          Back to automatic
        </button>
      )}
    </>
  );
}

const NOT_ANY_MORE = 'It is not asked to run any more.';

const tooLate = (when: string): string => `It cannot be done by ${when}; it runs as soon as it may.`;

/** The first of them that leaves as much time to choose from as the program takes. */
function usualTime(nowMs: number, lengthMs: number, timeZone: string): string {
  const times = USUAL.map((time) => ({ time, atMs: nextTime(time, nowMs, timeZone) ?? Infinity }));
  const [first, ...others] = times.sort((a, b) => a.atMs - b.atMs);
  const roomy = [first, ...others].find((usual) => (usual?.atMs ?? 0) >= nowMs + 2 * lengthMs);
  return (roomy ?? first)?.time ?? '18:00';
}

/** What has begun runs to its end, unless its owner insists. */
function Running({ device }: CardProps) {
  const { busy, said, wish, open, setOpen } = useWish(device.id);
  return (
    <div class="wishes">
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be laid out as a row of buttons everywhere */}
      <div class="buttons" role="group" aria-label={`Your wish for ${device.name}`}>
        <Wish busy={busy} act={() => setOpen(!open)} expanded={open}>
          Stop …
        </Wish>
      </div>
      {open && (
        <div class="sure">
          <p role="alert">Stop it now? An interrupted program may have to be begun anew.</p>
          <div class="buttons">
            <button
              type="button"
              class="primary"
              disabled={busy}
              onClick={() => void wish({ kind: 'off' }, 'Stopped.')}
            >
              Stop it
            </button>
            <button type="button" disabled={busy} onClick={() => setOpen(false)}>
              Let it run
            </button>
          </div>
        </div>
      )}
      <Said words={said} />
    </div>
  );
}
