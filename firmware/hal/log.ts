/** Log lines as JSON on stderr, one event a line, for journald or a file; nothing of the household's detail below `debug`. */
import pino from 'pino';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Log {
  /** `code` is from the catalogue of errors or reasons; fields are plain data and never a secret. */
  write(level: LogLevel, code: string, fields: Readonly<Record<string, unknown>>): void;
}

/** Written at once: what was said last before a crash is what is wanted most. */
export function stderrLog(level: LogLevel): Log {
  const logger = pino(
    { level, base: null, formatters: { level: (label) => ({ level: label }) } },
    pino.destination({ dest: 2, sync: true }),
  );
  return {
    write: (at, code, fields) => logger[at]({ code, ...fields }),
  };
}
