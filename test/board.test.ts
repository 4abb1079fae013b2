/** What is installed on a board: the unit and the image, held against what was measured and against their own rules. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { validate } from 'dockerfile-utils';
import { test } from 'tap';
import { NODE_ENV, NODE_FLAGS } from '../scripts/gateway-process.ts';

const board = (file: string): string => readFileSync(path.resolve(import.meta.dirname, '..', file), 'utf8');

test('the unit and the image start the gateway with the flags that were measured', async (t) => {
  for (const flag of NODE_FLAGS) {
    t.match(board('board/systemd/hearth.service'), flag);
    t.match(board('Dockerfile.arm'), flag);
  }
  for (const [name, value] of Object.entries(NODE_ENV)) {
    t.match(board('board/systemd/hearth.service'), `Environment=${name}=${value}`);
    t.match(board('Dockerfile.arm'), `ENV ${name}=${value}`);
  }
});

test('the image has no mistake, names no secret, and copies what is there', async (t) => {
  const dockerfile = board('Dockerfile.arm');
  t.same(validate(dockerfile), []);
  t.notMatch(dockerfile, /password|token/i);
  for (const [, what] of dockerfile.matchAll(/^COPY ((?!--from)\S+)/gm))
    t.ok(existsSync(path.resolve(import.meta.dirname, '..', what ?? '')), `${what}`);
});

test('the unit: watched, unprivileged, restarted, its only writable folder the one of the example', async (t) => {
  const unit = board('board/systemd/hearth.service');
  for (const line of [
    'Type=notify',
    'NotifyAccess=all',
    'Restart=always',
    'NoNewPrivileges=yes',
    'User=hearth',
  ])
    t.match(unit, line);
  t.match(unit, /^WatchdogSec=\d+$/m);
  const writable = /^ReadWritePaths=(.+)$/m.exec(unit)?.[1] ?? '?';
  t.match(board('board/hearth.example.json'), `"path": "${writable}/`);
});
