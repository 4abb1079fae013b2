/** The gateway as a service: what it tells the service manager, the log and a monitoring program, and how it ends. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Test, test } from 'tap';
import { benchHome } from '../scripts/bench-home.ts';
import { spawnGateway } from '../scripts/gateway-process.ts';

/** Node has no datagram sockets of the Unix kind; python, which node-gyp needs anyway, listens for it. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True: print(s.recv(4096).decode().replace("\\n", " "), flush=True)`;
/** Where there is no systemd: says the same to the same socket. */
const NOTIFY = `#!/usr/bin/env python3
import os, socket, sys
words = {"--ready": "READY=1"}
text = "\n".join(words.get(a, a.replace("--status=", "STATUS=")) for a in sys.argv[1:])
socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(text.encode(), os.environ["NOTIFY_SOCKET"])`;

function hasSystemd(): boolean {
  try {
    execFileSync('systemd-notify', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function serviceManager(t: Test) {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-notify-'));
  const socket = path.join(dir, 'notify');
  const listener = spawn('python3', ['-c', LISTENER, socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => {
    listener.kill();
    rmSync(dir, { recursive: true });
  });
  const told = lines(listener.stdout);
  await told.next(/listening/);
  if (!hasSystemd()) writeFileSync(path.join(dir, 'systemd-notify'), NOTIFY, { mode: 0o755 });
  const env = { NOTIFY_SOCKET: socket, WATCHDOG_USEC: '600000', PATH: `${dir}:${process.env.PATH}` };
  return { told, env };
}

/** The lines of a stream: those that came, and the next that fits. */
function lines(stream: NodeJS.ReadableStream | null) {
  const all: string[] = [];
  const waiting = new Set<() => void>();
  let rest = '';
  let isOver = false;
  stream?.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    all.push(...parts);
    for (const look of waiting) look();
  });
  stream?.on('end', () => {
    isOver = true;
    for (const look of waiting) look();
  });
  const next = (what: RegExp, from = 0): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = all.slice(from).find((line) => what.test(line));
        if (found === undefined && !isOver) return;
        waiting.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`it ended without ${what}; it said: ${all.slice(-5).join(' | ')}`));
      };
      waiting.add(look);
      look();
    });
  return { all, next };
}

const ended = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => child.once('exit', (code) => resolve(code)));

test('ready, alive, stopping; metrics for the token; lines of JSON in the log, none with a secret', async (t) => {
  const home = await benchHome({
    web: { host: '127.0.0.1', port: 0, metricsToken: { env: 'METRICS' } },
    log: { level: 'debug' },
  });
  t.teardown(() => home.close());
  const { told, env } = await serviceManager(t);
  const gateway = spawnGateway(home.configFile, ['ignore', 'pipe', 'pipe'], {
    ...process.env,
    ...env,
    METRICS: 'scrape-me',
  });
  t.teardown(() => gateway.kill('SIGKILL'));
  const [out, log] = [lines(gateway.stdout), lines(gateway.stderr)];
  const at = /http:\S+:\d+/.exec(await out.next(/the page is at/))?.[0] ?? '';
  await told.next(/READY=1/);
  await told.next(/WATCHDOG=1/);
  await told.next(/WATCHDOG=1/, told.all.length);
  t.pass('fed again and again');

  const written = home.nextWrite();
  await home.limitExport(1.2);
  await written;
  await log.next(/"code":"SUCCEEDED"/);
  const open = await fetch(`${at}/metrics`, { redirect: 'manual' });
  t.equal(open.status, 302, 'before the password is set there is nothing to see');
  const password = JSON.stringify({ password: 'correct horse' });
  const headers = { 'content-type': 'application/json', origin: at };
  await fetch(`${at}/api/v1/setup`, { method: 'POST', headers, body: password });
  t.equal((await fetch(`${at}/metrics`)).status, 401);
  const answer = await fetch(`${at}/metrics`, { headers: { authorization: 'Bearer scrape-me' } });
  t.equal(answer.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  const text = await answer.text();
  for (const line of text.trimEnd().split('\n'))
    t.match(line, /^(# (HELP|TYPE) hearth_\w+ .+|hearth_\w+(\{(\w+="[^"]*",?)+\})? -?[\d.e+-]+)$/);
  t.match(text, 'hearth_limit_watts{direction="export",scope="site",signal="');
  t.match(text, '} 1200\n');
  t.match(text, 'hearth_meter_up{meter="grid"} 1\n');
  t.match(text, 'hearth_store_on_disk 1\n');
  t.match(text, /^hearth_store_free_bytes \d+$/m);

  gateway.kill('SIGTERM');
  t.equal(await ended(gateway), 0);
  await told.next(/STOPPING=1/);
  t.ok(log.all.length > 3);
  for (const line of log.all) t.match(JSON.parse(line), { level: String, time: Number, code: /^\w+$/ });
  t.notMatch([...log.all, ...out.all, ...told.all].join(), /scrape-me|correct horse/);
});

test('where another holds the port of the page the house goes on without, and takes it when it is free', async (t) => {
  const thief = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => thief.once('listening', resolve));
  const address = thief.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const home = await benchHome({ web: { host: '127.0.0.1', port } });
  t.teardown(() => home.close());
  const gateway = spawnGateway(home.configFile, ['ignore', 'pipe', 'pipe']);
  t.teardown(() => gateway.kill('SIGKILL'));
  const [out, log] = [lines(gateway.stdout), lines(gateway.stderr)];
  await log.next(/"code":"LINK_REFUSED".*cannot listen/);
  const written = home.nextWrite();
  await home.limitExport(1.2);
  await written;
  t.same(out.all, [], 'a limit was obeyed without a page');
  thief.close();
  t.match(await out.next(/the page is at/), `:${port}`);
});

test('a wrong configuration, a secret that is missing: every mistake on stderr, and 1', async (t) => {
  const home = await benchHome({ web: { port: 'x', metricsToken: { env: 'NOT_THERE' } } });
  t.teardown(() => home.close());
  const wrong = spawnGateway(home.configFile, ['ignore', 'pipe', 'pipe']);
  const said = lines(wrong.stderr);
  t.equal(await ended(wrong), 1);
  t.match(said.all.join('\n'), /CONFIG_INVALID: \n {2}web\.port: expected number, got "x"/);
  const other = await benchHome({ web: { port: 0, metricsToken: { env: 'NOT_THERE' } } });
  t.teardown(() => other.close());
  const missing = spawnGateway(other.configFile, ['ignore', 'pipe', 'pipe']);
  const again = lines(missing.stderr);
  t.equal(await ended(missing), 1);
  t.match(again.all.join('\n'), /SECRET_MISSING: \n {2}web\.metricsToken: expected the variable NOT_THERE/);
});
