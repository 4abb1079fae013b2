import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'tap';
import { ownerReset } from '../firmware/commands/owner.ts';
import { systemClock } from '../firmware/hal/clock.ts';
import { openStore } from '../firmware/store/index.ts';

test('hearth owner reset: the password and the sessions go, all else stays', async (t) => {
  const dir = mkdtempSync(path.join(tmpdir(), 'hearth-owner-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  const file = path.join(dir, 'hearth.json');
  const site = { timeZone: 'Europe/Berlin', currency: 'EUR', fuse_A: 35, phases: 3 };
  writeFileSync(file, JSON.stringify({ site, store: { path: 'h.sqlite' }, meters: [], devices: [] }));
  const open = () => openStore(path.join(dir, 'h.sqlite'), { clock: systemClock(), timeZone: site.timeZone });
  const before = open();
  for (const name of ['web.password', 'web.sessions', 'instruction.next']) before.settings.set(name, '7');
  before.close();

  let said = '';
  ownerReset(file, {
    write: (text) => {
      said += text;
    },
  });
  t.match(said, /set a new one/);
  const after = open();
  t.teardown(() => after.close());
  t.equal(after.settings.get('web.password'), null);
  t.equal(after.settings.get('web.sessions'), null);
  t.equal(after.settings.get('instruction.next'), '7');
  t.match(after.journal.read({ limit: 5 }), [{ code: 'OWNER_RESET' }]);

  writeFileSync(file, '{}');
  t.throws(() => ownerReset(file, { write: () => {} }), { code: 'CONFIG_INVALID' });
});
