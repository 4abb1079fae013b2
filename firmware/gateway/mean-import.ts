/** The mean import of the last quarter of an hour, on the clock that never jumps: what a reduction is measured against. */
import type { Known } from '../domain/image.ts';
import type { ElapsedMs } from '../domain/time.ts';

const WINDOW_MS = 900_000;
/** Steps of the window: one number each, whatever the meter's pace. */
const BINS = 90;
const BIN_MS = WINDOW_MS / BINS;
/** Known for less than this share of the window, the mean is not known. */
const ENOUGH = 0.5;

interface Bin {
  readonly index: number;
  energy_Wms: number;
  knownMs: number;
}

export class MeanImport {
  private bins: Bin[] = [];
  private lastMs: ElapsedMs | null = null;

  /** Called in every cycle with what the meter shows. A stale value counts as unknown. */
  take(net_W: Known, nowMs: ElapsedMs, staleAfterMs: number): void {
    const spanMs = Math.min(BIN_MS, nowMs - (this.lastMs ?? nowMs));
    this.lastMs = nowMs;
    if (net_W.value === null || net_W.ageMs > staleAfterMs || spanMs <= 0) return;
    const index = Math.floor(nowMs / BIN_MS);
    const last = this.bins.at(-1);
    const bin = last?.index === index ? last : { index, energy_Wms: 0, knownMs: 0 };
    if (bin !== last) this.bins = [...this.bins.filter((b) => b.index > index - BINS), bin];
    bin.energy_Wms += Math.max(0, net_W.value) * spanMs;
    bin.knownMs += spanMs;
  }

  /** In W; null when too little of the quarter hour is known. */
  value_W(nowMs: ElapsedMs): number | null {
    const from = Math.floor(nowMs / BIN_MS) - BINS;
    const bins = this.bins.filter((b) => b.index > from);
    const knownMs = bins.reduce((sum, b) => sum + b.knownMs, 0);
    if (knownMs < WINDOW_MS * ENOUGH) return null;
    return bins.reduce((sum, b) => sum + b.energy_Wms, 0) / knownMs;
  }
}
