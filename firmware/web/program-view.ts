/** A program as its card shows it: its course, and in sentences how far the run is, when it starts and ends, and why. Pure. */
import { lengthMsOf, type Program } from '../domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../domain/image.ts';
import type { Reason } from '../domain/instruction.ts';
import type { WallMs } from '../domain/time.ts';
import { capital, clause, number, Phrase, type Place, type Values } from './phrase.ts';
import { type RunPhase, type RunTimes, runPhase, runTimes } from './program-run.ts';
import type { DeviceView } from './schema-device.ts';
import { timeWords } from './zone.ts';

const MINUTE_MS = 60_000;
/** What has not begun so long after it was given power is waited for in vain. */
const STARTS_WITHIN_MS = 5 * MINUTE_MS;

export function programView(device: DeviceImage, snapshot: Snapshot, place: Place): DeviceView['program'] {
  const { program } = device.flexibility;
  if (program === undefined) return null;
  const lengthMs = lengthMsOf(program);
  const energy_Wh = energyOf(program);
  return {
    ...{ lengthMs, energy_Wh, steps: program.steps.map((step) => ({ ...step })) },
    sentence: `A run takes ${durationWords(lengthMs)} and ${kWh(energy_Wh)} kWh.`,
    run: runView(device, snapshot, place),
  };
}

type RunView = NonNullable<DeviceView['program']>['run'];

function runView(device: DeviceImage, snapshot: Snapshot, place: Place): RunView {
  const times = runTimes(device, snapshot);
  if (!device.run || times === null) return null;
  const { byMs, doneMs } = device.run;
  return { byMs, doneMs, ...times, sentence: runSentence(device, times, place, snapshot) };
}

const energyOf = ({ steps }: Program): number =>
  steps.reduce((sum, { forMs, power_W }) => sum + (power_W * forMs) / 3_600_000, 0);
const kWh = (energy_Wh: number): string =>
  (energy_Wh / 1000).toLocaleString('en-GB', { maximumFractionDigits: 1 });

/** Of an appliance with a program. */
export const NOT_ASKED = 'You have not asked for a run.';

/** Of "now" until a time, asked of an appliance with a program: no run. Null where there is no such time. */
export const settingWords = (values: Values, place: Place): string | null =>
  number(values, 'untilMs') === null
    ? null
    : `you asked for power to set it${new Phrase(values, place).until()}.`;

/** Whether it has power for being set at its panel. */
const isBeingSet = ({ flexibility, override, setPoint_W }: DeviceImage): boolean =>
  flexibility.program !== undefined &&
  override.kind === 'now' &&
  override.untilMs !== null &&
  (setPoint_W ?? 0) > 0;

/** The same in a sentence, where that is what its owner wants. */
export function settingSentence({ flexibility, override }: DeviceImage, place: Place): string | null {
  const words = flexibility.program && override.kind === 'now' ? settingWords({ ...override }, place) : null;
  return words && capital(words);
}

/** Its state while it draws nothing, where a program has other words for it. */
export function quietWords(device: DeviceImage, phase: RunPhase | null): string | null {
  if (phase === null) return isBeingSet(device) ? 'Has power' : null;
  return phase === 'held' ? 'Interrupted' : 'Waiting';
}

/** A reason, where a program has other words for it. */
export function programReason(
  device: DeviceImage,
  { code }: Reason,
  snapshot: Snapshot,
  place: Place,
): string | null {
  if (device.flexibility.program === undefined) return null;
  if (code === 'OWNER_NOW') return settingSentence(device, place);
  const phase = runPhase(device, snapshot);
  if (code === 'NO_NEED') return NOT_ASKED;
  if (code === 'OWN_SOLAR' && phase === 'waits') return 'Waits until your own solar power carries it.';
  if (code !== 'PROGRAM_RUNS') return null;
  if (phase === 'begins') return 'It was given power to begin.';
  return runTimes(device, snapshot)?.leftMs === 0 ? 'It keeps its power until then.' : null;
}

function runSentence(device: DeviceImage, { leftMs, endsMs }: RunTimes, place: Place, of: Snapshot): string {
  const left = durationWords(leftMs);
  switch (runPhase(device, of)) {
    case 'begins':
      return (device.setPoint_W ?? 0) > 0 && device.inStateMs >= STARTS_WITHIN_MS
        ? 'Has power but does not begin: is its program set, and its door closed?'
        : 'Has power and is about to begin.';
    case 'held':
      return `Interrupted with ${left} left; it goes on as soon as it may.`;
    case 'lost':
      return `Had ${left} left when it was last heard.`;
    case 'runs':
      if (leftMs === 0) return 'Its time is over; it ends when it draws nothing any more.';
      return `Runs, ${left} left${clause(': done by ', at(endsMs, place))}${late(device, endsMs, place)}.`;
    default:
      return waitSentence(device, of, place);
  }
}

function waitSentence(device: DeviceImage, snapshot: Snapshot, place: Place): string {
  const { leftMs = 0, startsMs = null, endsMs = null } = runTimes(device, snapshot) ?? {};
  const { wallMs, wallTrusted } = snapshot.image;
  const byMs = device.run?.byMs ?? null;
  if (startsMs !== null)
    return `Starts ${startsMs <= wallMs ? 'now' : at(startsMs, place)}, done by ${at(endsMs, place)}${late(device, endsMs, place)}.`;
  if (byMs === null) return 'Starts as soon as it may.';
  return wallTrusted && wallMs + leftMs > byMs
    ? `It cannot be done by ${at(byMs, place)}; it runs as soon as it may.`
    : `Waits for its start, to be done by ${at(byMs, place)}.`;
}

const at = (atMs: WallMs | null, place: Place): string | null =>
  atMs === null ? null : timeWords(place.timeZone, atMs, place.nowMs);

const late = ({ run }: DeviceImage, endsMs: WallMs | null, place: Place): string =>
  run && run.byMs !== null && endsMs !== null && endsMs > run.byMs
    ? `, later than the ${at(run.byMs, place)} you asked for`
    : '';

/** `1 h 50 min`; what has begun counts as a minute. */
export function durationWords(forMs: number): string {
  const minutes = Math.max(1, Math.ceil(forMs / MINUTE_MS));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [...(hours > 0 ? [`${hours} h`] : []), ...(rest > 0 ? [`${rest} min`] : [])].join(' ');
}
