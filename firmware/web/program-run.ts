/** Where the run of a program is, and when it starts and ends. Pure. */
import { lengthMsOf, type Program } from '../domain/flexibility.ts';
import type { DeviceImage, Snapshot } from '../domain/image.ts';
import type { WallMs } from '../domain/time.ts';
import { fresh, IDLE_W } from './power-flow.ts';

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

/** As it was decided; before the first decision as the plan of the house has it. A program may begin without a draw. */
function startOf(
  { id }: DeviceImage,
  { steps }: Program,
  { image: { wallMs }, decision, plan }: Snapshot,
): WallMs | null {
  const decided = decision?.devices.find((d) => d.resource === id);
  if (decided) {
    const first = decided.planned.find((s) => s.power_W > 0 && s.untilMs > wallMs);
    const pauses = steps.findIndex((step) => step.power_W > 0);
    return first ? Math.max(first.fromMs - lengthMsOf({ steps: steps.slice(0, pauses) }), wallMs) : null;
  }
  const slot = plan?.modes[id]?.find((s) => s.mode.kind === 'run' && s.untilMs > wallMs);
  return slot === undefined ? null : Math.max(slot.fromMs, wallMs);
}
