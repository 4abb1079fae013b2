/** Maddalena microClima: its storages are the ends of months counted back from the due date, without saying so. */
import { datedHistory } from '../../mbus/history.ts';
import { parse } from '../../mbus-parser/index.ts';
import type { Profile } from './profile.ts';

export const microclima: Profile = {
  name: 'Maddalena microClima',
  matches: ({ meter, content }) =>
    meter.manufacturer === 'MAD' && meter.version === 0 && meter.mediumCode === 4 && content === 'full',
  decode: ({ payload }) => datedHistory(parse(payload).records, 1, 1),
};
