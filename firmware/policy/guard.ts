/**
 * The last check before dispatch, to be read in one sitting. It trusts nothing that the rules or a plan computed: it
 * starts from the frozen image and the set-points alone, reads the limits for itself and does its own sums. It only
 * takes away, with one exception: a device that may not be switched off yet stays on at its least. Where it and the
 * rules disagree, it wins, and the correction is journalled.
 *
 * Until the meter has seen a command nobody knows what that device draws, and it may not rise again. Others may, as far as
 * there is room for them even if it drew the least when the meter was read and takes the most now.
 *
 * All sums are of watts at the connection, import positive. `rest` is what the meter shows less what our devices drew
 * when it was read; what is not known counts as the worst case.
 */
import type { ActiveLimit, Decision, DeviceDecision, DeviceImage, Image, Known } from '../domain/image.ts';
import type { Reason } from '../domain/instruction.ts';
import type { Signal } from '../domain/signal.ts';

export interface Guarded {
  readonly decisions: readonly DeviceDecision[];
  readonly corrections: Decision['corrections'];
}

interface Entry {
  readonly device: DeviceImage;
  readonly decision: DeviceDecision;
  readonly lost: boolean;
  /** The most that it has been told so far; more is a rise. */
  readonly told_W: number;
  /** What it drew when the meter was read, as far as that is known; it is not in `rest`. */
  readonly drawn_W: number;
  allowed_W: number;
  why: string;
}

type Limit = Pick<ActiveLimit, 'direction' | 'scope' | 'limit_W'>;

/** So long after a command a device has begun to follow it. */
const FOLLOWS_MS = 1_000;

const UNSEEN = 'waits for the meter';

export function guard(image: Image, wanted: readonly DeviceDecision[]): Guarded {
  const entries = entriesOf(image, wanted);
  const dark = !fresh(image, image.grid_W);
  for (const e of entries) {
    onTheMenu(e);
    minimumOn(e);
    if (e.lost || dark) noRise(e, e.device.setPoint_W ?? 0, e.lost ? 'device lost' : 'stale meter');
    else if (!settled(image, e.device)) noRise(e, e.told_W, UNSEEN);
    minimumOff(e);
  }
  for (const limit of [...commanded(image), ...rating(image)]) {
    if (limit.direction === 'export') underExport(image, entries, limit.limit_W);
    else if (limit.scope === 'site') underImport(image, entries, limit.limit_W);
    else underSteerable(image, entries, limit.limit_W);
  }
  for (let phase = 1; phase <= image.site.phases; phase++) underFuse(image, entries, phase);
  return { decisions: entries.map(corrected), corrections: entries.filter(isCorrected).map(correctionOf) };
}

/** One for each device that can be steered: what was left out keeps its set-point, what is said twice counts once. */
function entriesOf(image: Image, wanted: readonly DeviceDecision[]): Entry[] {
  return image.devices
    .filter((d) => d.flexibility.controlType !== 'NOT_CONTROLABLE')
    .map((device) => {
      const decision = wanted.find((w) => w.resource === device.id) ?? {
        resource: device.id,
        setPoint_W: device.setPoint_W ?? 0,
        reasons: [],
        planned: [],
      };
      const measured_W = fresh(image, device.power_W) ? (device.power_W.value ?? 0) : 0;
      // A meter that is silent says nothing of what flows by now: the device itself may.
      const drawn_W = fresh(image, image.grid_W) ? (device.atGrid_W ?? measured_W) : measured_W;
      const confirmed_W = device.setPoint_W ?? 0;
      const told_W = Math.max(0, confirmed_W, device.underWay_W ?? confirmed_W);
      return {
        device,
        decision,
        lost: lost(device),
        told_W,
        drawn_W,
        allowed_W: decision.setPoint_W,
        why: '',
      };
    });
}

const fresh = (image: Image, { value, ageMs }: Known): boolean =>
  value !== null && Number.isFinite(value) && ageMs <= image.site.staleAfterMs;

/** The meter was read after the device had followed its last command; before that nobody knows what it draws. */
const settled = (image: Image, device: DeviceImage): boolean =>
  lost(device) || (device.sinceChangedMs ?? Infinity) >= image.grid_W.ageMs + FOLLOWS_MS;

const lost = ({ health }: DeviceImage): boolean => health === 'silent' || health === 'faulty';

// ---- limits in force ----

const COMMANDS = { import: ['importLimit', 'setPoint'], export: ['exportLimit'] } as const;

/** Of each source the event of the best priority, the tighter one on a tie; every source holds by itself. */
function commanded(image: Image): Limit[] {
  const limits: Limit[] = [];
  for (const direction of ['import', 'export'] as const) {
    for (const scope of ['site', 'controllable'] as const) {
      const kinds: readonly Signal['kind'][] = COMMANDS[direction];
      const signals = image.signals.filter(
        (s) => s.binding === 'commandable' && s.scope === scope && kinds.includes(s.kind),
      );
      for (const source of new Set(signals.map((s) => s.source))) {
        const limit_W = strongest(
          image,
          signals.filter((s) => s.source === source),
        );
        if (limit_W !== Infinity) limits.push({ direction, scope, limit_W });
      }
    }
  }
  return limits;
}

/** In W; Infinity where none of them limits now. Without a clock whatever is stored holds. */
function strongest({ wallMs, wallTrusted }: Image, signals: readonly Signal[]): number {
  let best = Infinity;
  let limit_W = Infinity;
  for (const { intervals, priority, cancelledMs } of signals) {
    for (const { fromMs, untilMs, value } of intervals) {
      const now = wallTrusted ? fromMs <= wallMs && wallMs < untilMs : cancelledMs === undefined;
      if (!now || priority > best) continue;
      const said_W = value === null ? Infinity : Number.isFinite(value) ? Math.max(0, value) : 0;
      limit_W = priority < best ? said_W : Math.min(limit_W, said_W);
      best = priority;
    }
  }
  return limit_W;
}

/** What the connection carries in all, in both directions. */
function rating({ site }: Image): Limit[] {
  const limit_W = site.fuse_A * site.phases * site.nominal_V;
  return [
    { direction: 'import', scope: 'site', limit_W },
    { direction: 'export', scope: 'site', limit_W },
  ];
}

// ---- each device by itself ----

/** Nothing that is not on the device's menu: no NaN, no infinity, no value between two modes. */
function onTheMenu(e: Entry): void {
  const safe = menuUnder(e.device, Number.isFinite(e.allowed_W) ? e.allowed_W : 0);
  if (safe !== e.allowed_W) set(e, safe, 'menu');
}

/** Device protection: what was just switched on stays on, at its least and never above what it was told. */
function minimumOn(e: Entry): void {
  const { setPoint_W, inStateMs, flexibility } = e.device;
  if (e.allowed_W > 0 || setPoint_W === null || setPoint_W <= 0 || inStateMs >= flexibility.minOnMs) return;
  const least = Math.min(...flexibility.ranges.filter((r) => r.max_W > 0).map((r) => Math.max(r.min_W, 0)));
  if (least > 0 && least <= setPoint_W) set(e, least, 'minimum on time');
}

/** Device protection: what was just switched off stays off for its minimum time. */
function minimumOff(e: Entry): void {
  const off = e.device.setPoint_W !== null && e.device.setPoint_W <= 0;
  if (off && e.device.inStateMs < e.device.flexibility.minOffMs)
    lower(e, Math.max(0, menuUnder(e.device, 0)), 'minimum off time');
}

/** No more than it was told before. */
function noRise(e: Entry, told_W: number, why: string): void {
  lower(e, Math.max(0, menuUnder(e.device, told_W)), why);
}

// ---- all devices together ----

/** What it will draw. A lost one goes on as it is, in the dark as bad as it can; production counts as far as it is there. */
function drawing_W(image: Image, e: Entry): number {
  if (e.lost && fresh(image, image.grid_W)) return e.drawn_W;
  if (e.lost) return Math.max(e.drawn_W, e.device.setPoint_W ?? 0, e.device.flexibility.worstCase_W, 0);
  return e.allowed_W >= 0 ? e.allowed_W : Math.min(0, Math.max(e.allowed_W, e.drawn_W));
}

/** What a lost one would take on top if it were back and did as it is told. */
const comingBack_W = (image: Image, e: Entry): number =>
  e.lost ? Math.max(0, e.allowed_W - Math.max(0, drawing_W(image, e))) : 0;

const drawing = (image: Image, entries: readonly Entry[]): number =>
  entries.reduce((sum, e) => sum + drawing_W(image, e), 0);

/** How much more may flow on its account than is reckoned, until the meter has seen its last command. */
function unseen_W(image: Image, e: Entry): number {
  if (settled(image, e.device)) return 0;
  const may = e.device.mayDraw_W;
  if (!may) return Infinity;
  return Math.max(0, e.drawn_W - may.min_W) + Math.max(0, may.max_W - drawing_W(image, e));
}

const unseen = (image: Image, entries: readonly Entry[]): number =>
  entries.reduce((sum, e) => sum + unseen_W(image, e), 0);

/** What flows besides our devices. */
function rest_W(image: Image, entries: readonly Entry[]): number {
  if (!fresh(image, image.grid_W)) return image.site.baseWorstCase_W;
  return (image.grid_W.value ?? 0) - entries.reduce((sum, e) => sum + e.drawn_W, 0);
}

function underImport(image: Image, entries: readonly Entry[], limit_W: number): void {
  const rest = rest_W(image, entries);
  const excess_W = (e: Entry): number => rest + drawing(image, entries) + comingBack_W(image, e) - limit_W;
  shed(entries, excess_W, () => unseen(image, entries), 'limit');
}

/** § 14a: only what steerable devices draw from the grid counts, after the rest of the house has had its own solar. */
function underSteerable(image: Image, entries: readonly Entry[], limit_W: number): void {
  const counted = entries.filter((e) => e.device.flexibility.steerable);
  const others = entries.filter((e) => !e.device.flexibility.steerable);
  const rest =
    rest_W(image, entries) + others.reduce((sum, e) => sum + Math.max(drawing_W(image, e), e.drawn_W), 0);
  const stuck = (e: Entry): number =>
    e.lost ? Math.max(e.drawn_W, e.device.setPoint_W ?? e.device.flexibility.worstCase_W) : 0;
  const sum = (): number => counted.reduce((s, e) => s + Math.max(drawing_W(image, e), stuck(e)), 0);
  shed(
    counted,
    () => sum() - Math.max(0, -rest) - limit_W,
    () => unseen(image, entries),
    'limit',
  );
}

/** What devices may produce counts whole, what they consume only as far as they do and go on. */
function underExport(image: Image, entries: readonly Entry[], limit_W: number): void {
  const house_W = fresh(image, image.grid_W)
    ? rest_W(image, entries)
    : -(image.site.productionWorstCase_W ?? 0);
  for (const e of leastImportantFirst(entries)) {
    const excess = entries.reduce((sum, x) => sum + exported_W(image, x), 0) - house_W - limit_W;
    if (excess <= 1e-6) return;
    if (e.allowed_W < 0) set(e, Math.min(0, menuOver(e.device, e.allowed_W + excess)), 'export limit');
  }
}

/** A lost one goes on giving, in the dark all that it was told, and may be back to do as it is told now. */
function exported_W(image: Image, { device, lost, drawn_W, allowed_W }: Entry): number {
  if (!lost) return allowed_W < 0 ? -allowed_W : -Math.max(0, Math.min(allowed_W, drawn_W));
  const most_W = Math.min(0, ...device.flexibility.ranges.map((r) => r.min_W));
  const told_W = fresh(image, image.grid_W) ? drawn_W : (device.setPoint_W ?? most_W);
  return -Math.min(drawn_W, told_W, allowed_W);
}

/** Where the meter gives no current of a phase, all that is not ours is taken to flow there. */
function underFuse(image: Image, entries: readonly Entry[], phase: number): void {
  const { fuse_A, nominal_V } = image.site;
  const here = entries.filter((e) => e.device.flexibility.phases.some((p) => p === phase));
  const amps = (e: Entry, power_W: number): number =>
    power_W / e.device.flexibility.phases.length / nominal_V;
  const known = image.gridPhase_A[phase - 1];
  const rest_A =
    known && fresh(image, known)
      ? (known.value ?? 0) - here.reduce((sum, e) => sum + amps(e, e.drawn_W), 0)
      : onOnePhase_W(image, entries) / nominal_V;
  const sum_A = (): number => here.reduce((sum, e) => sum + amps(e, drawing_W(image, e)), 0);
  const perAmp_W = (e: Entry): number => nominal_V * e.device.flexibility.phases.length;
  const isMeasured = known !== undefined && fresh(image, known);
  const unseen_A = (): number =>
    isMeasured
      ? here.reduce((sum, e) => sum + amps(e, unseen_W(image, e)), 0)
      : unseen(image, entries) / nominal_V;
  shed(
    here,
    (e) => (rest_A + sum_A() - fuse_A) * perAmp_W(e) + comingBack_W(image, e),
    (e) => unseen_A() * perAmp_W(e),
    'fuse',
  );
}

/**
 * What the house may draw from one phase when only the sum of all is known. Production that we do not measure may feed
 * the other phases and hide it, so all that may be there counts on top; but no more than the house is said to draw at
 * worst, for else a roof of 5 kW would leave nothing of 25 A to a boiler, even by night. A house that feeds in has more
 * than it is said to have: it is taken to hide as much again.
 */
function onOnePhase_W(image: Image, entries: readonly Entry[]): number {
  const rest = rest_W(image, entries);
  const { baseWorstCase_W, productionWorstCase_W = 0 } = image.site;
  const unheard_W = entries
    .filter((e) => e.device.atGrid_W === undefined && !fresh(image, e.device.power_W))
    .reduce((sum, { device }) => sum - Math.min(0, ...device.flexibility.ranges.map((r) => r.min_W)), 0);
  const hidden_W = Math.max(productionWorstCase_W + unheard_W, -2 * rest);
  return Math.max(0, rest, Math.min(rest + hidden_W, baseWorstCase_W));
}

/**
 * Takes from the least important until nothing is in excess, or nothing is left. A lost one comes last: it does not
 * follow, and when it is back it may take no more than fits beside what it seems to draw now. What nobody has seen yet
 * takes back a rise, and nothing else.
 */
function shed(
  entries: readonly Entry[],
  excess_W: (e: Entry) => number,
  unseen_W: (e: Entry) => number,
  why: string,
): void {
  const order = leastImportantFirst(entries);
  for (const e of [...order.filter((x) => !x.lost), ...order.filter((x) => x.lost)]) {
    const excess = excess_W(e);
    if (excess > 1e-6) lower(e, Math.max(0, menuUnder(e.device, e.allowed_W - excess)), why);
    const sure_W = Math.max(e.told_W, e.allowed_W - excess_W(e) - unseen_W(e));
    if (e.allowed_W > sure_W + 1e-6) noRise(e, sure_W, UNSEEN);
  }
}

/** Equal ones by name, so that the result is always the same. */
const leastImportantFirst = (entries: readonly Entry[]): Entry[] =>
  [...entries].sort(
    (a, b) => b.device.priority - a.device.priority || b.device.id.localeCompare(a.device.id),
  );

// ---- set-points ----

function set(e: Entry, to_W: number, why: string): void {
  e.allowed_W = to_W;
  e.why = why;
}

function lower(e: Entry, to_W: number, why: string): void {
  if (e.allowed_W > to_W) set(e, to_W, why);
}

/** The largest entry of the menu that is not above `top_W`; the least entry when all are above it. */
function menuUnder({ flexibility: { ranges, step_W } }: DeviceImage, top_W: number): number {
  let best = -Infinity;
  let least = Infinity;
  for (const { min_W, max_W } of ranges) {
    least = Math.min(least, min_W);
    if (min_W > top_W) continue;
    const top = Math.min(max_W, top_W);
    const stepped = min_W + Math.floor((top - min_W) / step_W + 1e-9) * step_W;
    best = Math.max(best, step_W > 0 && top < max_W ? stepped : top);
  }
  if (Number.isFinite(best)) return best;
  return Number.isFinite(least) ? least : 0;
}

/** The least entry of the menu that is not below `bottom_W`, 0 when there is none. */
function menuOver({ flexibility: { ranges, step_W } }: DeviceImage, bottom_W: number): number {
  let best = Infinity;
  for (const { min_W, max_W } of ranges) {
    if (max_W < bottom_W) continue;
    const bottom = Math.max(min_W, bottom_W);
    const stepped = min_W + Math.ceil((bottom - min_W) / step_W - 1e-9) * step_W;
    best = Math.min(best, step_W > 0 ? Math.min(stepped, max_W) : bottom);
  }
  return Number.isFinite(best) ? best : 0;
}

// ---- what was corrected ----

const isCorrected = (e: Entry): boolean => !Object.is(e.allowed_W, e.decision.setPoint_W);
const reasonOf = (e: Entry): Reason => ({
  code: 'GUARD',
  values: { check: e.why, wanted_W: Number.isFinite(e.decision.setPoint_W) ? e.decision.setPoint_W : null },
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
