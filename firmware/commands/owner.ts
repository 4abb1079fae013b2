/** `hearth owner reset FILE`: who has the board in hand may set a new password; all that is stored stays. */
import path from 'node:path';
import { loadConfig } from '../config/check.ts';
import { HearthError } from '../domain/errors.ts';
import { systemClock } from '../hal/clock.ts';
import { openStore } from '../store/index.ts';
import { PASSWORD_SETTING } from '../web/password.ts';
import { SESSIONS_SETTING } from '../web/sessions.ts';

/** Stop the gateway first: it would not notice. Throws CONFIG_INVALID for a file that `config check` refuses. */
export function ownerReset(file: string, output: { write(text: string): unknown }): void {
  const loaded = loadConfig(file);
  if (!loaded.ok) throw new HearthError('CONFIG_INVALID', `see: hearth config check ${file}`);
  const { site, store } = loaded.config;
  const clock = systemClock();
  const storage = openStore(path.resolve(path.dirname(path.resolve(file)), store.path), {
    clock,
    timeZone: site.timeZone,
  });
  for (const name of [PASSWORD_SETTING, SESSIONS_SETTING]) storage.settings.remove(name);
  storage.journal.record({
    atMs: clock.wallMs(),
    kind: 'system',
    subject: null,
    code: 'OWNER_RESET',
    detail: { message: "the owner's password was removed at the board" },
  });
  storage.close();
  output.write('The password is gone: start the gateway and open the page to set a new one.\n');
}
