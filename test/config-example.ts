/** The configuration that the board shows, to be changed by tests, and what is then wrong with it by path. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { checkConfig } from '../firmware/config/check.ts';

export const example = path.resolve(import.meta.dirname, '../board/hearth.example.json');
export const exampleJson = () => JSON.parse(readFileSync(example, 'utf8'));

export function mistakesOf(json: unknown): Record<string, string> {
  const checked = checkConfig(json);
  return checked.ok ? {} : Object.fromEntries(checked.mistakes.map((m) => [m.path, m.message]));
}
