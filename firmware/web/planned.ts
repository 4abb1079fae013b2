/** Planned slots as an owner reads them: what goes on without a break is one stretch. Pure. */

import type { DeviceDecision, DeviceImage, Snapshot } from '../domain/image.ts';
import type { Reason } from '../domain/instruction.ts';
import type { Mode, ModeSlot } from '../domain/mode.ts';
import type { WallMs } from '../domain/time.ts';
import { runTimes } from './program-run.ts';
import type { Prices } from './schema.ts';
import { storeView } from './store-view.ts';

export type Stretch = DeviceDecision['planned'][number];

export function stretchesOf(planned: DeviceDecision['planned']): Stretch[] {
  return joined(planned, (a, b) => a.power_W === b.power_W && a);
}

/** @param of what two neighbours are together, or false where they differ in what matters */
function joined<T extends { readonly fromMs: WallMs; readonly untilMs: WallMs }>(
  slots: readonly T[],
  of: (last: T, next: T) => T | false,
): T[] {
  const stretches: T[] = [];
  for (const slot of slots) {
    const last = stretches.at(-1);
    const both = last !== undefined && last.untilMs === slot.fromMs && of(last, slot);
    if (both) stretches[stretches.length - 1] = { ...both, untilMs: slot.untilMs };
    else stretches.push(slot);
  }
  return stretches;
}

type Planned = Prices['planned'][number];
type Action = Planned['slots'][number];

/** The same is done, at one power or at several. */
const together = (a: Action, b: Action): Action | false =>
  a.action === b.action && { ...a, power_W: a.power_W === b.power_W ? a.power_W : null };

/** What each device is meant to do from now on; devices of which nothing is planned are left out. */
export function plannedOf(snapshot: Snapshot): Planned[] {
  return snapshot.image.devices.flatMap((device) => {
    const actions =
      runActions(device, snapshot) ?? storeActions(device, snapshot) ?? loadActions(device, snapshot);
    const course = courseOf(device, snapshot);
    if (actions.length + course.length === 0) return [];
    const { name, kind } = device.flexibility;
    return [{ id: device.id, name, kind, slots: actions, course, ...boundOf(device, snapshot) }];
  });
}

/** What the course is of, and the least that it may come to now. */
function boundOf(device: DeviceImage, { image }: Snapshot): Pick<Planned, 'of' | 'least'> {
  const store = storeView(device, image);
  if (store === null) return { of: null, least: null };
  return store.kind === 'battery'
    ? { of: 'fill', least: store.leastFill }
    : { of: 'temperature_C', least: store.lo_C };
}

/**
 * A run is one appointment, pauses and all. None where its time is not known or it is not asked for, whatever a plan from
 * before says. Null: it has no program.
 */
function runActions(device: DeviceImage, snapshot: Snapshot): Planned['slots'] | null {
  if (device.flexibility.program === undefined) return null;
  const { startsMs = null, endsMs: untilMs = null } = runTimes(device, snapshot) ?? {};
  if (untilMs === null) return [];
  return [{ fromMs: startsMs ?? snapshot.image.wallMs, untilMs, power_W: null, action: 'run' }];
}

function loadActions({ id }: DeviceImage, { decision }: Snapshot): Planned['slots'] {
  const planned = decision?.devices.find((d) => d.resource === id)?.planned ?? [];
  return joined<Action>(
    planned.map((slot) => ({ ...slot, action: 'run' })),
    together,
  );
}

/** What a store does by its modes; null where no plan says. */
function storeActions({ id, flexibility }: DeviceImage, { plan, image }: Snapshot): Planned['slots'] | null {
  const modes = plan?.modes[id];
  if (!modes || flexibility.store === undefined) return null;
  const ahead = modes.flatMap(({ fromMs, untilMs, mode }) => {
    const action = actionOf(mode);
    return action === null || untilMs <= image.wallMs ? [] : [{ fromMs, untilMs, power_W: null, action }];
  });
  return joined<Action>(ahead, together);
}

/** Null for what is no appointment: self-consumption follows the house. */
function actionOf(mode: Mode): Action['action'] | null {
  if (mode.kind === 'heat') return mode.level === 'off' ? null : 'heat';
  return mode.kind === 'charge' || mode.kind === 'discharge' || mode.kind === 'run' ? mode.kind : null;
}

/** A plan speaks of short slots, of whatever length; its owner hears until when the same goes on. */
export function wholeStretch(reason: Reason, modes: readonly ModeSlot[]): Reason {
  const { fromMs, untilMs } = reason.values;
  const index = modes.findIndex((slot) => slot.fromMs === fromMs && slot.untilMs === untilMs);
  const first = modes[index];
  if (reason.code !== 'PLANNED' || !first) return reason;
  const other = modes.findIndex(
    (slot, i) => i > index && (slot.fromMs !== modes[i - 1]?.untilMs || !isSameMode(slot.mode, first.mode)),
  );
  const last = modes.at(other < 0 ? -1 : other - 1) ?? first;
  return { ...reason, values: { ...bounds(first.mode), ...reason.values, untilMs: last.untilMs } };
}

/** What self-consumption may not do tells what it is for. */
const bounds = (mode: Mode): Reason['values'] => {
  if (mode.kind !== 'selfConsume') return {};
  const { chargeUpTo_W = null, dischargeUpTo_W = null } = mode;
  return { chargeUpTo_W, dischargeUpTo_W };
};

const isSameMode = (a: Mode, b: Mode): boolean => {
  if (a.kind === 'heat' || b.kind === 'heat')
    return a.kind === 'heat' && b.kind === 'heat' && a.level === b.level;
  const [of, other] = [bounds(a), bounds(b)];
  return (
    a.kind === b.kind &&
    (of.dischargeUpTo_W === 0) === (other.dischargeUpTo_W === 0) &&
    (of.chargeUpTo_W === 0) === (other.chargeUpTo_W === 0)
  );
};

/** How full or how warm a store will be, from what it is now; empty where that is not known. */
function courseOf({ id, flexibility: { store } }: DeviceImage, { plan, image }: Snapshot): Planned['course'] {
  const now = store?.kind === 'battery' ? store.fill : (store?.temperature_C ?? null);
  const values = plan?.course?.[id];
  if (!plan || !values || now === null) return [];
  const { courseMs = [] } = plan;
  const ahead = values
    .map((value, i) => ({ atMs: courseMs[i] ?? -Infinity, value }))
    .filter(({ atMs }) => atMs > image.wallMs);
  return ahead.length > 0 ? [{ atMs: image.wallMs, value: now }, ...ahead] : [];
}
