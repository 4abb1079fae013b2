/** Planned quarter hours as an owner reads them: what goes on without a break is one stretch. Pure. */
import type { BatteryStore } from '../domain/flexibility.ts';
import type { DeviceDecision, DeviceImage, Snapshot } from '../domain/image.ts';
import type { Mode } from '../domain/mode.ts';
import type { WallMs } from '../domain/time.ts';
import type { Prices } from './schema.ts';

/** In which Wh are counted. */
const HOUR_MS = 3_600_000;

export type Stretch = DeviceDecision['planned'][number];

export function stretchesOf(planned: DeviceDecision['planned']): Stretch[] {
  return joined(planned, (a, b) => a.power_W === b.power_W);
}

/** Neighbours of which nothing differs that matters. */
function joined<T extends { readonly fromMs: WallMs; readonly untilMs: WallMs }>(
  slots: readonly T[],
  isSame: (a: T, b: T) => boolean,
): T[] {
  const stretches: T[] = [];
  for (const slot of slots) {
    const last = stretches.at(-1);
    if (last && last.untilMs === slot.fromMs && isSame(last, slot))
      stretches[stretches.length - 1] = { ...last, untilMs: slot.untilMs };
    else stretches.push(slot);
  }
  return stretches;
}

type Planned = Prices['planned'][number];

/** What each device is meant to do from now on; devices of which nothing is planned are left out. */
export function plannedOf(snapshot: Snapshot): Planned[] {
  return snapshot.image.devices.flatMap((device) => {
    const actions = storeActions(device, snapshot) ?? loadActions(device, snapshot);
    const fill = fillAhead(device, snapshot);
    if (actions.length + fill.length === 0) return [];
    const { name, kind, store } = device.flexibility;
    const leastFill = store?.kind === 'battery' ? store.leastFill : null;
    return [{ id: device.id, name, kind, slots: actions, fill, leastFill }];
  });
}

function loadActions({ id }: DeviceImage, { decision }: Snapshot): Planned['slots'] {
  const planned = decision?.devices.find((d) => d.resource === id)?.planned ?? [];
  return stretchesOf(planned).map((stretch) => ({ ...stretch, action: 'run' }));
}

/** What a store does by its modes; null where no plan says. */
function storeActions({ id, flexibility }: DeviceImage, { plan, image }: Snapshot): Planned['slots'] | null {
  const modes = plan?.modes[id];
  if (!modes || flexibility.store === undefined) return null;
  const ahead = modes.flatMap(({ fromMs, untilMs, mode }) => {
    const action = actionOf(mode);
    return action === null || untilMs <= image.wallMs ? [] : [{ fromMs, untilMs, power_W: null, action }];
  });
  return joined(ahead, (a, b) => a.action === b.action);
}

/** Null for what is no appointment: self-consumption follows the house. */
function actionOf(mode: Mode): Planned['slots'][number]['action'] | null {
  if (mode.kind === 'heat') return mode.level === 'off' ? null : 'heat';
  return mode.kind === 'charge' || mode.kind === 'discharge' || mode.kind === 'run' ? mode.kind : null;
}

/** How full a battery will be at the end of each planned slot, beginning with now; empty where that is not known. */
function fillAhead({ id, flexibility: { store } }: DeviceImage, { plan, image }: Snapshot): Planned['fill'] {
  if (store?.kind !== 'battery' || store.fill === null || store.capacity_Wh <= 0 || !plan?.means) return [];
  let fill = store.fill;
  const course = [{ atMs: image.wallMs, fill }];
  for (const { fromMs, untilMs, devices } of plan.means) {
    const power_W = devices[id]?.power_W;
    const spanMs = untilMs - Math.max(fromMs, image.wallMs);
    if (spanMs <= 0) continue;
    if (power_W === undefined) break;
    fill = Math.min(1, Math.max(0, fill + (stored_W(store, power_W) * spanMs) / HOUR_MS / store.capacity_Wh));
    course.push({ atMs: untilMs, fill });
  }
  return course.length > 1 ? course : [];
}

/** What reaches or leaves the cells. */
const stored_W = (store: BatteryStore, power_W: number): number =>
  power_W > 0 ? power_W * store.chargeEfficiency : power_W / store.dischargeEfficiency;
