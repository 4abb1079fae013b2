/** The journal once more, as lines of the log: what an administrator reads without opening the page. */
import type { JournalEntry, JournalKind } from '../domain/storage.ts';
import type { Log, LogLevel } from '../hal/log.ts';

const LEVELS: Readonly<Record<JournalKind, LogLevel>> = {
  signal: 'info',
  rejected: 'warn',
  decision: 'debug',
  command: 'debug',
  guard: 'warn',
  override: 'info',
  config: 'info',
  system: 'info',
  fault: 'warn',
  limit: 'info',
};

export function logEntry(log: Log, { kind, subject, code, detail }: JournalEntry): void {
  // A meter or device that works again is good news, of the same kind as its failure.
  log.write(code === 'OK' ? 'info' : LEVELS[kind], code, {
    kind,
    ...(subject !== null && { subject }),
    detail,
  });
}
