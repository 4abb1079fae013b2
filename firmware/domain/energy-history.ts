/** What went through a register in each quarter hour: what a tariff by the hour is judged by. */
import type { SeriesStore } from './storage.ts';
import type { WallMs } from './time.ts';

const QUARTER_MS = 900_000;
/** How far back a reading is looked for from which the first slot counts. */
const LOOK_BACK_MS = 86_400_000;

/** One quarter hour of UTC, in which every zone's quarter hours are. */
export interface EnergySlot {
  readonly fromMs: WallMs;
  readonly untilMs: WallMs;
  /** Wh; null where no reading tells: before the first, after the last, or where the register fell (another meter). */
  readonly energy_Wh: number | null;
  /** Readings are missing here: the sum over the gap is measured, its even course is not. */
  readonly spread: boolean;
}

/** The points of one register: the total where the meter has one, else its tariffs. */
export function registersOf(points: readonly string[], source: string, quantity: string): string[] {
  const total = `${source}/${quantity}`;
  return points.includes(total)
    ? [total]
    : points.filter((p) => p.startsWith(`${total}/T`) && !p.includes('/C'));
}

/**
 * The whole quarter hours within [fromMs, untilMs), oldest first, without a gap; empty when the meter has no such
 * register. Of several tariffs the sum.
 * @param untilMs not after now: a quarter hour that runs is not whole
 */
export function energyHistory(
  series: Pick<SeriesStore, 'points' | 'read'>,
  source: string,
  quantity: 'activeEnergyImport' | 'activeEnergyExport' | 'activeEnergy',
  fromMs: WallMs,
  untilMs: WallMs,
): EnergySlot[] {
  const from = Math.ceil(fromMs / QUARTER_MS) * QUARTER_MS;
  const until = Math.floor(untilMs / QUARTER_MS) * QUARTER_MS;
  const [first, ...others] = registersOf(series.points(), source, quantity).map((point) =>
    slotsOf(series, point, from, until),
  );
  return others.reduce((sum, slots) => sum.map((slot, i) => added(slot, slots[i])), first ?? []);
}

function slotsOf(
  series: Pick<SeriesStore, 'read'>,
  point: string,
  fromMs: WallMs,
  untilMs: WallMs,
): EnergySlot[] {
  const rises = risesOf(series, point, fromMs, untilMs);
  const slots: EnergySlot[] = [];
  for (let at = fromMs; at < untilMs; at += QUARTER_MS)
    slots.push({ fromMs: at, untilMs: at + QUARTER_MS, ...(rises.get(at) ?? UNKNOWN) });
  return slots;
}

type Rise = Pick<EnergySlot, 'energy_Wh' | 'spread'>;
const UNKNOWN: Rise = { energy_Wh: null, spread: false };

/** By the start of the slot: from the last reading of the one before to the last of its own. */
function risesOf(
  series: Pick<SeriesStore, 'read'>,
  point: string,
  fromMs: WallMs,
  untilMs: WallMs,
): Map<WallMs, Rise> {
  const rises = new Map<WallMs, Rise>();
  let before: { readonly atMs: WallMs; readonly value: number } | null = null;
  for (const { atMs, value } of series.read(point, 'quarter', fromMs - LOOK_BACK_MS, untilMs)) {
    if (value === null) continue;
    if (before) {
      const count = (atMs - before.atMs) / QUARTER_MS;
      const rise = value - before.value;
      const energy_Wh = rise < 0 ? null : rise / count;
      for (let at = before.atMs + QUARTER_MS; at <= atMs; at += QUARTER_MS)
        rises.set(at, { energy_Wh, spread: count > 1 });
    }
    before = { atMs, value };
  }
  return rises;
}

function added(a: EnergySlot, b: EnergySlot | undefined): EnergySlot {
  const other = b?.energy_Wh ?? null;
  const energy_Wh = a.energy_Wh === null || other === null ? null : a.energy_Wh + other;
  return { ...a, energy_Wh, spread: a.spread || (b?.spread ?? false) };
}
