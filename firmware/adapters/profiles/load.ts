/** Reads the folder of profiles; a new product is a new file and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { HearthError } from '../../domain/errors.ts';
import { type Profile, profileSchema } from './schema.ts';

/** All profiles by file name. Throws CONFIG_INVALID naming the file that is wrong. */
export function loadProfiles(dir: string = import.meta.dirname): ReadonlyMap<string, Profile> {
  const files = readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .sort();
  return new Map(
    files.map((name) => {
      const parsed = profileSchema.safeParse(JSON.parse(readFileSync(path.join(dir, name), 'utf8')));
      if (!parsed.success)
        throw new HearthError(
          'CONFIG_INVALID',
          `profile ${name}: ${parsed.error.issues[0]?.message ?? 'invalid'}`,
        );
      return [name.replace(/\.json$/, ''), parsed.data];
    }),
  );
}
