/** Snapshot → what the page shows: numbers rounded by nobody yet, and sentences. Pure. */

import { maxOf, minOf } from '../domain/flexibility.ts';
import type { ActiveLimit, DeviceImage, Image, Known, Snapshot } from '../domain/image.ts';
import type { InstructionStatus } from '../domain/instruction.ts';
import { priceAt } from '../domain/price-curve.ts';
import type { StorageHealth } from '../domain/storage.ts';
import type { SiteInfo } from './deps.ts';
import { meterCard } from './meters.ts';
import { type Place, powerWords } from './phrase.ts';
import { planSentences } from './plan-words.ts';
import { stretchesOf } from './planned.ts';
import type { DeviceView, OverrideForm, View } from './schema.ts';
import {
  codeWords,
  HEALTH,
  limitSentence,
  overrideSentence,
  reasonSentence,
  statusSentence,
} from './sentences.ts';
import { storageNotices } from './storage-words.ts';
import { timeWords } from './zone.ts';

/** Below this a load is off and a flow is none: meters and drivers idle at a few watts. */
const IDLE_W = 15;

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
const fresh = (known: Known, image: Image): number | null =>
  known.ageMs <= image.site.staleAfterMs ? known.value : null;

export const placeOf = (image: Image): Place => ({
  nowMs: image.wallMs,
  timeZone: image.site.timeZone,
  currency: image.site.currency,
});

export function viewOf(snapshot: Snapshot, info: SiteInfo, storage: StorageHealth | null = null): View {
  const { image, decision } = snapshot;
  const place = placeOf(image);
  const limits = decision?.limits ?? [];
  const flow = flowOf(image);
  return {
    atMs: image.wallMs,
    cycle: image.cycle,
    wallTrusted: image.wallTrusted,
    startedMs: snapshot.startedMs,
    home: info.name,
    version: info.version,
    timeZone: image.site.timeZone,
    currency: image.site.currency,
    headline: headline(flow),
    grid: {
      power_W: flow.grid_W,
      stale: flow.grid_W === null,
      ageMs: finite(image.grid_W.ageMs),
    },
    flow,
    price: pricesNow(image),
    limits: limits.map((limit) => ({ ...limitFacts(limit), sentence: limitSentence(limit, place) })),
    alerts: alertsOf(image),
    notices: [...noticesOf(snapshot, place), ...(storage ? storageNotices(storage) : [])],
    devices: image.devices.map((device) => deviceView(device, snapshot, place)),
    meters: snapshot.meters.map(meterCard),
    broker: { ...snapshot.broker, sentence: brokerSentence(snapshot, place) },
    plan: planView(snapshot, place),
  };
}

const limitFacts = (limit: ActiveLimit): Omit<View['limits'][number], 'sentence'> => ({
  limit_W: limit.limit_W,
  direction: limit.direction,
  scope: limit.scope,
  source: limit.source,
  untilMs: limit.untilMs,
});

/** Sum of what is known; null when there are some and none is known, or one is missing. */
function total(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum;
}

function flowOf(image: Image): View['flow'] {
  const power = (devices: readonly DeviceImage[]): number | null =>
    total(devices.map((device) => fresh(device.power_W, image)));
  const solar = image.devices.filter(isProducer);
  const batteries = image.devices.filter((device) => device.flexibility.kind === 'battery');
  const loads = image.devices.filter((device) => !isProducer(device) && !batteries.includes(device));
  const grid_W = fresh(image.grid_W, image);
  const produced = power(solar);
  const solar_W = produced === null ? null : Math.max(0, -produced);
  const battery_W = power(batteries);
  const house = total([grid_W, solar_W, battery_W === null ? null : -battery_W]);
  const house_W = house === null ? null : Math.max(0, house);
  // Loads that do not say what they draw are part of the rest.
  const known = loads.reduce((sum, device) => sum + (fresh(device.power_W, image) ?? 0), 0);
  return {
    grid_W,
    solar_W,
    hasSolar: solar.length > 0,
    battery_W,
    hasBattery: batteries.length > 0,
    house_W,
    other_W: house_W === null ? null : Math.max(0, house_W - known),
  };
}

/** Something that can only produce: its whole menu is at or below zero. */
function isProducer({ flexibility }: DeviceImage): boolean {
  if (flexibility.kind === 'inverter') return true;
  return flexibility.ranges.length > 0 && minOf(flexibility) < 0 && maxOf(flexibility) <= 0;
}

function headline({ grid_W, solar_W }: View['flow']): string {
  if (grid_W === null) return 'The grid meter is silent: power is unknown.';
  const sun = solar_W !== null && solar_W > IDLE_W;
  if (Math.abs(grid_W) <= IDLE_W) {
    return sun ? 'Your home runs on its own sun.' : 'Almost nothing flows to or from the grid.';
  }
  if (grid_W < 0) return 'Your home gives power to the grid.';
  return sun ? 'Sun and grid power your home together.' : 'Your home draws from the grid.';
}

function pricesNow(image: Image): View['price'] {
  const now = (kind: 'importPrice' | 'exportPrice'): number | null => {
    if (!image.wallTrusted) return null;
    const price = priceAt(image.signals, kind, image.site, image.wallMs);
    return price === null ? null : price * 1000;
  };
  return { import: now('importPrice'), export: now('exportPrice') };
}

function alertsOf(image: Image): View['alerts'] {
  return image.signals.flatMap((signal) => {
    const slot = signal.intervals.find((i) => i.fromMs <= image.wallMs && image.wallMs < i.untilMs);
    if (signal.kind !== 'alert' || signal.text === null || !slot) return [];
    return [{ source: signal.source, text: signal.text, untilMs: slot.untilMs }];
  });
}

function noticesOf({ image, decision }: Snapshot, place: Place): string[] {
  const notices: string[] = [];
  if (!image.wallTrusted) notices.push(reasonSentence({ code: 'NO_CLOCK', values: {} }, place));
  if (fresh(image.grid_W, image) === null) {
    notices.push(reasonSentence({ code: 'STALE_METER', values: {} }, place));
  }
  for (const correction of decision?.corrections ?? []) {
    const name = nameOf(image, correction.resource);
    notices.push(`The safety check lowered ${name} to ${powerWords(correction.allowed_W)}.`);
  }
  return notices;
}

const nameOf = (image: Image, id: string): string =>
  image.devices.find((device) => device.id === id)?.flexibility.name ?? id;

function deviceView(device: DeviceImage, { image, decision, devices }: Snapshot, place: Place): DeviceView {
  const { flexibility } = device;
  const decided = decision?.devices.find((d) => d.resource === device.id);
  const dispatched = devices.find((d) => d.id === device.id);
  const controllable = flexibility.controlType !== 'NOT_CONTROLABLE';
  const reasons = (decided?.reasons ?? dispatched?.instruction?.reasons ?? []).map((reason) => ({
    code: reason.code,
    sentence: reasonSentence(reason, place),
  }));
  const power_W = fresh(device.power_W, image);
  const status = dispatched?.status ?? null;
  const trouble = troubleOf(flexibility.name, status, dispatched?.statusCode ?? null);
  const isRefused = trouble !== null && (status === 'ABORTED' || status === 'REJECTED');
  const decisive =
    reasons[0]?.sentence ?? (controllable ? 'Nothing has been decided yet.' : 'Measured only.');
  return {
    id: device.id,
    name: flexibility.name,
    kind: flexibility.kind,
    controllable,
    producer: isProducer(device),
    health: device.health,
    healthSentence: HEALTH[device.health],
    power_W,
    setPoint_W: device.setPoint_W,
    max_W: finite(maxOf(flexibility)),
    ...stateOf(device, power_W),
    // Whatever was decided, it is not what the device does.
    reason: isRefused && device.health === 'ok' ? trouble : decisive,
    reasons,
    override: formOf(device),
    overrideSentence: overrideSentence(device.override, place),
    planned: stretchesOf(decided?.planned ?? []),
    needByMs: flexibility.need?.byMs ?? null,
    need_Wh: flexibility.need?.energy_Wh ?? null,
    status,
    statusSentence: trouble,
  };
}

const formOf = ({ override }: DeviceImage): OverrideForm => ({ ...override });

/** What became of the last instruction, with the fault where there was one. */
function troubleOf(name: string, status: InstructionStatus | null, code: string | null): string | null {
  if (status === null) return null;
  const sentence = statusSentence(name, status);
  return code === null ? sentence : `${sentence.slice(0, -1)}: ${codeWords(code)}.`;
}

function stateOf(device: DeviceImage, power_W: number | null): Pick<DeviceView, 'state' | 'stateWords'> {
  const value = power_W ?? (device.health === 'ok' ? device.setPoint_W : null);
  if (value === null)
    return { state: 'unknown', stateWords: device.health === 'ok' ? 'Unknown' : 'No answer' };
  if (value < -IDLE_W) {
    return { state: 'producing', stateWords: device.flexibility.kind === 'battery' ? 'Giving' : 'Producing' };
  }
  if (value <= IDLE_W) return { state: 'off', stateWords: isProducer(device) ? 'Idle' : 'Off' };
  const words =
    device.flexibility.kind === 'wallbox' || device.flexibility.kind === 'battery' ? 'Charging' : 'On';
  return { state: 'on', stateWords: words };
}

function planView({ plan }: Snapshot, place: Place): View['plan'] {
  if (!plan) return null;
  const { madeMs, untilMs, certificate, quality } = plan;
  return {
    ...{ madeMs, untilMs, ...certificate },
    ...{ load: { ...quality.load }, solar: { ...quality.solar } },
    sentences: planSentences(plan, place),
  };
}

function brokerSentence({ broker, image }: Snapshot, place: Place): string {
  const since =
    broker.sinceMs === null ? '' : ` since ${timeWords(image.site.timeZone, broker.sinceMs, place.nowMs)}`;
  return broker.connected
    ? `Connected to the grid's signals${since}.`
    : `Not connected to the grid's signals${since}. Limits already known still hold.`;
}
