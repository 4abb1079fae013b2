/**
 * The last check before dispatch, to be read in one sitting. It trusts nothing that the rules computed: it starts
 * from the frozen image and the set-points alone, does its own sums, and only ever takes away. Where it and the
 * rules disagree, it wins, and the correction is journalled.
 */
import type { Decision, DeviceDecision, DeviceImage, Image } from '../domain/image.ts';
import type { Reason } from '../domain/instruction.ts';
import { activeLimits } from './active-limits.ts';

export interface Guarded {
  readonly decisions: readonly DeviceDecision[];
  readonly corrections: Decision['corrections'];
}

interface Entry {
  readonly device: DeviceImage;
  readonly decision: DeviceDecision;
  allowed_W: number;
  why: string;
}

export function guard(image: Image, wanted: readonly DeviceDecision[]): Guarded {
  const entries: Entry[] = [];
  for (const decision of wanted) {
    const device = image.devices.find((d) => d.id === decision.resource);
    if (device) entries.push({ device, decision, allowed_W: decision.setPoint_W, why: '' });
  }
  for (const entry of entries) {
    onTheMenu(entry);
    noRiseInTheDark(image, entry);
    minimumOff(entry);
  }
  for (const limit of activeLimits(image)) {
    if (limit.direction === 'import')
      underImportLimit(image, entries, limit.limit_W, limit.scope === 'controllable');
  }
  underFuse(image, entries);
  return { decisions: entries.map(corrected), corrections: entries.filter(isCorrected).map(correctionOf) };
}

const isCorrected = (e: Entry): boolean => !Object.is(e.allowed_W, e.decision.setPoint_W);
const reasonOf = (e: Entry): Reason => ({
  code: 'GUARD',
  values: { check: e.why, wanted_W: e.decision.setPoint_W },
});

function corrected(e: Entry): DeviceDecision {
  if (!isCorrected(e)) return e.decision;
  return { ...e.decision, setPoint_W: e.allowed_W, reasons: [reasonOf(e), ...e.decision.reasons] };
}

const correctionOf = (e: Entry): Decision['corrections'][number] => ({
  resource: e.device.id,
  wanted_W: e.decision.setPoint_W,
  allowed_W: e.allowed_W,
  reason: reasonOf(e),
});

function lower(e: Entry, to_W: number, why: string): void {
  if (e.allowed_W <= to_W) return;
  e.allowed_W = to_W;
  e.why = why;
}

/** The largest entry of the menu that is not above `top_W`; the least entry when all are above it. */
function menuUnder(device: DeviceImage, top_W: number): number {
  let best = -Infinity;
  let least = Infinity;
  const { ranges, step_W } = device.flexibility;
  for (const { min_W, max_W } of ranges) {
    least = Math.min(least, min_W);
    if (min_W > top_W) continue;
    const top = Math.min(max_W, top_W);
    best = Math.max(
      best,
      step_W > 0 && top < max_W ? min_W + Math.floor((top - min_W) / step_W + 1e-9) * step_W : top,
    );
  }
  if (Number.isFinite(best)) return best;
  return Number.isFinite(least) ? least : 0;
}

/** Nothing that is not on the device's menu: no NaN, no infinity, no value between two modes. */
function onTheMenu(e: Entry): void {
  const safe = Number.isFinite(e.decision.setPoint_W)
    ? menuUnder(e.device, e.decision.setPoint_W)
    : menuUnder(e.device, 0);
  if (safe === e.decision.setPoint_W) return;
  e.allowed_W = safe;
  e.why = 'menu';
}

/** A stale meter or a lost device: nothing rises above what was last confirmed. Producers are not loads. */
function noRiseInTheDark(image: Image, e: Entry): void {
  const meterFresh = image.grid_W.value !== null && image.grid_W.ageMs <= image.site.staleAfterMs;
  const deviceLost = e.device.health === 'silent' || e.device.health === 'faulty';
  if (meterFresh && !deviceLost) return;
  lower(
    e,
    Math.max(0, menuUnder(e.device, e.device.setPoint_W ?? 0)),
    meterFresh ? 'device lost' : 'stale meter',
  );
}

/** Device protection: what was just switched off stays off for its minimum time. */
function minimumOff(e: Entry): void {
  const off = e.device.setPoint_W !== null && e.device.setPoint_W <= 0;
  if (off && e.device.inStateMs < e.device.flexibility.minOffMs)
    lower(e, Math.max(0, menuUnder(e.device, 0)), 'minimum off time');
}

/** What a consumer counts for. A lost one is not measured, so its present draw already stands in the rest of the house. */
const counted_W = (e: Entry): number => Math.max(0, e.allowed_W);

/** Under a limit that is not measured at the connection a lost device counts with what it was last told to take. */
const stuck_W = ({ device }: Entry): number =>
  device.health === 'silent' || device.health === 'faulty'
    ? Math.max(0, device.setPoint_W ?? device.flexibility.worstCase_W)
    : 0;

const drawn_W = (image: Image, d: DeviceImage): number =>
  d.power_W.value !== null && d.power_W.ageMs <= image.site.staleAfterMs ? Math.max(0, d.power_W.value) : 0;

const isConsumer = (e: Entry): boolean => e.device.flexibility.ranges.some((r) => r.max_W > 0);

/** Gives way in reverse order of priority; equal ones by name, so that the result is always the same. */
const leastImportantFirst = (a: Entry, b: Entry): number =>
  b.device.priority - a.device.priority || b.device.id.localeCompare(a.device.id);

function underImportLimit(
  image: Image,
  entries: readonly Entry[],
  limit_W: number,
  steerableOnly: boolean,
): void {
  const consumers = entries.filter(isConsumer);
  const counted = consumers.filter((e) => !steerableOnly || e.device.flexibility.steerable);
  const fresh = image.grid_W.value !== null && image.grid_W.ageMs <= image.site.staleAfterMs;
  const drawn = consumers.reduce((sum, e) => sum + drawn_W(image, e.device), 0);
  const rest = fresh ? (image.grid_W.value ?? 0) - drawn : image.site.baseWorstCase_W;
  // What does not count under the limit still has the first right to own production.
  const free = consumers
    .filter((e) => !counted.includes(e))
    .reduce((sum, e) => sum + Math.max(counted_W(e), drawn_W(image, e.device)), 0);
  const open_W = steerableOnly ? limit_W + Math.max(0, -(rest + free)) : limit_W - rest;
  shed(
    counted,
    open_W,
    (e) => (steerableOnly ? Math.max(counted_W(e), stuck_W(e)) : counted_W(e)),
    (_e, excess) => excess,
    'limit',
  );
}

function underFuse(image: Image, entries: readonly Entry[]): void {
  const { fuse_A, nominal_V, phases, staleAfterMs, baseWorstCase_W } = image.site;
  const consumers = entries.filter(isConsumer);
  const share = (e: Entry): number => e.device.flexibility.phases.length * nominal_V;
  const fresh = image.grid_W.value !== null && image.grid_W.ageMs <= staleAfterMs;
  const drawn = consumers.reduce((sum, e) => sum + drawn_W(image, e.device), 0);
  for (let phase = 1; phase <= phases; phase++) {
    const on = consumers.filter((e) => e.device.flexibility.phases.some((p) => p === phase));
    const known = image.gridPhase_A[phase - 1];
    const drawnHere_A = on.reduce((sum, e) => sum + drawn_W(image, e.device) / share(e), 0);
    let rest_A = baseWorstCase_W / nominal_V / phases;
    if (known && known.value !== null && known.ageMs <= staleAfterMs) rest_A = known.value - drawnHere_A;
    else if (fresh) rest_A = Math.max(0, (image.grid_W.value ?? 0) - drawn) / nominal_V;
    shed(
      on,
      Math.max(0, fuse_A - rest_A),
      (e) => counted_W(e) / share(e),
      (e, excess) => excess * share(e),
      'fuse',
    );
  }
}

/** Takes from the least important until the sum of `weight` is within `open`, or nothing is left to take. */
function shed(
  entries: readonly Entry[],
  open: number,
  weight: (e: Entry) => number,
  excess_W: (e: Entry, excess: number) => number,
  why: string,
): void {
  for (const e of [...entries].sort(leastImportantFirst)) {
    const excess = entries.reduce((sum, x) => sum + weight(x), 0) - Math.max(0, open);
    if (excess <= 1e-6) return;
    lower(e, Math.max(0, menuUnder(e.device, e.allowed_W - excess_W(e, excess))), why);
  }
}
