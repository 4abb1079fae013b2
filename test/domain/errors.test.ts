/** The catalogue of codes, the firmware that uses it and the page for the installer say the same. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { ERRORS } from '../../firmware/domain/errors.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const sources = readdirSync(path.join(ROOT, 'firmware'), { recursive: true, withFileTypes: true })
  .filter(
    (entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes('node_modules'),
  )
  .map((entry) => path.join(entry.parentPath, entry.name))
  .filter((file) => !file.endsWith('domain/errors.ts'))
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');

test('every code is one that something answers with', async (t) => {
  for (const code of Object.keys(ERRORS)) t.match(sources, new RegExp(`\\b${code}\\b`), code);
});

test('every code is explained to the installer, with what to do, and none that is not there', async (t) => {
  const rows = readFileSync(path.join(ROOT, 'board/codes.md'), 'utf8').matchAll(
    /^\| ([A-Z_0-9]+) \| (.+) \| (.+) \|$/gm,
  );
  const explained = new Map([...rows].map(([, code, meaning, advice]) => [code, { meaning, advice }]));
  t.same([...explained.keys()].sort(), Object.keys(ERRORS).sort());
  for (const [code, meaning] of Object.entries(ERRORS)) {
    t.equal(explained.get(code)?.meaning, meaning);
    t.ok((explained.get(code)?.advice ?? '').length > 5, code);
  }
});
