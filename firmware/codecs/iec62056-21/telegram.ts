/** From a readout frame to readings. */
import { ok, type Result, refuse } from '../../domain/errors.ts';
import type { Reading, Telegram } from '../../domain/telegram.ts';
import { addLine, type DataSet, readingOf } from './data-set.ts';
import type { ReadoutFrame } from './decoder.ts';

/**
 * Readings of the readout, codes and texts as transmitted. Under a BCC a line that cannot be read is left out;
 * without one it condemns the readout.
 */
export function readReadout(frame: ReadoutFrame): Result<Telegram> {
  const sets: DataSet[] = [];
  for (const raw of frame.text.split(/[\r\n]+/)) {
    const line = raw.includes('!') ? raw.replace(/\)[ \t]*!\s*$/, ')') : raw;
    // Some repeat the identification behind STX (Landis+Gyr E230).
    if (line.startsWith('/') || line.trim() === '!') continue;
    const bad = addLine(line, sets);
    if (bad && frame.bcc === 'absent') return { ok: false, error: bad };
  }
  const readings: Reading[] = [];
  for (const set of sets) {
    const reading = readingOf(set);
    if (reading.ok) readings.push(reading.value);
    else if (frame.bcc === 'absent') return reading;
  }
  if (readings.length === 0) return refuse('NO_TELEGRAM', 'the readout holds no data');
  return ok({ ...identity(frame, readings), readings });
}

/** Codes under which meters send their number, best first. */
const NUMBERS = /^(?:\d-\d:)?(?:C\.1\.0|96\.1\.0|96\.1\.255|0\.0\.0|0\.0|C\.1|9\.21)(?:\*255)?$/;

function identity(frame: ReadoutFrame, readings: readonly Reading[]): Pick<Telegram, 'meter'> {
  const number = readings
    .find((r) => r.obis !== undefined && NUMBERS.test(r.obis) && r.text?.trim())
    ?.text?.trim();
  const id = number ?? frame.identification?.slice(5);
  if (id === undefined) return {};
  return { meter: { id, ...(frame.identification && { manufacturer: frame.identification.slice(1, 4) }) } };
}
