/** The application layer of one telegram: clear payload in, telegram out. The same for cable and radio. */
import type { Fault } from '../../domain/errors.ts';
import type { Telegram } from '../../domain/telegram.ts';
import { type Parsed, parse } from '../mbus-parser/index.ts';
import { expandProfile, isCompactProfile } from './compact-profile.ts';
import { type Address, identityOf } from './identity.ts';
import { dataRecord, readingsOf, stopFault, timeOf } from './records.ts';

export interface Application {
  readonly telegram: Telegram;
  readonly parsed: Parsed;
  /** Why the records end early; those before are in the telegram. */
  readonly stopped: Fault | null;
}

export function readApplication(address: Address, payload: Uint8Array): Application {
  const parsed = parse(payload);
  const { records } = parsed;
  const time = timeOf(records);
  const profiles = records
    .filter(isCompactProfile)
    .flatMap((record) => expandProfile(record, payload, records));
  const telegram: Telegram = {
    meter: identityOf(address),
    ...(time === undefined ? {} : { time }),
    readings: [...readingsOf(records, address.mediumCode), ...profiles],
    records: records.map((record, i) => dataRecord(record, i, payload)),
  };
  return { telegram, parsed, stopped: stopFault(parsed) };
}
