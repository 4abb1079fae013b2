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
  const { payload, meter, sender, ci, accessNumber, key } = source;
  const parsed = parse(payload);
  const { records } = parsed;
  const named = namedReadings({ sender, meter, ci, accessNumber, payload, records, key });
  const time = timeOf(records);
  const readings = readingsOf(records, meter.mediumCode, payload);
  const others = named.ok ? withObis(named.value, readings, meter.mediumCode) : [];
  for (const record of records)
    if (isCompactProfile(record)) readings.push(...expandProfile(record, payload, records));
  readings.push(...historyOf(records), ...transmissions(records), ...statusReading(source.status), ...others);
  const telegram = {
    meter: identityOf(meter),
    readings,
    records: records.map((record, i) => dataRecord(record, i, payload)),
  };
  return {
    telegram: time === undefined ? telegram : { ...telegram, time },
    parsed,
    stopped: stopFault(parsed),
  };
}

/** What the meter says of itself, only when there is something to say. */
function statusReading(status: number): Reading[] {
  const text = statusText(status);
  return text === '' ? [] : [{ name: 'status', quantity: 'state', text }];
}

const ACCESS_NUMBER = 0xfd08;

/** The transmission count is unsigned (type C), unlike what its data field says to a reader that knows no VIF. */
function transmissions(records: readonly ParsedRecord[]): Reading[] {
  const record = records.find(({ vif, kind }) => vif === ACCESS_NUMBER && kind === 'number');
  if (!record) return [];
  const { value, dataLength } = record;
  const count = value < 0 ? value + 256 ** dataLength : value;
  return [{ name: 'transmissions', quantity: 'count', value: count }];
}
