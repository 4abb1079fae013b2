/** Trouble of the store in sentences for the owner; none when all is well. Pure. */
import { LIMITS } from '../domain/limits.ts';
import type { StorageHealth } from '../domain/storage.ts';
import { codeWords } from './sentences.ts';

const MB = 1_000_000;

export function storageNotices(health: StorageHealth): string[] {
  const { mode, code, lost, free_bytes } = health;
  const why = code === null ? '' : ` (${codeWords(code)})`;
  const notices: string[] = [];
  if (mode === 'memory')
    notices.push(
      `Nothing can be kept on the disk${why}: your home goes on and keeps its limits, but what is measured now is in memory only and is lost with a power cut.`,
    );
  else if (code !== null) notices.push(`The disk could not be written${why}; it is tried again.`);
  if (lost > 0)
    notices.push(
      `${lost.toLocaleString('en-GB')} ${lost === 1 ? 'value was' : 'values were'} lost since the gateway started: the history has gaps.`,
    );
  if (free_bytes !== null && free_bytes < LIMITS.storeScarce_bytes && code !== 'STORE_FULL')
    notices.push(`The disk is nearly full: ${Math.floor(free_bytes / MB)} MB are left.`);
  return notices;
}
