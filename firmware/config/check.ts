/** Every mistake in the configuration file, by path, with what was expected and what stood there: all at once. */
import { readFileSync, statSync } from 'node:fs';
import type * as z from 'zod';
import { loadProfiles } from '../adapters/profiles/load.ts';
import { LIMITS } from '../domain/limits.ts';
import { acrossRows } from './across.ts';
import { hintFor, keysAt } from './hint.ts';
import type { Mistake } from './mistake.ts';
import { type Config, configSchema } from './schema.ts';

export type Loaded =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Reads and checks a file; relative paths in it are relative to it. */
export function loadConfig(file: string): Loaded {
  try {
    const { size } = statSync(file);
    if (size > LIMITS.configFile_bytes)
      return wrong(file, `expected at most ${LIMITS.configFile_bytes} bytes, got ${size}`);
    return checkConfig(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    const message = error instanceof Error ? error.message : 'cannot be read';
    // The excerpt in the parser's message could hold anything.
    if (error instanceof SyntaxError)
      return wrong(file, `expected JSON: ${message.replace(/, ".*/s, '').replace(/\.\.\..*/s, '')}`);
    return wrong(file, message);
  }
}

const wrong = (path: string, message: string): Loaded => ({ ok: false, mistakes: [{ path, message }] });

export function checkConfig(json: unknown): Loaded {
  const parsed = configSchema.safeParse(json);
  const mistakes = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => mistakesOf(issue, json))),
    ...acrossRows(json, loadProfiles()),
  ];
  if (parsed.success && mistakes.length === 0) return { ok: true, config: parsed.data };
  return { ok: false, mistakes: oncePerPath(mistakes) };
}

/** The schema's word on a field comes first; a rule that stumbles over the same field adds nothing. */
function oncePerPath(mistakes: readonly Mistake[]): Mistake[] {
  return [...new Map(mistakes.toReversed().map((m) => [m.path, m])).values()].reverse();
}

function mistakesOf(issue: z.core.$ZodIssue, json: unknown): Mistake[] {
  const path = dotted(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(issue.path);
    return issue.keys.map((key) => {
      return { path: dotted([...issue.path, key]), message: `expected no such key; ${hintFor(key, known)}` };
    });
  }
  const expected = issue.message
    .replace(/^(Invalid input|Invalid option|Too small|Too big): /, '')
    .replace(/, received .*/, '');
  const value = issue.path.reduce<unknown>(
    (at, part) => (at as Record<PropertyKey, unknown> | null | undefined)?.[part],
    json,
  );
  if (value === undefined) return [{ path, message: `missing: ${expected}` }];
  return [{ path, message: `${expected}${gotOf(path, value)}` }];
}

/** A secret that was written into the file is not repeated. */
const SECRET = /(password|key|authKey|setupCode|token)(\.|$)/i;

function gotOf(path: string, value: unknown): string {
  if (SECRET.test(path)) return '';
  const text = JSON.stringify(value);
  return `, got ${text.length > 60 ? `${text.slice(0, 57)}…` : text}`;
}

const dotted = (parts: readonly PropertyKey[]): string =>
  parts.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : `${text}${text ? '.' : ''}${String(part)}`,
    '',
  ) || '(file)';
