/**
 * Keeps the house's plan: made anew every quarter hour and when prices change, in the background; the cycle never waits
 * for it and reads what there is. Fall-backs, each said in the journal when it begins: no clock or no price: no plan,
 * the rules run devices at once or by thermostat; no history: the load of now goes on; no solver: the stand-in plan;
 * no planner at all: the last good plan while it is fresh, then the rules.
 */
import type { HousePlan } from '../domain/house-plan.ts';
import { PLAN_VALID_MS } from '../domain/house-plan.ts';
import type { DeviceImage, Image } from '../domain/image.ts';
import type { Modes } from '../domain/mode.ts';
import { priceCurve } from '../domain/price-curve.ts';
import type { Journal, SeriesStore } from '../domain/storage.ts';
import { type Cancel, type Clock, every } from '../domain/time.ts';
import { houseLoad_W } from './balance.ts';
import type { Place, Roof } from './forecast/clear-sky.ts';
import { feedInLimit } from './forecast/held.ts';
import { pastOf } from './forecast/past.ts';
import { QUARTER_MS } from './forecast/series.ts';
import { supplied } from './forecast/supplied.ts';
import { isControllable, isProducer } from './plan.ts';
import { drawsAsTold, houseScenario, isPlanned, outdoorNow_C, tooShort } from './planner/house.ts';
import { horizonOf, quarterHorizon } from './planner/house-grid.ts';
import { modesNow } from './planner/house-modes.ts';
import { isOffCourse, planOf } from './planner/house-plan.ts';
import { type HouseSlots, slotsUntil } from './planner/house-slots.ts';
import { laterSchedule } from './planner/last-plan.ts';
import type { LastPlan, MadePlan, PlanMaker, PlanTask } from './planner/planner.ts';
import type { Schedule } from './planner/scenario.ts';

export interface PlanningDeps {
  readonly clock: Clock;
  readonly series: Pick<SeriesStore, 'read'>;
  readonly journal: Journal;
  readonly gridMeter: string | null;
  readonly place: Place | null;
  readonly roof: Roof | null;
  readonly make: PlanMaker;
  readonly image: () => Image;
  /** A new plan is there. */
  readonly changed: () => void;
}

/** How often it is looked whether a plan is due. */
const LOOK_MS = 10_000;
/** So long is planned within a quarter hour, each plan counting for at least a while: what changes all the time waits. */
const PLANNING_A_QUARTER_MS = 120_000;
const LEAST_COUNTED_MS = 500;
/** A plan is made anew for stores that left its course no more often than this. */
const OFF_COURSE_MS = 5 * 60_000;

export class Planning {
  private readonly deps: PlanningDeps;
  private plan: HousePlan | null = null;
  private made: { readonly slots: HouseSlots; readonly schedule: Schedule } | null = null;
  private dueFor = '';
  private triedMs = -Infinity;
  /** How long was planned in this quarter hour. */
  private spent = { quarter: -1, ms: 0 };
  private state = '';
  private isMaking = false;
  private isStopped = false;
  private stopLooking: Cancel = () => {};

  constructor(deps: PlanningDeps) {
    this.deps = deps;
  }

  /** The last good plan while it is fresh. */
  current(): HousePlan | null {
    const now = this.deps.clock.wallMs();
    const plan = this.plan;
    return plan && now < plan.untilMs && Math.abs(now - plan.madeMs) <= PLAN_VALID_MS ? plan : null;
  }

  /** What devices are to do by the plan, as far as it may be followed now. */
  modes(devices: Image['devices']): Modes {
    return modesNow(this.plan, { devices, wallMs: this.deps.clock.wallMs() });
  }

  start(): void {
    this.stopLooking = every(this.deps.clock, LOOK_MS, () => this.look());
  }

  stop(): void {
    this.isStopped = true;
    this.stopLooking();
    this.deps.make.end?.();
  }

  /** Plans when a quarter hour, the prices or what is to be planned has changed; one plan at a time. Never rejects. */
  async look(): Promise<void> {
    if (this.isMaking) return;
    this.isMaking = true;
    try {
      for (let image = this.deps.image(); this.isDue(image); image = this.deps.image()) {
        this.dueFor = dueFor(image);
        this.triedMs = this.deps.clock.elapsedMs();
        await this.make(image);
        const tookMs = Math.max(LEAST_COUNTED_MS, this.deps.clock.elapsedMs() - this.triedMs);
        this.spent = { quarter: quarterOf(image), ms: this.spentIn(image) + tookMs };
      }
    } catch (error) {
      this.say('INTERNAL', { message: error instanceof Error ? error.message : String(error) });
    } finally {
      this.isMaking = false;
    }
  }

  private isDue(image: Image): boolean {
    if (this.isStopped || this.spentIn(image) >= PLANNING_A_QUARTER_MS) return false;
    return dueFor(image) !== this.dueFor || this.hasLeft(image);
  }

  private spentIn(image: Image): number {
    return this.spent.quarter === quarterOf(image) ? this.spent.ms : 0;
  }

  /** A store is far from where the plan has it; not asked again right after a plan. */
  private hasLeft(image: Image): boolean {
    const plan = this.current();
    const sinceMs = this.deps.clock.elapsedMs() - this.triedMs;
    return plan !== null && sinceMs >= OFF_COURSE_MS && isOffCourse(plan, image);
  }

  private async make(image: Image): Promise<void> {
    const slots = horizonOf(image);
    if (!image.wallTrusted) return this.none('NO_CLOCK');
    if (tooShort(slots)) return this.none('NO_PRICE');
    if (!image.devices.some((d) => isPlanned(image, d))) return this.none('NO_NEED');
    const scenario = houseScenario(image, slots);
    if (!scenario) return this.none('NO_PRICE');
    const horizon = { ...quarterHorizon(slots), timeZone: image.site.timeZone };
    const known = await this.known(image, horizon.fromMs, horizon.slots);
    if (this.isStopped) return;
    const { fromMs } = slots;
    const made = await this.deps.make({ scenario, last: this.shifted(slots), known, horizon, fromMs });
    if (this.isStopped) return;
    if (!made.ok) return this.say(made.error.code, { message: made.error.message });
    this.made = { slots, schedule: made.value.schedule };
    this.plan = planOf(image, slots, scenario, { ...made.value, peak_kw: (known.peak_W ?? 0) / 1000 });
    this.tell(made.value);
    this.deps.changed();
  }

  /** What there is to forecast from. */
  private async known(image: Image, fromMs: number, slots: number): Promise<PlanTask['known']> {
    const { series, gridMeter, place, roof } = this.deps;
    const { signals, site } = image;
    const asTold = image.devices.filter((d) => drawsAsTold(image, d)).map((d) => d.id);
    const roofs = image.devices.filter(isProducer);
    const producers = roofs.map((d) => d.id);
    const feedIn = roofs.some(isControllable) ? { feedIn: feedInLimit(image) } : {};
    const planned = image.devices.filter((d) => isPlanned(image, d));
    const heat = planned.flatMap(({ id, flexibility: { store } }) =>
      store?.kind === 'heat' ? [{ id, store }] : [],
    );
    const sources = { series, gridMeter, asTold, producers, ...feedIn, heat, timeZone: site.timeZone };
    const { outdoor, stores, ...past } = await pastOf(sources, fromMs);
    const outdoor_C = outdoorNow_C(image.devices);
    const supplied_C = supplied(signals, 'temperatureForecast', fromMs, slots);
    return {
      ...past,
      hasSun: producers.length > 0 || past.suns.length > 0,
      place,
      roof,
      base_W: houseLoad_W(image),
      // What a roof gives in all says little of what the house will leave of it, and that is all that is known of some.
      suppliedSun_W: producers.length > 0 ? supplied(signals, 'solarForecast', fromMs, slots) : [],
      heat: heat.length > 0 ? { outdoor, outdoor_C, supplied_C, stores } : null,
    };
  }

  /** What the plan before says from now on: a start for the solver, and never to be dearer than. */
  private shifted(slots: HouseSlots): LastPlan | null {
    if (!this.made || this.made.slots.fromMs >= slots.fromMs) return null;
    return {
      schedule: laterSchedule(this.made.schedule, this.made.slots, slots),
      ageSlots: slotsUntil(this.made.slots, slots.fromMs),
    };
  }

  private tell({ certificate, faults }: MadePlan): void {
    const { cost, bound, gap, source } = certificate;
    if (faults.length) this.say(faults[0]?.code ?? 'PLAN_INFEASIBLE', { faults, source });
    else this.say('PLANNED', { cost, bound, gap, source }, source);
  }

  private none(why: string): void {
    this.plan = null;
    this.made = null;
    this.say(why, { plan: null });
  }

  /** Once for as long as it stays so: flash wears. */
  private say(code: string, detail: Record<string, unknown>, state = ''): void {
    if (this.state === code + state) return;
    this.state = code + state;
    this.deps.journal.record({
      atMs: this.deps.clock.wallMs(),
      kind: 'system',
      subject: 'planner',
      code,
      detail,
    });
  }
}

const quarterOf = ({ wallMs }: Image): number => Math.floor(wallMs / QUARTER_MS);

const wishOf = ({ id, run }: DeviceImage): string =>
  run ? `${id}@${run.byMs}${run.doneMs === null ? '' : '!'}` : id;

/** What a plan depends on in steps: the quarter hour, the prices and limits, and which devices want something. */
function dueFor(image: Image): string {
  const quarter = image.wallTrusted ? quarterOf(image) : null;
  const curve = priceCurve(image.signals, 'importPrice', image.site.currency);
  const last = curve.at(-1);
  const wanting = image.devices.filter((d) => isPlanned(image, d)).map(wishOf);
  // One that is changed or withdrawn need not be the newest.
  const modified = image.signals.reduce((sum, s) => sum + s.modifiedMs + (s.cancelledMs ?? 0), 0);
  return [quarter, curve.length, last?.untilMs, last?.price, image.signals.length, modified, ...wanting].join(
    ' ',
  );
}
