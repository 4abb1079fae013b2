/**
 * Random histories of a home with a broken planner behind the guard: what the house draws jumps, the meter stalls,
 * devices are slow, deaf or lost, the gateway is started again, limits come and go, the clock may not be trusted, and the planner says anything. The
 * judge knows the true currents and does its own arithmetic; it shares no line with the guard.
 */
import type { DeviceDecision, DeviceImage, Image, Known } from '../../firmware/domain/image.ts';
import type { Mode } from '../../firmware/domain/mode.ts';
import type { Signal } from '../../firmware/domain/signal.ts';
import { decide } from '../../firmware/policy/decide.ts';
import { battery, boiler, dishwasher, image, NOON, SITE, tank, wallbox } from './home.ts';

const STEP_MS = 1000;
const STEPS = 40;
/** The meter counts as stale after this, and a device follows within this. */
const STALE_MS = 4000;
const FOLLOW_STEPS = 2;
/** After a start nothing is decided before all were heard, but no longer; what is kept counts so long at most. */
const AWAITED_STEPS = 3;
const RESUMED_STEPS = 8;
/** A reading as old as it may be, the cycle, the device, and one more reading when the command was under way. */
export const REACTION_MS = STALE_MS + (FOLLOW_STEPS + 2) * STEP_MS + STALE_MS;
const WORST_BASE_W = 3000;
const WORST_SUN_W = 6000;
const FUSE_A = 25;
const VOLTS = 230;
/** Watts that the meter's rounding may hide. */
const TOLERANCE_W = 1;

type Decide = (image: Image, wanted: readonly DeviceDecision[]) => { decisions: readonly DeviceDecision[] };

/** mulberry32: the same histories for the same seed, and fast. */
function chance(seed: number): () => number {
  let a = seed | 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A device as it really is; the image shows what of it is known. */
interface Real {
  readonly template: DeviceImage;
  draw_W: number;
  /** What it was told last, and how many steps until it has followed. */
  told_W: number;
  steps: number;
  confirmed_W: number;
  lost: boolean;
  silentSteps: number;
  measured_W: number | null;
  measuredStep: number;
  settledStep: number | null;
  switchedStep: number;
  atGrid_W: number | null;
  /** All that it said and was told since that was last in a reading; null: it is, or nobody can say. */
  mayDraw_W: readonly number[] | null;
  /** Since the gateway was started. */
  isHeard: boolean;
  isTold: boolean;
}

interface Home {
  readonly devices: readonly Real[];
  /** Watts per phase of everything else: sun makes it negative. */
  base_W: [number, number, number];
  readings: { readonly step: number; readonly phases_W: readonly number[] };
  meterStalls: number;
  meterPeriod: number;
  limits: readonly Signal[];
  wallTrusted: boolean;
  step: number;
  /** How often things happen here, until when, and what the planner is like. */
  readonly rate: number;
  readonly quietFrom: number;
  readonly planner: 'wild' | 'sticky' | 'greedy' | 'generous';
  said: readonly DeviceDecision[];
  readonly faults: string[];
  startedStep: number;
  isAwake: boolean;
  /** The last step at which something got worse that nobody could foresee. */
  disturbedStep: number;
}

const PLANNERS = ['wild', 'wild', 'sticky', 'greedy', 'generous'] as const;

function newHome(random: () => number): Home {
  const count = 1 + Math.floor(random() * 4);
  return {
    devices: Array.from({ length: count }, (_, i) => newDevice(i, random)),
    base_W: baseOf(random),
    readings: { step: -100, phases_W: [0, 0, 0] },
    meterStalls: 0,
    meterPeriod: 1 + Math.floor(random() * 3),
    limits: [],
    wallTrusted: random() < 0.9,
    step: 0,
    rate: random(),
    quietFrom: 2 + Math.floor(random() * STEPS),
    planner: PLANNERS[Math.floor(random() * PLANNERS.length)] ?? 'wild',
    said: [],
    faults: [],
    startedStep: -100,
    isAwake: true,
    disturbedStep: 0,
  };
}

const baseOf = (random: () => number): [number, number, number] => {
  const total = random() < 0.3 ? -random() * WORST_SUN_W : random() * WORST_BASE_W;
  const a = random();
  const b = random() * (1 - a);
  return [total * a, total * b, total * (1 - a - b)];
};

const MODES = ['cheap', 'solar', 'always'] as const;
type Patch = NonNullable<Parameters<typeof battery>[1]>;

/** Full it only gives, empty it only takes; how full it is may not be known. */
function newBattery(patch: Patch, random: () => number): DeviceImage {
  const fill = random();
  const ranges = [{ min_W: fill < 0.1 ? 0 : -3000, max_W: fill > 0.9 ? 0 : 3000 }];
  const store = { fill: random() < 0.1 ? null : fill, charge_W: 3000, discharge_W: 3000 };
  return battery(store, { ...patch, flexibility: { ...patch.flexibility, ranges, worstCase_W: 3000 } });
}

/** Too cold, too warm, within its band, or not known. */
function newHeat(patch: Patch, random: () => number): DeviceImage {
  const temperature_C = random() < 0.1 ? null : 35 + 35 * random();
  if (random() < 0.5) return tank({ temperature_C }, patch);
  const ranges = [0, 800, 1500, 3000].map((p) => ({ min_W: p, max_W: p }));
  const { flexibility } = patch;
  return tank({ temperature_C }, { ...patch, flexibility: { ...flexibility, ranges, worstCase_W: 3000 } });
}

/** Not asked for, waiting, under way or held up. */
function newProgram(patch: Patch, random: () => number): DeviceImage {
  const hours = random() < 0.2 ? null : random() * 6 - 1;
  return dishwasher(hours, random() < 0.5 ? null : Math.floor(random() * 90 * 60_000), patch);
}

function newDevice(index: number, random: () => number): Real {
  const phases =
    random() < 0.4 ? ([1, 2, 3] as const) : ([(1 + Math.floor(random() * 3)) as 1 | 2 | 3] as const);
  const minimum = random() < 0.3 ? { minOnMs: 5000, minOffMs: 5000 } : {};
  const flexibility = { phases, steerable: random() < 0.5, ...minimum };
  const mode = MODES[Math.floor(random() * MODES.length)] ?? 'always';
  const patch = { id: `d${index}`, priority: Math.floor(random() * 3), mode, flexibility };
  const kind = random();
  const template =
    kind < 0.25
      ? boiler(patch)
      : kind < 0.5
        ? wallbox(patch)
        : kind < 0.65
          ? newBattery(patch, random)
          : kind < 0.8
            ? newProgram(patch, random)
            : newHeat(patch, random);
  return {
    template,
    draw_W: 0,
    told_W: 0,
    steps: 0,
    confirmed_W: 0,
    lost: false,
    silentSteps: 0,
    measured_W: 0,
    measuredStep: 0,
    settledStep: -100,
    switchedStep: -100,
    atGrid_W: 0,
    mayDraw_W: null,
    isHeard: true,
    isTold: true,
  };
}

// ---- one step of the real world ----

function disturb(home: Home, random: () => number): void {
  const happens = (often: number): boolean => home.step < home.quietFrom && random() < often * home.rate;
  if (happens(0.06)) {
    home.base_W = baseOf(random);
    home.disturbedStep = home.step;
  }
  if (happens(0.05)) home.meterStalls = 1 + Math.floor(random() ** 2 * 40);
  if (happens(0.08) || (home.step === 0 && random() < 0.5)) {
    home.limits = newLimits(home, random);
    home.disturbedStep = home.step;
  }
  if (happens(0.03)) restart(home, random);
  for (const d of home.devices) {
    if (happens(0.02)) {
      d.lost = !d.lost;
      home.disturbedStep = home.step;
    }
    d.silentSteps = d.lost ? d.silentSteps + 1 : 0;
    // Within what it was told a program draws more and less: that is to be counted with.
    if (d.template.flexibility.program && happens(0.1))
      d.draw_W = d.confirmed_W * (random() < 0.5 ? 0.05 : 1);
  }
}

/**
 * The gateway is killed and started again, and knows only what it kept; a command may have been taken all the same, or the
 * whole house been without power.
 */
function restart(home: Home, random: () => number): void {
  const isOutage = random() < 0.3;
  for (const d of home.devices) {
    const isFree = d.template.flexibility.minOffMs === 0;
    if (isFree && d.steps > 0 && !d.lost && random() < 0.5) d.draw_W = d.told_W;
    if (isFree && isOutage) d.draw_W = 0;
    const isAwaited = d.confirmed_W > 0 && d.template.flexibility.kind !== 'battery';
    Object.assign(d, {
      ...{ told_W: d.confirmed_W, steps: 0, isTold: false, isHeard: false },
      ...{ measured_W: null, measuredStep: -100, atGrid_W: null, settledStep: isAwaited ? null : -100 },
      mayDraw_W: null,
    });
  }
  home.readings = { step: -100, phases_W: [0, 0, 0] };
  home.startedStep = home.step;
  home.isAwake = false;
  home.disturbedStep = home.step;
}

const KINDS: readonly Signal['kind'][] = [
  'importLimit',
  'importLimit',
  'importLimit',
  'setPoint',
  'exportLimit',
];

function newLimits(home: Home, random: () => number): Signal[] {
  const nowMs = NOON + home.step * STEP_MS;
  return Array.from({ length: Math.floor(random() * 3) }, (_, i) => ({
    id: `l${home.step}-${i}`,
    source: random() < 0.5 ? 'DSO' : 'Aggregator',
    kind: KINDS[Math.floor(random() * KINDS.length)] ?? 'importLimit',
    binding: random() < 0.9 ? ('commandable' as const) : ('informational' as const),
    scope: random() < 0.7 ? ('site' as const) : ('controllable' as const),
    priority: Math.floor(random() * 2),
    modifiedMs: nowMs,
    receivedMs: nowMs,
    currency: null,
    text: null,
    intervals: [
      {
        fromMs: nowMs + Math.floor(random() * 5000),
        untilMs: nowMs + 5000 + Math.floor(random() * 60_000),
        value: random() < 0.1 ? null : random() < 0.2 ? 0 : Math.floor(random() * 9000),
      },
    ],
  }));
}

/** Devices follow what they were told, unless they are deaf; the meter is read when it is its time. */
function move(home: Home, random: () => number): void {
  for (const d of home.devices) {
    if (d.steps > 0 && !d.lost) {
      d.steps -= 1;
      if (d.steps === 0) follow(home, d);
    }
    const heard = !d.lost && random() < 0.8;
    if (!heard) continue;
    d.measured_W = d.draw_W;
    if (d.mayDraw_W) d.mayDraw_W = [...d.mayDraw_W, d.draw_W];
    d.measuredStep = home.step;
    d.isHeard = true;
    if (d.steps === 0) d.settledStep ??= home.step;
  }
  home.meterStalls -= 1;
  if (home.meterStalls > 0 || home.step % home.meterPeriod !== 0) return;
  const phases_W = [1, 2, 3].map((p) => phase_W(home, p));
  home.readings = { step: home.step, phases_W };
  for (const d of home.devices) {
    const fresh = home.step - d.measuredStep <= STALE_MS / STEP_MS ? d.measured_W : null;
    if (d.settledStep !== null && home.step > d.settledStep) d.mayDraw_W = null;
    const isResumed = !d.isHeard && home.step - home.startedStep <= RESUMED_STEPS;
    const told = d.settledStep === null && (isResumed || !isLost(d)) ? d.told_W : null;
    d.atGrid_W = told === null ? fresh : Math.max(fresh ?? 0, told);
  }
}

function follow(home: Home, d: Real): void {
  const { minOffMs } = d.template.flexibility;
  const switched = d.draw_W > 0 !== d.told_W > 0;
  if (switched && d.told_W > 0 && (home.step - d.switchedStep) * STEP_MS < minOffMs)
    home.faults.push(`${d.template.id} is switched on ${home.step - d.switchedStep} s after it was off`);
  if (switched) d.switchedStep = home.step;
  d.draw_W = d.told_W;
  d.confirmed_W = d.told_W;
}

const isLost = (d: Real): boolean => d.silentSteps >= 3;

function phase_W(home: Home, phase: number): number {
  const drawn = home.devices
    .filter((d) => d.template.flexibility.phases.some((p) => p === phase))
    .reduce((sum, d) => sum + d.draw_W / d.template.flexibility.phases.length, 0);
  return (home.base_W[phase - 1] ?? 0) + drawn;
}

// ---- what the gateway sees ----

function seen(home: Home): Image {
  const ageMs = (home.step - home.readings.step) * STEP_MS;
  const known = (value: number): Known =>
    ageMs > 50_000 ? { value: null, ageMs: Infinity } : { value, ageMs };
  const [a = 0, b = 0, c = 0] = home.readings.phases_W;
  const amps = (w: number): Known => known(w / VOLTS);
  return image({
    wallMs: NOON + home.step * STEP_MS,
    elapsedMs: home.step * STEP_MS,
    wallTrusted: home.wallTrusted,
    site: {
      ...SITE,
      fuse_A: FUSE_A,
      baseWorstCase_W: WORST_BASE_W,
      productionWorstCase_W: WORST_SUN_W,
      staleAfterMs: STALE_MS,
    },
    grid_W: known(a + b + c),
    gridPhase_A: [amps(a), amps(b), amps(c)],
    devices: home.devices.map((d) => ({
      ...d.template,
      health: isLost(d) ? ('silent' as const) : ('ok' as const),
      power_W: { value: d.measured_W, ageMs: (home.step - d.measuredStep) * STEP_MS },
      setPoint_W: d.confirmed_W,
      inStateMs: (home.step - d.switchedStep) * STEP_MS,
      sinceChangedMs: d.settledStep === null ? 0 : (home.step - d.settledStep) * STEP_MS,
      ...(d.steps > 0 && { underWay_W: d.told_W }),
      ...(d.atGrid_W !== null && { atGrid_W: d.atGrid_W }),
      ...(d.mayDraw_W && { mayDraw_W: { min_W: Math.min(...d.mayDraw_W), max_W: Math.max(...d.mayDraw_W) } }),
    })),
    signals: home.limits,
  });
}

const WILD = [Number.NaN, Infinity, -Infinity, 1e9, -1e9, 0, 1999.9, 2000, 3680, 5000, -3000, 3000];

/** Anything, for devices that are there, twice, or not at all; now and then, each time anew, or always the most. */
function plannerSays(home: Home, random: () => number): readonly DeviceDecision[] {
  const always = (setPoint_W: number): readonly DeviceDecision[] =>
    home.devices.map((d) => ({ resource: d.template.id, setPoint_W, reasons: [], planned: [] }));
  if (home.planner === 'greedy') return always(1e9);
  if (home.planner === 'generous') return always(-1e9);
  if (home.planner === 'wild' || home.step === 0 || random() < 0.1) home.said = wild(home, random);
  return home.said;
}

function wild(home: Home, random: () => number): DeviceDecision[] {
  const pick = (): number => WILD[Math.floor(random() * WILD.length)] ?? 0;
  const said = home.devices
    .filter(() => random() < 0.9)
    .map((d) => ({ resource: d.template.id, setPoint_W: pick(), reasons: [], planned: [] }));
  if (random() < 0.1)
    said.push({ resource: random() < 0.5 ? 'd0' : 'ghost', setPoint_W: pick(), reasons: [], planned: [] });
  return said;
}

function dispatch(home: Home, decisions: readonly DeviceDecision[], random: () => number): void {
  for (const { resource, setPoint_W } of decisions) {
    const d = home.devices.find((x) => x.template.id === resource);
    if (!d || (setPoint_W === d.told_W && d.isTold)) continue;
    d.isTold = true;
    const isKnown = d.measured_W !== null && home.step - d.measuredStep <= STALE_MS / STEP_MS;
    if (d.mayDraw_W) d.mayDraw_W = [...d.mayDraw_W, setPoint_W];
    else if (d.settledStep !== null && isKnown) d.mayDraw_W = [d.measured_W ?? 0, d.confirmed_W, setPoint_W];
    d.told_W = setPoint_W;
    d.steps = 1 + Math.floor(random() * FOLLOW_STEPS);
    d.settledStep = null;
  }
}

// ---- the judge ----

export interface Verdict {
  readonly violations: readonly string[];
  readonly cycles: number;
}

const IMPORT = ['importLimit', 'setPoint'] as const;
const EXPORT = ['exportLimit'] as const;

/** Whether a device draws that could be turned down: it hears, and its menu has something lower. */
const couldGiveWay = (d: Real): boolean => !d.lost && d.draw_W > 0;

/** Names of what is over its bound now, though something could give way. */
function over(home: Home): string[] {
  const names: string[] = [];
  const total = phase_W(home, 1) + phase_W(home, 2) + phase_W(home, 3);
  const anybody = home.devices.some(couldGiveWay);
  const fuses = [1, 2, 3].filter(
    (p) =>
      phase_W(home, p) > FUSE_A * VOLTS + TOLERANCE_W &&
      home.devices.some((d) => couldGiveWay(d) && d.template.flexibility.phases.some((x) => x === p)),
  );
  names.push(...fuses.map((p) => `fuse L${p}`));
  const site_W = allowed_W(home, 'site', IMPORT);
  if (anybody && total > site_W + TOLERANCE_W) names.push('site limit');
  const produces = home.devices.some((d) => !d.lost && d.draw_W < 0);
  if (produces && -total > allowed_W(home, 'site', EXPORT) + TOLERANCE_W) names.push('export limit');
  const steered = home.devices.filter((d) => d.template.flexibility.steerable);
  const drawn = steered.reduce((sum, d) => sum + d.draw_W, 0);
  const covered = Math.max(0, drawn - total);
  if (steered.some(couldGiveWay) && drawn - covered > allowed_W(home, 'controllable', IMPORT) + TOLERANCE_W)
    names.push('steerable limit');
  return names;
}

/** By the operator's book: sort what each source says now, best priority first, tighter first; the least of the sources. */
function allowed_W(home: Home, scope: string, kinds: readonly Signal['kind'][]): number {
  const nowMs = NOON + home.step * STEP_MS;
  const said = home.limits
    .filter((s) => s.binding === 'commandable' && s.scope === scope && kinds.includes(s.kind))
    .flatMap((s) => s.intervals.map((i) => ({ ...i, source: s.source, priority: s.priority })))
    .filter((i) => !home.wallTrusted || (i.fromMs <= nowMs && nowMs < i.untilMs))
    .sort((a, b) => a.priority - b.priority || (a.value ?? 1e12) - (b.value ?? 1e12));
  const first = new Map<string, number>();
  for (const { source, value } of said) if (!first.has(source)) first.set(source, value ?? 1e12);
  return Math.min(1e12, ...first.values());
}

function faultsOf(decisions: readonly DeviceDecision[], home: Home): string[] {
  return decisions.flatMap(({ resource, setPoint_W }) => {
    const ranges = home.devices.find((d) => d.template.id === resource)?.template.flexibility.ranges ?? [];
    const offered = ranges.some((r) => r.min_W <= setPoint_W && setPoint_W <= r.max_W);
    return offered ? [] : [`${resource}: ${setPoint_W} W is not on the menu`];
  });
}

/** One history. `decides` is the guard, all rules, or something broken that the judge has to find. */
export function history(seed: number, decides: Decide): Verdict {
  const random = chance(seed);
  const home = newHome(random);
  const since = new Map<string, number>();
  const violations: string[] = [];
  const edges = new Set<number>();
  for (; home.step < STEPS; home.step++) {
    disturb(home, random);
    move(home, random);
    violations.push(...cycle(home, decides, random), ...home.faults.splice(0));
    if (limitsChange(home, edges)) home.disturbedStep = home.step;
    const now = over(home);
    for (const name of [...since.keys()]) if (!now.includes(name)) since.delete(name);
    for (const name of now) {
      if (!since.has(name)) since.set(name, home.step);
      const fromStep = Math.max(since.get(name) ?? 0, home.disturbedStep);
      if ((home.step - fromStep) * STEP_MS > REACTION_MS) {
        violations.push(`seed ${seed}, step ${home.step}: ${name} since step ${fromStep}`);
        return { violations, cycles: home.step + 1 };
      }
    }
  }
  return { violations, cycles: STEPS };
}

/** What it decides that is on no menu. */
function cycle(home: Home, decides: Decide, random: () => number): string[] {
  const isHeard = home.readings.step >= home.startedStep && home.devices.every((d) => d.isHeard);
  home.isAwake ||= isHeard || home.step - home.startedStep >= AWAITED_STEPS;
  if (!home.isAwake) return [];
  const { decisions } = decides(seen(home), plannerSays(home, random));
  dispatch(home, decisions, random);
  return faultsOf(decisions, home);
}

/** A limit that was known begins or ends. */
function limitsChange(home: Home, edges: Set<number>): boolean {
  const before = edges.size;
  const nowMs = NOON + home.step * STEP_MS;
  for (const { intervals } of home.limits)
    for (const { fromMs, untilMs } of intervals) {
      if (fromMs <= nowMs) edges.add(fromMs);
      if (untilMs <= nowMs) edges.add(untilMs);
    }
  return edges.size > before;
}

// ---- through all rules ----

/** What a plan gone wrong would hand out: any mode, with the broken planner's numbers. */
function modesFrom(seen: Image, wanted: readonly DeviceDecision[]): NonNullable<Image['modes']> {
  const { wallMs } = seen;
  return Object.fromEntries(
    wanted.map(({ resource, setPoint_W: x }, i) => {
      const kinds: readonly Mode[] = [
        { kind: 'charge', upTo_W: x },
        { kind: 'discharge', target_W: x },
        { kind: 'selfConsume', chargeUpTo_W: x, dischargeUpTo_W: -x },
        { kind: 'gridTarget', grid_W: x },
        { kind: 'heat', level: x > 2000 ? 'boost' : 'normal' },
        { kind: 'heat', level: 'reduced', upTo_W: x },
        { kind: 'surplus' },
        { kind: 'run', upTo_W: x },
        { kind: 'off' },
      ];
      const turn = Math.floor(Math.abs(Number.isFinite(x) ? x : 7)) + i + Math.floor(wallMs / 1000 / 8);
      const mode = kinds[turn % kinds.length] ?? { kind: 'hold' };
      return [resource, [{ fromMs: wallMs, untilMs: wallMs + 1000, mode }]];
    }),
  );
}

/** All rules with a plan gone wrong in front of the guard, in place of the guard alone. */
export const throughRules: Decide = (seen, wanted) => ({
  decisions: decide({ ...seen, modes: modesFrom(seen, wanted) }).devices,
});
