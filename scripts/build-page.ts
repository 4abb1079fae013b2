/**
 * Bundles the homeowner's page (firmware/web/page → firmware/web/dist): two scripts, one style sheet, each also
 * compressed, so that the board does not do it per visit. With --if-stale only when a source is newer.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '..');
const WEB = path.join(ROOT, 'firmware/web');
const PAGE = path.join(WEB, 'page');
const DIST = path.join(WEB, 'dist');
/** Written last: what is in dist/ is complete when it is there. */
const STAMP = path.join(DIST, 'gate.html');

/** The page shares a few files with the server, and its libraries come from the lock file. */
function isStale(): boolean {
  if (!existsSync(STAMP)) return true;
  const built = statSync(STAMP).mtimeMs;
  const sources = [PAGE, WEB, path.join(ROOT, 'firmware/domain')].flatMap((dir) =>
    readdirSync(dir, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(dir, entry.name)),
  );
  return [...sources, path.join(ROOT, 'package-lock.json'), import.meta.filename].some(
    (file) => existsSync(file) && statSync(file).mtimeMs > built,
  );
}

async function buildPage(): Promise<void> {
  mkdirSync(DIST, { recursive: true });
  await build({
    entryPoints: ['home.tsx', 'gate.tsx', 'style.css'].map((name) => path.join(PAGE, name)),
    outdir: DIST,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome100', 'firefox100', 'safari15.4'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    logLevel: 'warning',
  });
  for (const name of ['icon.svg', 'home.html', 'gate.html'])
    copyFileSync(path.join(PAGE, name), path.join(DIST, name));
  for (const name of ['home.js', 'gate.js', 'style.css']) {
    const file = path.join(DIST, name);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
  }
  copyFileSync(path.join(PAGE, 'gate.html'), STAMP);
}

if (!process.argv.includes('--if-stale') || isStale()) {
  await buildPage();
  process.stderr.write('page built\n');
}
