/** Walks the imports of firmware/ and holds them against the rules of the house. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';

const ROOT = path.resolve(import.meta.dirname, '../firmware');

/** Which rooms a room may import from, besides itself. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  codecs: ['domain'],
  hal: ['domain'],
  policy: ['domain'],
  signals: ['domain'],
  store: ['domain'],
  web: ['domain'],
  commissioning: ['domain'],
  adapters: ['domain', 'codecs', 'hal'],
  gateway: ['domain'],
  'gateway.ts': ['domain', 'policy', 'gateway'],
};
/** The composition root and the commands may import everything. */
const ROOTS = new Set(['main.ts', 'compose.ts', 'compose', 'config', 'node-guard.ts', 'commands']);
/** Rooms that compute and nothing else: no I/O module of Node. */
const PURE = new Set(['domain', 'codecs', 'policy']);
const PURE_ALLOWED = new Set(['node:crypto', 'node:buffer']);
/** The native parser's one door: it has to load a binary. Planner and solver run in processes of their own. */
const IO_EXCEPTIONS = new Set([
  'codecs/mbus-parser/index.ts',
  ...['process.ts', 'worker-process.ts', 'plan-process.ts', 'plan-worker.ts'].map(
    (x) => `policy/solver/${x}`,
  ),
]);
const CLOCKS =
  /\bDate\.now\b|\bnew Date\(\)|\bsetTimeout\b|\bsetInterval\b|\bMath\.random\b|\bperformance\.now\b|\brandomBytes\b|\bprocess\.hrtime\b/;

interface Source {
  readonly file: string;
  readonly room: string;
  readonly text: string;
  readonly imports: readonly string[];
}

const IMPORT = /(?:^|[\s;}])(?:import|export)\s(?:[^'";]*?\sfrom\s*)?'([^']+)'|import\(\s*'([^']+)'\s*\)/g;

function sources(dir = ROOT): Source[] {
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(dir, entry.name);
    if (['page', 'build', 'dist', 'node_modules'].includes(entry.name)) return [];
    if (entry.isDirectory()) return sources(full);
    if (!entry.name.endsWith('.ts')) return [];
    const file = path.relative(ROOT, full);
    const text = readFileSync(full, 'utf8');
    const imports = [...text.matchAll(IMPORT)].map((m) => m[1] ?? m[2] ?? '');
    return [{ file, room: file.split(path.sep)[0] ?? '', text, imports }];
  });
}

const all = sources();
const local = (source: Source): string[] =>
  source.imports.filter((i) => i.startsWith('.')).map((i) => path.join(path.dirname(source.file), i));

test('imports go only where the house allows', async (t) => {
  t.ok(all.length > 10, 'found the sources');
  for (const source of all) {
    if (ROOTS.has(source.room)) continue;
    const allowed = MAY_IMPORT[source.room];
    if (!allowed) {
      t.fail(`${source.file}: the house has no room ${source.room}`);
      continue;
    }
    for (const target of local(source)) {
      const room = target.split(path.sep)[0] ?? '';
      if (room !== source.room && !allowed.includes(room)) t.fail(`${source.file} imports ${target}`);
    }
  }
});

test('no cycles', async (t) => {
  const edges = new Map(all.map((s) => [s.file, local(s)]));
  const state = new Map<string, 'open' | 'done'>();
  const visit = (file: string, trail: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      t.fail(`cycle: ${[...trail.slice(trail.indexOf(file)), file].join(' → ')}`);
      return;
    }
    state.set(file, 'open');
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file, []);
  t.equal(state.size >= all.length, true);
});

test('time and chance are handed in', async (t) => {
  for (const { file, room, text } of all) {
    if (room === 'hal') continue;
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, '');
    const hit = CLOCKS.exec(code);
    if (hit) t.fail(`${file} uses ${hit[0]}`);
  }
  t.ok(all.some((s) => s.room === 'hal' || s.room === 'domain'));
});

test('rooms that only compute touch no I/O', async (t) => {
  for (const { file, room, imports } of all) {
    if (!PURE.has(room) || IO_EXCEPTIONS.has(file)) continue;
    for (const name of imports) {
      if (!name.startsWith('node:') || PURE_ALLOWED.has(name)) continue;
      t.fail(`${file} imports ${name}`);
    }
  }
  t.ok(all.length);
});
