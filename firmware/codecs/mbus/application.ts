/** The application layer of one telegram: clear payload in, telegram out. The same for cable and radio. */
import type { Fault } from '../../domain/errors.ts';
import type { Reading, Telegram } from '../../domain/telegram.ts';
import { type Parsed, type ParsedRecord, parse } from '../mbus-parser/index.ts';
import { expandProfile, isCompactProfile } from './compact-profile.ts';
import { historyOf } from './history.ts';
import { identityOf } from './identity.ts';
import { withObis } from './obis-code.ts';
import { namedReadings } from './profiles/index.ts';
import type { Product } from './profiles/profile.ts';
import { dataRecord, readingsOf, stopFault, timeOf } from './records.ts';
import { statusText } from './status.ts';

export interface Application {
  readonly telegram: Telegram;
  readonly parsed: Parsed;
  /** Why the records end early; those before are in the telegram. */
  readonly stopped: Fault | null;
}

/** What is known of a telegram before its records are read. */
export interface Source extends Omit<Product, 'records'> {
  /** Of the transport header, 0 without one. */
  readonly status: number;
}

export function readApplication(source: Source): Application {
  const { payload, meter } = source;
  const parsed = parse(payload);
  const { records } = parsed;
  const named = namedReadings({ ...source, records });
  const time = timeOf(records);
  const profiles = records
    .filter(isCompactProfile)
    .flatMap((record) => expandProfile(record, payload, records));
  const general = readingsOf(records, meter.mediumCode);
  const telegram: Telegram = {
    meter: identityOf(meter),
    ...(time === undefined ? {} : { time }),
    readings: [
      ...general,
      ...profiles,
      ...historyOf(records),
      ...transmissions(records),
      ...statusReading(source.status),
      ...withObis(named.ok ? named.value : [], general, meter.mediumCode),
    ],
    records: records.map((record, i) => dataRecord(record, i, payload)),
  };
  return { telegram, parsed, stopped: stopFault(parsed) };
}

/** What the meter says of itself, only when there is something to say. */
function statusReading(status: number): Reading[] {
  const text = statusText(status);
  return text === '' ? [] : [{ name: 'status', quantity: 'state', text }];
}

const ACCESS_NUMBER = 0xfd08;

/** The transmission count is unsigned (type C), unlike what its data field says to a reader that knows no VIF. */
function transmissions(records: readonly ParsedRecord[]): Reading[] {
  return records.flatMap(({ vif, kind, value, dataLength }) => {
    if (vif !== ACCESS_NUMBER || kind !== 'number') return [];
    const count = value < 0 ? value + 256 ** dataLength : value;
    return [{ name: 'transmissions', quantity: 'count', value: count }];
  });
}
