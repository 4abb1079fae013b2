/**
 * What a device may draw while the grid meter has not seen it follow: all that it was told and that it said of late. One that
 * is told something new before it was ever seen would else hold up everybody else.
 */
import type { PowerRange } from '../domain/flexibility.ts';
import type { ElapsedMs } from '../domain/time.ts';
import { HEARD_WITHIN_MS } from './settling.ts';

/** What comes within so long of each other is kept as one. */
const TOGETHER_MS = 1_000;

export class MayDraw {
  /** Oldest first, at most one for each second in which a command counts. */
  private spans: { readonly fromMs: ElapsedMs; readonly powers_W: PowerRange }[] = [];

  /** A command while it was told, or drew, `before_W`. NaN is unknown. */
  told(nowMs: ElapsedMs, before_W: readonly number[], power_W: number): void {
    this.add(nowMs, [...before_W, power_W]);
  }

  /** It said what it draws. */
  said(nowMs: ElapsedMs, power_W: number): void {
    if (this.spans.length > 0) this.add(nowMs, [power_W]);
  }

  /** The meter was read after it had followed. */
  seen(): void {
    this.spans = [];
  }

  /** Null: nothing is unseen, or nobody can say what it draws. */
  powers_W(nowMs: ElapsedMs): PowerRange | null {
    const spans = this.spans.filter(({ fromMs }) => nowMs - fromMs <= HEARD_WITHIN_MS);
    if (spans.length === 0) return null;
    const min_W = Math.min(...spans.map((s) => s.powers_W.min_W));
    const max_W = Math.max(...spans.map((s) => s.powers_W.max_W));
    return Number.isFinite(max_W - min_W) ? { min_W, max_W } : null;
  }

  private add(nowMs: ElapsedMs, powers_W: readonly number[]): void {
    const last = this.spans.at(-1);
    const isTogether = last !== undefined && nowMs - last.fromMs < TOGETHER_MS;
    const all_W = isTogether ? [last.powers_W.min_W, last.powers_W.max_W, ...powers_W] : powers_W;
    const span = { min_W: Math.min(...all_W), max_W: Math.max(...all_W) };
    const before = this.spans.filter(({ fromMs }) => nowMs - fromMs <= HEARD_WITHIN_MS);
    this.spans = [
      ...(isTogether ? before.slice(0, -1) : before),
      { fromMs: isTogether ? last.fromMs : nowMs, powers_W: span },
    ];
  }
}
