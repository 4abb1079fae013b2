/** A program as its card shows it: its course, how far the run is, and when it starts and ends. Pure. */
import { lengthMsOf, type Program } from '../domain/flexibility.ts';
import type { DeviceImage, ProgramRun, Snapshot } from '../domain/image.ts';
import type { WallMs } from '../domain/time.ts';
import type { Place } from './phrase.ts';
import type { DeviceView } from './schema-device.ts';
import { timeWords } from './zone.ts';

const MINUTE_MS = 60_000;

export function programView(device: DeviceImage, snapshot: Snapshot, place: Place): DeviceView['program'] {
  const { program } = device.flexibility;
  if (program === undefined) return null;
  const lengthMs = lengthMsOf(program);
  const energy_Wh = energyOf(program);
  const times = runTimes(device, snapshot);
  return {
    ...{ lengthMs, energy_Wh, steps: program.steps.map((step) => ({ ...step })) },
    sentence: `A run takes ${durationWords(lengthMs)} and ${kWh(energy_Wh)} kWh.`,
    run: device.run && times ? runView(device.run, times, snapshot, place) : null,
  };
}

type RunView = NonNullable<DeviceView['program']>['run'];

function runView(run: ProgramRun, times: RunTimes, snapshot: Snapshot, place: Place): RunView {
  const { byMs, doneMs } = run;
  return { byMs, doneMs, ...times, sentence: runSentence(run, times, snapshot, place) };
}

const energyOf = ({ steps }: Program): number =>
  steps.reduce((sum, { forMs, power_W }) => sum + (power_W * forMs) / 3_600_000, 0);
const kWh = (energy_Wh: number): string =>
  (energy_Wh / 1000).toLocaleString('en-GB', { maximumFractionDigits: 1 });

export interface RunTimes {
  readonly leftMs: number;
  /** Null: it has begun, or nobody knows yet. */
  readonly startsMs: WallMs | null;
  readonly endsMs: WallMs | null;
}

/** When the run that was asked for goes on, from now; null where none was. */
export function runTimes(device: DeviceImage, snapshot: Snapshot): RunTimes | null {
  const { run, flexibility } = device;
  if (run === undefined || flexibility.program === undefined) return null;
  const leftMs = Math.max(0, lengthMsOf(flexibility.program) - (run.doneMs ?? 0));
  const { wallMs, wallTrusted } = snapshot.image;
  if (!wallTrusted) return { leftMs, startsMs: null, endsMs: null };
  if (run.doneMs !== null) return { leftMs, startsMs: null, endsMs: wallMs + leftMs };
  const startsMs = startOf(device, snapshot);
  return { leftMs, startsMs, endsMs: startsMs === null ? null : startsMs + leftMs };
}

/** As it was decided, else as the plan of the house has it. */
function startOf({ id }: DeviceImage, { image: { wallMs }, decision, plan }: Snapshot): WallMs | null {
  const decided = decision?.devices.find((d) => d.resource === id)?.planned ?? [];
  const slot =
    decided.find((s) => s.power_W > 0 && s.untilMs > wallMs) ??
    plan?.modes[id]?.find((s) => s.mode.kind === 'run' && s.untilMs > wallMs);
  return slot === undefined ? null : Math.max(slot.fromMs, wallMs);
}

function runSentence(
  { byMs, doneMs }: ProgramRun,
  times: RunTimes,
  snapshot: Snapshot,
  place: Place,
): string {
  const { leftMs, startsMs, endsMs } = times;
  const { wallMs, wallTrusted } = snapshot.image;
  const at = (atMs: WallMs): string => timeWords(place.timeZone, atMs, place.nowMs);
  const isLate = wallTrusted && byMs !== null && (endsMs ?? wallMs + leftMs) > byMs;
  const late = isLate ? `, later than the ${at(byMs)} you asked for` : '';
  if (doneMs !== null) {
    return `Runs, ${durationWords(leftMs)} left${endsMs === null ? '' : `: done by ${at(endsMs)}`}${late}.`;
  }
  if (startsMs !== null && endsMs !== null) {
    return `Starts ${startsMs <= wallMs ? 'now' : at(startsMs)}, done by ${at(endsMs)}${late}.`;
  }
  if (byMs === null) return 'Starts as soon as it may.';
  return isLate
    ? `It cannot be done by ${at(byMs)}; it runs as soon as it may.`
    : `Waits for its start, to be done by ${at(byMs)}.`;
}

/** `1 h 50 min`; what has begun counts as a minute. */
export function durationWords(forMs: number): string {
  const minutes = Math.max(1, Math.ceil(forMs / MINUTE_MS));
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [...(hours > 0 ? [`${hours} h`] : []), ...(rest > 0 ? [`${rest} min`] : [])].join(' ');
}
