/**
 * When the program of an appliance starts where no plan says so: at the cheapest of the quarter hours that leave it enough
 * time, by what each of its steps draws. It runs in one piece. All in instants, so that no change of the clocks matters.
 */
import { lengthMsOf, type Program } from '../domain/flexibility.ts';
import type { DeviceDecision, DeviceImage, Image } from '../domain/image.ts';
import type { PriceStretch } from '../domain/price-curve.ts';
import type { WallMs } from '../domain/time.ts';
import { pricedSlots, SLOT_MS } from './prices.ts';

/** It starts so much earlier than it would have to at the latest: a meter is to be read, an operator to be asked. */
const RESERVE_MS = 300_000;
/** In the site's currency: for less than this nobody waits. More than a cycle's delay makes of it. */
const NOTHING = 0.0002;
/** So shortly before a better start nobody begins, however little it is better: it would be said to run at the price before. */
const SOON_MS = 60_000;
const W_MS_PER_WH = 3_600_000;

export interface ProgramStart {
  readonly atMs: WallMs;
  /** What starting now costs more than then; and, where it starts now, what the best start after this quarter hour costs more. */
  readonly startingNowCosts: number | null;
  readonly waitingCosts: number | null;
}

/** It is on its way, or was and is held up. */
export const hasBegun = ({ run }: DeviceImage): boolean => run !== undefined && run.doneMs !== null;

/** Until when it has to start; null where it does not wait: it is not asked to run, has begun, or is to run at once. */
export function latestStartMs({ flexibility: { program }, run }: DeviceImage): WallMs | null {
  if (!program || !run || run.doneMs !== null || run.byMs === null) return null;
  return run.byMs - lengthMsOf(program) - RESERVE_MS;
}

/** Several rules ask for the same start in a cycle; an image never changes. */
const starts = new WeakMap<Image, Map<string, ProgramStart | null>>();

/** The best start from now on; null when no price is known that it could be chosen by, or nothing waits. */
export function programStart(image: Image, device: DeviceImage): ProgramStart | null {
  const known = starts.get(image) ?? new Map<string, ProgramStart | null>();
  starts.set(image, known);
  const start = known.get(device.id);
  if (start !== undefined) return start;
  const found = startFor(image, device);
  known.set(device.id, found);
  return found;
}

interface Candidate {
  readonly atMs: WallMs;
  readonly cost: number;
}

function startFor(image: Image, device: DeviceImage): ProgramStart | null {
  const { program } = device.flexibility;
  const latestMs = latestStartMs(device);
  if (!program || latestMs === null || !image.wallTrusted) return null;
  const { wallMs } = image;
  const prices = pricedSlots(image, wallMs, Math.max(wallMs, latestMs) + lengthMsOf(program));
  const candidates = startsUntil(wallMs, latestMs).flatMap((atMs): Candidate[] => {
    const cost = costOf(program, atMs, prices);
    return cost === null ? [] : [{ atMs, cost }];
  });
  const best = cheapestOf(candidates.filter((c) => !isJustBefore(c, candidates)));
  const now = candidates.find((c) => c.atMs === wallMs);
  if (!best || !now) return null;
  const later = cheapestOf(candidates.filter((c) => c.atMs > wallMs));
  return {
    atMs: best.atMs,
    startingNowCosts: now.cost - best.cost,
    waitingCosts: later ? later.cost - now.cost : null,
  };
}

/** Where it draws, by what is stated of it: from now on where it runs, else from the start that it waits for, if one is known. */
export function programSlots(
  image: Image,
  device: DeviceImage,
  setPoint_W: number,
): DeviceDecision['planned'] {
  const { program } = device.flexibility;
  const { run } = device;
  if (!program || !run || !image.wallTrusted) return [];
  const atMs = setPoint_W > 0 ? image.wallMs - (run.doneMs ?? 0) : startOf(image, device);
  if (atMs === null) return [];
  let untilMs = atMs;
  return program.steps.flatMap(({ forMs, power_W }) => {
    const fromMs = Math.max(untilMs, image.wallMs);
    untilMs += forMs;
    return power_W > 0 && untilMs > fromMs ? [{ fromMs, untilMs, power_W }] : [];
  });
}

/** By plan or price; null for the sun, which comes when it comes, and for what would run already and is held off. */
function startOf(image: Image, device: DeviceImage): WallMs | null {
  const { wallMs, modes } = image;
  if (hasBegun(device)) return null;
  const ahead = modes?.[device.id]?.filter((s) => s.untilMs > wallMs) ?? [];
  const byPrice = device.mode === 'cheap' ? programStart(image, device) : null;
  const atMs = ahead.length > 0 ? ahead.find((s) => s.mode.kind === 'run')?.fromMs : byPrice?.atMs;
  return atMs !== undefined && atMs > wallMs ? atMs : null;
}

/** Now, at every quarter hour, and at last. */
function startsUntil(wallMs: WallMs, latestMs: WallMs): WallMs[] {
  const all = [wallMs];
  for (let at = (Math.floor(wallMs / SLOT_MS) + 1) * SLOT_MS; at < latestMs; at += SLOT_MS) all.push(at);
  return latestMs > wallMs ? [...all, latestMs] : all;
}

const isJustBefore = (early: Candidate, candidates: readonly Candidate[]): boolean =>
  candidates.some((c) => c.atMs > early.atMs && c.atMs - early.atMs < SOON_MS && c.cost < early.cost - 1e-9);

/** The earliest that costs next to nothing more than the best. */
function cheapestOf(candidates: readonly Candidate[]): Candidate | undefined {
  const least = Math.min(...candidates.map((c) => c.cost));
  return candidates.find((c) => c.cost <= least + NOTHING);
}

/** In the site's currency, when it starts then; null where a price is not known. */
function costOf({ steps }: Program, startMs: WallMs, prices: readonly PriceStretch[]): number | null {
  let cost = 0;
  let fromMs = startMs;
  const first = prices[0];
  if (!first) return null;
  for (const { forMs, power_W } of steps) {
    const untilMs = fromMs + forMs;
    // The first slot may be cut short by now, all others are whole quarter hours.
    let index = Math.floor(fromMs / SLOT_MS) - Math.floor(first.fromMs / SLOT_MS);
    for (let at = fromMs; at < untilMs; index++) {
      const slot = prices[index];
      if (!slot || slot.untilMs <= at) return null;
      const endMs = Math.min(untilMs, slot.untilMs);
      cost += (slot.price * power_W * (endMs - at)) / W_MS_PER_WH;
      at = endMs;
    }
    fromMs = untilMs;
  }
  return cost;
}
