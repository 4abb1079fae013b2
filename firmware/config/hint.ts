/** What a mistyped key may have meant. */
import * as z from 'zod';
import { configSchema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The keys that the schema knows at a place, over all alternatives that meet there. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  const root = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const places = path.reduce<readonly JsonSchema[]>(
    (at, part) => at.flatMap((schema) => below(schema, part)),
    alternatives(root),
  );
  return [...new Set(places.flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

function below(schema: JsonSchema, part: PropertyKey): JsonSchema[] {
  const next = typeof part === 'number' ? schema.items : schema.properties?.[String(part)];
  return next && typeof next === 'object' && !Array.isArray(next) ? alternatives(next as JsonSchema) : [];
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  const others = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  return [schema, ...others.flatMap((s) => (typeof s === 'object' ? alternatives(s as JsonSchema) : []))];
}

/** `did you mean "baudRate"?` */
export function hintFor(key: string, known: readonly string[]): string {
  if (known.includes(key)) return 'it belongs to another kind';
  const like = nearest(key, known);
  return like === null ? `known here: ${known.join(', ')}` : `did you mean "${like}"?`;
}

/** The name that differs by few strokes, upper and lower case alike; null when none comes near. */
function nearest(key: string, known: readonly string[]): string | null {
  const ranked = known
    .map((name) => ({ name, strokes: distance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.strokes - b.strokes);
  const [best] = ranked;
  return best && best.strokes <= Math.max(1, Math.floor(key.length / 3)) ? best.name : null;
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const kept = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(kept, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
