/**
 * Whether a device has been seen to follow its last command. Until then nobody knows whether the grid meter's reading
 * holds its old draw or its new one.
 */
import type { ElapsedMs } from '../domain/time.ts';

/** A device that says nothing of what it draws for so long after a command holds the others up no longer. */
export const HEARD_WITHIN_MS = 30_000;

export class Settling {
  /** When the last command began, and when it ended as soon as it has. */
  private commandMs: ElapsedMs = -Infinity;
  private underWay = false;
  /** When it was first heard after that; null while it is awaited. */
  private settledMs: ElapsedMs | null = -Infinity;
  /** When the gateway started, until it is heard. */
  private resumedMs: ElapsedMs = -Infinity;

  /** The gateway starts. What the device does it was told before, and it has not been heard since. */
  resumed(nowMs: ElapsedMs): void {
    this.commandMs = nowMs;
    this.settledMs = null;
    this.resumedMs = nowMs;
  }

  /** Not for long after a start, heard or not. */
  isResuming(nowMs: ElapsedMs): boolean {
    return nowMs - this.resumedMs <= HEARD_WITHIN_MS;
  }

  begun(nowMs: ElapsedMs): void {
    this.commandMs = nowMs;
    this.underWay = true;
    this.settledMs = null;
  }

  /** `speaks`: the device says what it draws, and is waited for. */
  ended(nowMs: ElapsedMs, speaks: boolean): void {
    this.commandMs = nowMs;
    this.underWay = false;
    if (!speaks) this.settledMs = nowMs;
  }

  /** It said what it drew at `atMs`. What it said while the command was under way counts for nothing. */
  heard(atMs: ElapsedMs): void {
    this.resumedMs = -Infinity;
    if (!this.underWay && atMs >= this.commandMs) this.settledMs ??= atMs;
  }

  isSettled(): boolean {
    return this.settledMs !== null;
  }

  /** 0 while it is awaited. */
  sinceMs(nowMs: ElapsedMs): number {
    if (this.settledMs !== null) return nowMs - this.settledMs;
    const sinceMs = nowMs - this.commandMs;
    return sinceMs > HEARD_WITHIN_MS ? sinceMs : 0;
  }
}
