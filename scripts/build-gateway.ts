/**
 * Bundles the gateway (firmware/main.ts → firmware/dist/hearth.js): on a small board a bundle halves what the
 * program itself takes in memory and the time until it runs. With --if-stale only when a source is newer.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = path.resolve(import.meta.dirname, '..');
const FIRMWARE = path.join(ROOT, 'firmware');
const DIST = path.join(FIRMWARE, 'dist');
const BUNDLE = path.join(DIST, 'hearth.js');

/** Parts of libraries that this gateway never reaches; each throws by name if it ever does. */
const NEVER_USED = [
  'ws', // MQTT over WebSocket
  'socks', // MQTT through a proxy
  'worker-timers', // MQTT in a browser
  'node:http2', // fastify: the home network has no certificate
  'light-my-request', // fastify's own tests
  '@fastify/ajv-compiler', // JSON Schema on routes: zod checks them here
  '@fastify/fast-json-stringify-compiler',
  'serialport', // modbus-serial's own ports: it runs over the links of hal
];

const leaveOut: Plugin = {
  name: 'leave-out',
  setup(builder) {
    const names = new RegExp(`^(${NEVER_USED.join('|')})$`);
    builder.onResolve({ filter: names }, ({ path: name, importer }) =>
      importer.includes('node_modules') ? { path: name, namespace: 'left-out' } : undefined,
    );
    builder.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path: name }) => ({
      contents: `const gone = function () { throw new Error(${JSON.stringify(`${name} is not in the bundle`)}); };
        module.exports = new Proxy(gone, { get: (target, key) => (key in target ? target[key] : gone) });`,
    }));
  },
};

/** Files that a room reads beside itself (profiles, the page, the native parser) stay where they are. */
const ownFolders: Plugin = {
  name: 'own-folders',
  setup(builder) {
    builder.onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      if (!file.startsWith(FIRMWARE)) return undefined;
      const at = (target: string): string =>
        `(import.meta.dirname + ${JSON.stringify(`/${path.relative(DIST, target)}`)})`;
      const contents = readFileSync(file, 'utf8')
        .replaceAll('import.meta.dirname', at(path.dirname(file)))
        .replaceAll('import.meta.url', at(file));
      return { contents, loader: 'ts' };
    });
  },
};

function isStale(): boolean {
  if (!existsSync(BUNDLE)) return true;
  const built = statSync(BUNDLE).mtimeMs;
  const sources = readdirSync(FIRMWARE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs)$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
  return [...sources, path.join(ROOT, 'package-lock.json'), import.meta.filename].some(
    (file) => existsSync(file) && statSync(file).mtimeMs > built,
  );
}

async function buildGateway(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  await build({
    entryPoints: [
      { in: path.join(FIRMWARE, 'main.ts'), out: 'hearth' },
      { in: path.join(FIRMWARE, 'policy/solver/plan-worker.ts'), out: 'plan-worker' },
    ],
    define: { IN_BUNDLE: 'true' },
    outdir: DIST,
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Names stay: a trace in a bug report has to be readable.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'linked',
    // What loads a binary is found where npm put it.
    external: ['better-sqlite3', '@serialport/bindings-cpp', 'highs'],
    alias: { 'readable-stream': 'node:stream' },
    plugins: [leaveOut, ownFolders],
    banner: {
      js: "import { createRequire as hearthRequire } from 'node:module'; const require = hearthRequire(import.meta.url);",
    },
    logLevel: 'warning',
  });
}

if (!process.argv.includes('--if-stale') || isStale()) {
  await buildGateway();
  process.stderr.write('gateway built\n');
}
