/** B Meters Hydrodigit (BMT, also MAD): what follows 0Fh: battery voltage, leak date, backflow, the months' totals. */
import type { Reading } from '../../../domain/telegram.ts';
import { parse } from '../../mbus-parser/index.ts';
import type { ClearTelegram } from '../telegram.ts';
import { dated, dateText, type Profile, unsigned, volume } from './profile.ts';

const HAS_BACKFLOW = 0x04;
const HAS_MONTHS = 0x10;
const HAS_LEAK_DATE = 0x80;

/** Volts by the low nibble of the second byte; the steps are not even. */
const BATTERY_V = [3.7, 1.9, 2.1, 2.2, 2.3, 2.4, 2.5, 2.65, 2.8, 2.9, 3.05, 3.2, 3.35, 3.5, 3.7, 3.7];

const digits = (byte: number): number => (byte >> 4) * 10 + (byte & 15);

function months(bytes: Uint8Array, from: number): readonly Reading[] {
  const readings: Reading[] = [];
  for (let month = 1; month <= 12; month++) {
    const count = unsigned(bytes, from + 3 * (month - 1), 3);
    if (count === null) break;
    if (count !== 0xff_ffff) readings.push(volume(`month${month}`, count / 100));
  }
  return readings;
}

function decode({ payload }: ClearTelegram): readonly Reading[] {
  const rest = parse(payload).records.find((r) => r.function === 'mfct');
  if (!rest || rest.dataLength < 2) return [];
  const bytes = payload.subarray(rest.dataStart);
  const [flags = 0, battery = 0] = bytes;
  let at = 2;
  const readings: Reading[] = [
    { name: 'battery', quantity: 'voltage', value: BATTERY_V[battery & 15] ?? null, unit: 'V' },
  ];
  if (flags & HAS_LEAK_DATE) {
    const [year = 0, month = 0, day = 0] = bytes.subarray(at, at + 3);
    readings.push(...dated('leakDate', dateText(2000 + digits(year), digits(month), digits(day))));
    at += 3;
  }
  if (flags & HAS_BACKFLOW) {
    const backflow_l = unsigned(bytes, at, 4);
    if (backflow_l !== null) readings.push(volume('backflow', backflow_l / 1000));
    at += 4;
  }
  return flags & HAS_MONTHS ? [...readings, ...months(bytes, at)] : readings;
}

export const hydrodigit: Profile = {
  name: 'B Meters Hydrodigit',
  matches: ({ meter, content }) =>
    meter.manufacturer === 'BMT' && [0x13, 0x15, 0x17].includes(meter.version) && content === 'full',
  decode,
};
