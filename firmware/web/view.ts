/** Snapshot → what the page shows: numbers rounded by nobody yet, and sentences. Pure. */
import type { ActiveLimit, Image, Snapshot } from '../domain/image.ts';
import type { Reason } from '../domain/instruction.ts';
import { priceAt } from '../domain/price-curve.ts';
import type { StorageHealth } from '../domain/storage.ts';
import type { SiteInfo } from './deps.ts';
import { deviceView } from './device-view.ts';
import { meterCard } from './meters.ts';
import { type Place, powerWords } from './phrase.ts';
import { planSentences } from './plan-words.ts';
import { flowOf, fresh, headline, isDoubtful } from './power-flow.ts';
import type { View } from './schema.ts';
import { limitSentence, reasonSentence } from './sentences.ts';
import { storageNotices } from './storage-words.ts';
import { timeWords } from './zone.ts';

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
    headline: headline(flow, isDoubtful(image.grid_W, image)),
    grid: {
      power_W: flow.grid_W,
      stale: flow.grid_W === null,
      ageMs: Number.isFinite(image.grid_W.ageMs) ? image.grid_W.ageMs : null,
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
    const values: Reason['values'] = isDoubtful(image.grid_W, image) ? { power: 'doubtful' } : {};
    notices.push(reasonSentence({ code: 'STALE_METER', values }, place));
  }
  for (const correction of decision?.corrections ?? []) {
    const name = nameOf(image, correction.resource);
    notices.push(`The safety check lowered ${name} to ${powerWords(correction.allowed_W)}.`);
  }
  return notices;
}

const nameOf = (image: Image, id: string): string =>
  image.devices.find((device) => device.id === id)?.flexibility.name ?? id;

function planView({ plan }: Snapshot, place: Place): View['plan'] {
  if (!plan) return null;
  const { madeMs, untilMs, bill, certificate, quality } = plan;
  return {
    ...{ madeMs, untilMs, bill, ...certificate },
    ...{ load: { ...quality.load }, solar: { ...quality.solar } },
    ...{ temperature: quality.temperature ?? null, hotWater: quality.hotWater ?? null },
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
