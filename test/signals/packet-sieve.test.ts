import fc from 'fast-check';
import { test } from 'tap';
import { LIMITS } from '../../firmware/domain/limits.ts';
import { PacketSieve, type Skipped } from '../../firmware/signals/packet-sieve.ts';

/** A PUBLISH as MQTT writes it (3.3), with a packet id where QoS asks for one. */
function publish(topic: string, payload: Uint8Array, qos: 0 | 1, version: 4 | 5): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(Buffer.byteLength(topic));
  const id = qos === 0 ? Buffer.alloc(0) : Buffer.of(0x12, 0x34);
  const properties = version === 5 ? Buffer.of(0) : Buffer.alloc(0);
  const body = Buffer.concat([head, Buffer.from(topic), id, properties, payload]);
  const size: number[] = [];
  for (let rest = body.length; size.length === 0 || rest > 0; rest >>= 7)
    size.push((rest & 0x7f) | (rest > 127 ? 0x80 : 0));
  return Buffer.concat([Buffer.of(0x30 | (qos << 1), ...size), body]);
}

function sifted(bytes: Buffer, cuts: readonly number[], version: 4 | 5) {
  const skipped: Skipped[] = [];
  const sieve = new PacketSieve(version, (packet) => skipped.push(packet));
  const out: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
    for (const part of sieve.push(bytes.subarray(from, cut))) out.push(Buffer.from(part));
    from = cut;
  }
  return { bytes: Buffer.concat(out), skipped };
}

for (const version of [4, 5] as const) {
  test(`version ${version}: what fits passes untouched, what does not loses its payload, however it is cut`, async (t) => {
    const small = publish('dso/a', Buffer.from('small'), 1, version);
    const huge = publish('dso/b', Buffer.alloc(LIMITS.mqttPacket_bytes + 1), 1, version);
    const more = publish('dso/c', Buffer.alloc(200), 0, version);
    const all = Buffer.concat([small, huge, more]);
    const wanted = Buffer.concat([small, publish('dso/b', Buffer.alloc(0), 1, version), more]);
    const border = [small.length, small.length + 1, small.length + 3, small.length + 8, small.length + 12];
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(all.length), fc.constantFrom(...border))), (cuts) => {
        const { bytes, skipped } = sifted(all, cuts, version);
        return bytes.equals(wanted) && skipped.length === 1 && skipped[0]?.topic === 'dso/b';
      }),
      { numRuns: 300, seed: 5 },
    );
    t.pass('300 ways to cut');
  });
}

test('what is no MQTT ends the connection', async (t) => {
  const throws = (bytes: number[]) =>
    t.throws(() => [...new PacketSieve(5, () => {}).push(Buffer.from(bytes))], RangeError);
  throws([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]);
  throws([0x20, 0xff, 0xff, 0xff, 0x7f]);
  throws([0x30, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff]);
});

test('random bytes never make it hold more than a header and a topic', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), (noise) => {
      const sieve = new PacketSieve(4, () => {});
      let passed = 0;
      try {
        for (const byte of noise) for (const part of sieve.push(Buffer.of(byte))) passed += part.length;
      } catch (error) {
        return error instanceof RangeError;
      }
      return passed <= noise.length;
    }),
    { numRuns: 500, seed: 6 },
  );
  t.pass('500 streams');
});
