/** Every decoder under damaged input, in small; `scripts/noise.ts` does it a million times each. */
import { test } from 'tap';
import { drown, NOISY_KINDS } from '../twins/damage.ts';

test('cut, flipped, joined and drowned: nothing is made up, nothing hangs, the next one is found', async (t) => {
  for (const kind of NOISY_KINDS) {
    const { invented, lost, bytes } = await drown(kind, { inputs: 4000, seed: 3, checkEvery: 100 });
    t.ok(bytes > 100_000, `${kind.name}: was given something`);
    t.equal(lost, 0, `${kind.name}: lost`);
    if (kind.check !== 'none') t.equal(invented.flip, 0, `${kind.name}: flipped`);
    if (kind.check === 'crc') t.equal(invented.cut, 0, `${kind.name}: cut`);
    if (kind.check === 'crc') t.equal(invented.splice + invented.noise, 0, `${kind.name}: joined`);
  }
});
