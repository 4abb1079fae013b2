/** One file each, numbered, forward only. One that has shipped is never changed; `user_version` says how many ran. */
import { seriesJournalSettings } from './001-series-journal-settings.ts';
import { tailAndSlots } from './002-tail-and-slots.ts';

export const MIGRATIONS: readonly string[] = [seriesJournalSettings, tailAndSlots];
