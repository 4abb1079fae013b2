/** `hearth config check FILE`: every mistake by path, all at once. */
import path from 'node:path';
import { loadConfig } from '../config/check.ts';
import type { Mistake } from '../config/mistake.ts';
import { readSecrets } from '../config/secrets.ts';

/** Exit code 0 when the file is right and its secrets are there, 1 when not. */
export function configCheck(
  file: string,
  output: { write(text: string): unknown },
  env: NodeJS.ProcessEnv,
): number {
  const loaded = loadConfig(file);
  const mistakes = loaded.ok ? secretMistakes() : loaded.mistakes;
  for (const mistake of mistakes) output.write(`${mistake.path}: ${mistake.message}\n`);
  if (!loaded.ok || mistakes.length > 0) return 1;
  const { meters, devices } = loaded.config;
  output.write(`${file}: ok, ${meters.length} meter(s), ${devices.length} device(s)\n`);
  return 0;

  function secretMistakes(): readonly Mistake[] {
    if (!loaded.ok) return [];
    const read = readSecrets(loaded.config, path.dirname(path.resolve(file)), env);
    return read.ok ? [] : read.mistakes;
  }
}
