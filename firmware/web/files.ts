/** The built page, read once into memory: a handful of small files, so that nothing is looked up by a name from outside. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { HearthError } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';

export interface PageFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly gzip: Buffer | null;
  readonly etag: string;
  /** `gate`: reachable before anybody signed in (set-up and sign-in). `home`: only for the owner. */
  readonly access: 'gate' | 'home';
}

const DIST = path.resolve(import.meta.dirname, 'dist');

/** Address on the page → file in dist/. */
const FILES = [
  ['/setup', 'gate.html', 'text/html; charset=utf-8', 'gate'],
  ['/sign-in', 'gate.html', 'text/html; charset=utf-8', 'gate'],
  ['/gate.js', 'gate.js', 'text/javascript; charset=utf-8', 'gate'],
  ['/style.css', 'style.css', 'text/css; charset=utf-8', 'gate'],
  ['/icon.svg', 'icon.svg', 'image/svg+xml', 'gate'],
  ['/', 'home.html', 'text/html; charset=utf-8', 'home'],
  ['/home.js', 'home.js', 'text/javascript; charset=utf-8', 'home'],
] as const;

/** Empty when the page was not built: the API works all the same. */
export function readPage(dist = DIST): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const [address, name, type, access] of FILES) {
    const bytes = read(path.join(dist, name));
    if (bytes === null) continue;
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    files.set(address, { type, bytes, gzip: read(path.join(dist, `${name}.gz`)), etag, access });
  }
  return files;
}

function read(file: string): Buffer | null {
  if (!existsSync(file)) return null;
  if (statSync(file).size > LIMITS.pageFile_bytes) throw new HearthError('OVERSIZED', `${file} is too large`);
  return readFileSync(file);
}
