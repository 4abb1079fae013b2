/** `hearth decode` over published captures of meters, where they lie beside this checkout, by the scorer that lies there too. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';

const SHARED = path.resolve(import.meta.dirname, '../../../shared');
const SCORER = path.join(SHARED, 'tools/score-decode.mjs');
const CORPUS = path.join(SHARED, 'corpus/meter');
const MAIN = path.resolve(import.meta.dirname, '../../firmware/main.ts');

/** Which captures are not read as their publishers read them, in words; empty when all are, or where there are none. */
export function misread(kinds: string): string {
  if (!existsSync(SCORER) || !existsSync(CORPUS)) return '';
  const args = [
    SCORER,
    CORPUS,
    '--only',
    kinds,
    '--tolerance',
    '1e-9',
    '--',
    process.execPath,
    MAIN,
    'decode',
  ];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
  return status === 0 ? '' : `${stdout}${stderr}` || 'the scorer did not end';
}
