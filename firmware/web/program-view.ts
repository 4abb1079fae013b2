/** A program as its card shows it: its course, how far the run is, and when it starts and ends. Pure. */
import { lengthMsOf, type Program } from '../domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../domain/image.ts';
import type { WallMs } from '../domain/time.ts';
import { clause, type Place } from './phrase.ts';
import { fresh, IDLE_W } from './power-flow.ts';
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

export interface RunTimes {
  readonly leftMs: number;
  /** Null: it has begun, or nobody knows yet. */
  readonly startsMs: WallMs | null;
  readonly endsMs: WallMs | null;
}

/** When the run that was asked for goes on, from now; null where none was. */
export function runTimes(device: DeviceImage, snapshot: Snapshot): RunTimes | null {
  const { run, flexibility } = device;
  const phase = runPhase(device, snapshot);
  if (run === undefined || flexibility.program === undefined || phase === null) return null;
  const leftMs = Math.max(0, lengthMsOf(flexibility.program) - (run.doneMs ?? 0));
  const { wallMs, wallTrusted } = snapshot.image;
  const startsMs = wallTrusted && phase === 'waits' ? startOf(device, flexibility.program, snapshot) : null;
  const goesOnMs = wallTrusted && phase === 'runs' ? wallMs : startsMs;
  return { leftMs, startsMs, endsMs: goesOnMs === null ? null : goesOnMs + leftMs };
}

/**
 * `waits` for its start, has power but does not draw any yet (`begins`), `runs`, is `held` up by a limit or the like, or
 * is `lost`: it does not answer.
 */
export type RunPhase = 'waits' | 'begins' | 'runs' | 'held' | 'lost';

/** Null: it is not asked to run. */
export function runPhase(device: DeviceImage, { image, decision }: Snapshot): RunPhase | null {
  const { id, run, health, flexibility } = device;
  if (run === undefined || flexibility.program === undefined) return null;
  if (run.doneMs === null) return 'waits';
  if (health === 'silent' || health === 'faulty') return 'lost';
  if (decision?.devices.find((d) => d.resource === id)?.setPoint_W === 0) return 'held';
  const drawn_W = fresh(device.power_W, image) ?? Infinity;
  const draws = (flexibility.program.steps[0]?.power_W ?? 0) > IDLE_W;
  return run.doneMs === 0 && draws && drawn_W <= IDLE_W ? 'begins' : 'runs';
}

/** As it was decided, else as the plan of the house has it; a program may begin without a draw. */
function startOf(
  { id }: DeviceImage,
  { steps }: Program,
  { image: { wallMs }, decision, plan }: Snapshot,
): WallMs | null {
  const planned = decision?.devices.find((d) => d.resource === id)?.planned ?? [];
  const decided = planned.find((s) => s.power_W > 0 && s.untilMs > wallMs);
  const pauses = steps.findIndex((step) => step.power_W > 0);
  if (decided) return Math.max(decided.fromMs - lengthMsOf({ steps: steps.slice(0, pauses) }), wallMs);
  const slot = plan?.modes[id]?.find((s) => s.mode.kind === 'run' && s.untilMs > wallMs);
  return slot === undefined ? null : Math.max(slot.fromMs, wallMs);
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
