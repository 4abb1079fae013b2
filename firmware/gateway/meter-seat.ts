/** A meter's seat in the cycle: its latest values with their age, its health and its faults by code. */
import type { Fault } from '../domain/errors.ts';
import type { Known, MeterView } from '../domain/image.ts';
import { LIMITS } from '../domain/limits.ts';
import { type Measurement, pointKey } from '../domain/measurement.ts';
import { METER_EVENT_ENDS, type MeterEvent } from '../domain/meter-event.ts';
import { QUANTITIES } from '../domain/quantity.ts';
import type { ResourceHealth } from '../domain/resource-manager.ts';
import type { Quality } from '../domain/telegram.ts';
import type { ElapsedMs } from '../domain/time.ts';

const UNKNOWN: Known = { value: null, ageMs: Infinity };
/**
 * Values that are shown and stored and that no limit stands on: of a doubtful one nobody knows its sign, its scale or its
 * sender, and a limit that stood on it would hold by luck.
 */
const UNTRUSTED: ReadonlySet<Quality> = new Set<Quality>(['invalid', 'doubtful']);

export class MeterSeat {
  readonly id: string;
  readonly name: string;
  readonly role: 'grid' | 'sub';
  health: ResourceHealth = 'connecting';
  private readonly latest = new Map<string, Measurement>();
  private readonly points = new Set<string>();
  private readonly faults = new Map<string, number>();
  private notes: readonly MeterEvent[] = [];

  constructor(id: string, name: string, role: 'grid' | 'sub') {
    this.id = id;
    this.name = name;
    this.role = role;
  }

  setHealth(health: ResourceHealth): void {
    this.health = health;
  }

  /** Gives those that were taken. */
  take(measurements: readonly Measurement[]): readonly Measurement[] {
    const taken = this.admitted(measurements);
    for (const m of taken) this.latest.set(pointKey(m.point), m);
    return taken;
  }

  /** Those whose point has a place: whoever sends in a meter's name could make up points without end. */
  admitted(measurements: readonly Measurement[]): readonly Measurement[] {
    return measurements.filter(({ point }) => {
      if (this.points.size < LIMITS.pointsPerMeter) this.points.add(pointKey(point));
      return this.points.has(pointKey(point));
    });
  }

  count(reason: Fault): void {
    this.faults.set(reason.code, (this.faults.get(reason.code) ?? 0) + 1);
  }

  /** An end takes what it ends away; a value kept at a due date is a reading, not a note. */
  note(event: MeterEvent): void {
    if (event.code === 'STORED_VALUE') return;
    const ended = METER_EVENT_ENDS[event.code];
    const flag = event.detail.flag;
    const isSame = (other: MeterEvent): boolean =>
      other.code === (ended ?? event.code) && other.detail.flag === flag;
    const others = this.notes.filter((other) => !isSame(other));
    this.notes = (ended ? others : [event, ...others]).slice(0, LIMITS.notesPerMeter);
  }

  /** Import − export; a meter that sends only a signed total is read as such. Unknown when any part is. */
  netPower(nowMs: ElapsedMs): Known {
    const total = this.known('activePower', nowMs);
    const plus = this.known('activePowerImport', nowMs);
    const minus = this.known('activePowerExport', nowMs);
    if (plus.ageMs === Infinity) return total;
    return minus.ageMs === Infinity ? plus : difference(plus, minus);
  }

  /** From the phase's power where the meter sends it, because a current has no sign; else the current as import. */
  phaseCurrent(phase: number, nowMs: ElapsedMs, nominal_V: number): Known {
    const plus = this.known(`activePowerImport/L${phase}`, nowMs);
    const minus = this.known(`activePowerExport/L${phase}`, nowMs);
    const net =
      plus.ageMs === Infinity
        ? this.known(`activePower/L${phase}`, nowMs)
        : minus.ageMs === Infinity
          ? plus
          : difference(plus, minus);
    if (net.value === null) return this.known(`current/L${phase}`, nowMs);
    const volts = this.known(`voltage/L${phase}`, nowMs).value ?? nominal_V;
    return { value: net.value / (volts > 0 ? volts : nominal_V), ageMs: net.ageMs };
  }

  view(): MeterView {
    const values = [...this.latest].map(([point, m]) => ({
      point,
      value: m.value,
      unit: QUANTITIES[m.point.quantity].unit,
    }));
    const lastMs = [...this.latest.values()].reduce<number | null>(
      (t, m) => Math.max(t ?? 0, m.receivedMs),
      null,
    );
    return {
      id: this.id,
      name: this.name,
      health: this.health,
      lastMs,
      values,
      faults: Object.fromEntries(this.faults),
      ...(this.notes.length > 0 && { notes: this.notes }),
    };
  }

  private known(quantity: string, nowMs: ElapsedMs): Known {
    const m = this.latest.get(`${this.id}/${quantity}`);
    if (!m) return UNKNOWN;
    return { value: UNTRUSTED.has(m.quality) ? null : m.value, ageMs: nowMs - m.receivedElapsedMs };
  }
}

function difference(plus: Known, minus: Known): Known {
  const ageMs = Math.max(plus.ageMs, minus.ageMs);
  if (plus.value === null || minus.value === null) return { value: null, ageMs };
  return { value: plus.value - minus.value, ageMs };
}
