/** The bytes of each make of receiver: cut, among noise, and as its manual shows them. */
import { test } from 'tap';
import { joined } from '../../firmware/codecs/bytes.ts';
import { RECEIVERS, type ReceiverName } from '../../firmware/codecs/wmbus/receivers/index.ts';
import type { ReceiverFrame } from '../../firmware/codecs/wmbus/receivers/receiver.ts';
import { plain } from '../twins/wireless-home.ts';
import { ReceiverTwin } from '../twins/wmbus-receiver.ts';
import { hex, KAMSTRUP } from '../twins/wmbus-telegram.ts';

test('however the bytes are cut, between noise, each telegram comes once', async (t) => {
  for (const name of Object.keys(RECEIVERS) as ReceiverName[]) {
    const twin = new ReceiverTwin(name, () => {});
    const telegrams = [1, 2, 3].map((n) => plain(KAMSTRUP, n));
    const noise = name === 'cul' || name === 'rtl-wmbus' ? Buffer.from('LOVF\r\nb12\r\n') : hex('00 17 03');
    const bytes = joined(...telegrams.flatMap((telegram) => [noise, twin.frame(telegram)]));
    for (const size of [1, 2, 3, 7, 31, 64, bytes.length]) {
      const decoder = RECEIVERS[name].decoder();
      const frames: ReceiverFrame[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        for (const d of decoder.push(bytes.subarray(at, at + size))) if (d.ok) frames.push(d.frame);
      }
      for (const d of decoder.end()) if (d.ok) frames.push(d.frame);
      t.equal(frames.filter((f) => f.kind === 'telegram').length, 3, `${name} in pieces of ${size}`);
    }
  }
});

test('seeded noise: no receiver crashes or hangs, and the telegram after it is read', async (t) => {
  let state = 7;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  for (const name of Object.keys(RECEIVERS) as ReceiverName[]) {
    const decoder = RECEIVERS[name].decoder();
    let results = 0;
    for (let run = 0; run < 400; run++) {
      const chunk = new Uint8Array(200).map(() => next());
      if (run % 3 === 0) chunk[0] = [0xa5, 0xff, 0x62, 0x44, 0x54][run % 5] ?? 0;
      for (const _ of decoder.push(chunk)) results += 1;
    }
    for (const _ of decoder.end()) results += 1;
    const after = new ReceiverTwin(name, () => {}).frame(plain(KAMSTRUP, 9));
    const good = [...decoder.push(Buffer.from('\r\n')), ...decoder.push(after), ...decoder.end()];
    t.ok(
      good.some((d) => d.ok && d.frame.kind === 'telegram'),
      `${name} reads the telegram after ${results}`,
    );
  }
});

test('an AMB8465 says whether the strength of the signal stands behind each telegram', async (t) => {
  const decoder = RECEIVERS.amb8465.decoder();
  const taken = (bytes: string) => [...decoder.push(hex(bytes))];
  taken('FF 8A 03 45 01 00 32');
  t.match(taken('ff0314442d2c785634120107 7a2a0000000c1378563412e4'), [
    { frame: { bytes: hex('14442d2c7856341201077a2a0000000c1378563412'), signal_dBm: null } },
  ]);
  taken('FF 8A 04 44 02 00 01 36');
  t.match(taken('ff0314442d2c785634120107 7a2a0000000c1378563412e4'), [{ frame: { signal_dBm: -65 } }]);
});
