/**
 * A file that only takes up room beside the database. On a disk that others have filled even deleting needs room, for
 * the log that makes it safe: the reserve is given up then, and taken again when there is plenty.
 */
import { appendFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { LIMITS } from '../domain/limits.ts';

const STEP_bytes = 128 * 1024;
/** Taken again only when it is a small part of what is free. */
const PLENTY = 4;

export class Reserve {
  private readonly file: string;

  constructor(database: string) {
    this.file = `${database}.reserve`;
  }

  get size_bytes(): number {
    return statSync(this.file, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Whether the disk has next to nothing left. */
  get isNeeded(): boolean {
    return this.free_bytes < LIMITS.storeReserve_bytes;
  }

  get isAffordable(): boolean {
    return this.free_bytes > PLENTY * LIMITS.storeReserve_bytes;
  }

  /** Throws when the folder is not there. */
  get free_bytes(): number {
    const { bavail, bsize } = statfsSync(path.dirname(this.file));
    return bavail * bsize;
  }

  giveUp(): void {
    rmSync(this.file, { force: true });
  }

  /** Takes some; true while there is more to take. */
  take(): boolean {
    if (!this.isAffordable || this.size_bytes >= LIMITS.storeReserve_bytes) return false;
    appendFileSync(this.file, Buffer.alloc(STEP_bytes));
    return true;
  }
}
