/** IEC 62056-21: messages, blocks and machines; cut anywhere, any bit flipped, noise. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { fromHex } from '../../firmware/codecs/bytes.ts';
import type { Exchange, ExchangeEffect, ExchangeInput } from '../../firmware/codecs/exchange.ts';
import { cutBlock } from '../../firmware/codecs/iec62056-21/block.ts';
import { clockOf } from '../../firmware/codecs/iec62056-21/clock.ts';
import { ReadoutDecoder } from '../../firmware/codecs/iec62056-21/decoder.ts';
import {
  decodeReadout,
  programming,
  readIdentification,
  readLoadProfile,
  readReadout,
  receiveReadout,
  signOn,
} from '../../firmware/codecs/iec62056-21/index.ts';
import {
  acknowledgement,
  BREAK,
  command,
  request,
  wakeUp,
} from '../../firmware/codecs/iec62056-21/messages.ts';
import { readStamp, writeStamp } from '../../firmware/codecs/iec62056-21/stamp.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';

const ZONE = 'Europe/Berlin';
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const text = (b: Uint8Array): string => Buffer.from(b).toString('latin1');
const framed = (first: string, body: string): Uint8Array => {
  const covered = bytes(body);
  return Uint8Array.from([...bytes(first), ...covered, covered.reduce((x, b) => x ^ b, 0)]);
};
const OPTIONS = {
  address: '',
  baudRate: 300,
  wakeUp: false,
  canChangeSpeed: true,
  stay: false,
  want: 'readout',
  attempts: 1,
} as const;

/** Feeds pieces to a machine, and a time-out behind them while it still waits; what it sent on the way. */
function play<S>(exchange: Exchange<S>, pieces: readonly Uint8Array[]): { state: S; sent: string[] } {
  const sent: string[] = [];
  const note = (effects: readonly ExchangeEffect[]): void => {
    for (const effect of effects) if (effect.do === 'send') sent.push(text(effect.bytes));
  };
  let { state, effects } = exchange.start();
  note(effects);
  const inputs: ExchangeInput[] = [
    ...pieces.map((b) => ({ type: 'bytes' as const, bytes: b })),
    ...Array.from({ length: 12 }, () => ({ type: 'timeout' as const })),
  ];
  for (const input of inputs) {
    if (exchange.over(state)) break;
    ({ state, effects } = exchange.step(state, input));
    note(effects);
  }
  return { state, sent };
}

const READOUT = framed('\x02', '1.8.0(000219.251*kWh)\r\n1.8.0*01(000200.000*kWh)\r\n!\r\n\x03');
const signedOn = (line = '/HRT5METER') => {
  const { state } = play(signOn(OPTIONS), [bytes(`${line}\r\n`)]);
  if (state.name !== 'done') throw new Error(state.name);
  return state.result;
};

test('messages as the standard writes them', async (t) => {
  t.equal(text(request('')), '/?!\r\n');
  t.equal(text(request('0012345678')), '/?0012345678!\r\n');
  t.equal(text(request('1!\r\n/?2')), '/?12!\r\n', 'an address cannot smuggle a message');
  t.equal(text(acknowledgement('readout', 9600)), '\x06050\r\n');
  t.equal(text(acknowledgement('programming', 300)), '\x06001\r\n');
  t.equal(text(acknowledgement('hdlc', 19200)), '\x06262\r\n');
  t.equal(text(BREAK), '\x01B0\x03q');
  t.equal(text(command('R1', '1.8.0(1)')), '\x01R1\x021.8.0(1)\x03k');
  t.equal(wakeUp(300).length, 66, '2.2 s of NUL at 300 baud');
});

test('identifications', async (t) => {
  const of = (line: string) => {
    const read = readIdentification(line);
    return read.ok
      ? [read.value.mode, read.value.baudRate, read.value.offersHdlc, read.value.ident]
      : read.error.code;
  };
  t.same(of('/HRT5METER-1'), ['C', 9600, false, 'METER-1']);
  t.same(of('/HRt6\\2METER-1'), ['C', 19200, true, 'METER-1']);
  t.same(of('/HRTDMETER-1'), ['B', 4800, false, 'METER-1']);
  t.same(of('/HRT METER-1'), ['A', 300, false, 'METER-1']);
  t.equal(of('/HRT5THIS-IS-MUCH-TOO-LONG'), 'BAD_FRAME');
  t.equal(of('/H1T5METER'), 'BAD_FRAME');
});

test('a readout however it is cut, and never with a flipped bit', async (t) => {
  for (let at = 0; at <= READOUT.length; at++) {
    const { state } = play(receiveReadout(signedOn()), [READOUT.subarray(0, at), READOUT.subarray(at)]);
    if (state.name !== 'done') t.fail(`cut at ${at}: ${state.name}`);
  }
  for (let bit = 0; bit < READOUT.length * 8; bit++) {
    // The line carries seven bits; the eighth is the parity.
    if (bit % 8 === 7) continue;
    const bad = Uint8Array.from(READOUT);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { state } = play(receiveReadout(signedOn()), [bad]);
    if (state.name === 'done') t.fail(`bit ${bit} flipped and read`);
  }
  const again = play(receiveReadout(signedOn()), [READOUT.map((b, i) => (i === 9 ? b ^ 1 : b)), READOUT]);
  t.equal(again.state.name, 'done', 'asked for again with NAK');
  t.same(again.sent, ['\x15']);
});

test('a block that was cut takes nothing from the telegram behind it along', async (t) => {
  const whole = Buffer.concat([Buffer.from('/HRT5METER\r\n'), READOUT]);
  const modeD = Buffer.from('/ESY5Q3DA1004 V3.04\r\n\r\n1-0:1.8.0*255(00001.5*kWh)\r\n!\r\n');
  const read = (...parts: Uint8Array[]) =>
    [...new ReadoutDecoder({ parity: 'none' }).push(Buffer.concat(parts))].map((d) =>
      d.ok ? d.frame.identification : d.error.code,
    );
  t.same(read(whole.subarray(0, 40), whole), ['CUT_FRAME', '/HRT5METER']);
  t.same(read(whole.subarray(0, 40), READOUT), ['CUT_FRAME', null]);
  t.same(read(bytes('\x02 noise \r\n'), modeD, modeD), [
    'CUT_FRAME',
    '/ESY5Q3DA1004 V3.04',
    '/ESY5Q3DA1004 V3.04',
  ]);
});

test('blocks of programming mode however they are cut, and never with a flipped bit', async (t) => {
  const answer = framed('\x02', '1.8.0(000219.251*kWh)\x03');
  const parts = [framed('\x02', '1.8.0(0002\x04'), framed('\x02', '19.251*kWh)\x03')];
  const operand = framed('\x01', 'P0\x02(1234567)\x03');
  const reads = [{ name: 'R1', address: '1.8.0', argument: '' }] as const;
  const open = { password: null, reads, reactionMinMs: 200 };
  const dataOf = (pieces: readonly Uint8Array[]) => {
    const { state, sent } = play(programming(open), pieces);
    return { data: state.name === 'done' ? state.answers[0]?.data : null, sent };
  };
  t.equal(dataOf([operand, answer]).data, '1.8.0(000219.251*kWh)');
  t.same(dataOf([operand, ...parts]), {
    data: '1.8.0(000219.251*kWh)',
    sent: ['\x01R1\x021.8.0()\x03Z', '\x06', '\x01B0\x03q'],
  });
  for (let at = 0; at < answer.length; at++)
    t.equal(dataOf([operand, answer.subarray(0, at), answer.subarray(at)]).data, '1.8.0(000219.251*kWh)');
  for (let bit = 0; bit < answer.length * 8; bit++) {
    if (bit % 8 === 7) continue;
    const bad = Uint8Array.from(answer);
    bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const { data } = dataOf([operand, bad]);
    if (data) t.fail(`bit ${bit} flipped and read: ${data}`);
  }
});

test('programming mode ends with a break, whatever happens', async (t) => {
  const reads = [{ name: 'R1', address: '1.8.0', argument: '' }] as const;
  const guarded = { password: { kind: 'P1', text: 'secret' }, reads, reactionMinMs: 200 } as const;
  const operand = framed('\x01', 'P0\x02(1234567)\x03');
  for (const [name, pieces, code] of [
    ['silence', [], 'TIMEOUT'],
    ['refused', [operand, framed('\x01', 'B0\x03')], 'REFUSED'],
    ['wrong password', [operand, framed('\x02', '(ER01)\x03')], 'NOT_ALLOWED'],
    ['NAK for ever', [operand, ...Array.from({ length: 9 }, () => bytes('\x15'))], 'REFUSED'],
    ['noise', [operand, bytes('\x06'), new Uint8Array(300_000).fill(0x31)], 'OVERSIZED'],
  ] as const) {
    const { state, sent } = play(programming(guarded), pieces);
    t.equal(state.name === 'failed' && state.reason.code, code, name);
    t.equal(sent.at(-1), '\x01B0\x03q', `${name}: break`);
    t.ok(sent.length < 8, `${name}: bounded`);
    if (state.name === 'failed') t.notMatch(state.reason.message, /secret/, 'no password in a message');
  }
  const p2 = {
    password: { kind: 'P2', answer: (seed: string) => `<${seed}>` },
    reads,
    reactionMinMs: 200,
  } as const;
  t.ok(play(programming(p2), [operand]).sent[0]?.includes('P2\x02(<1234567>)'));
});

test('noise: no machine hangs, throws or makes something up', async (t) => {
  const random = seededRandom(7);
  let odd = 0;
  for (let run = 0; run < 20_000; run++) {
    const noise = random.bytes(1 + Math.floor(random.next() * 120));
    cutBlock(noise.map((b) => b & 0x7f));
    // A few look like an identification; no value comes of that.
    play(signOn(OPTIONS), [noise]);
    const { state } = play(receiveReadout(signedOn()), [noise]);
    // One check in 128 fits by chance; what it covers must still be data lines.
    if (state.name === 'done' && readReadout(state.frame).ok) odd += 1;
  }
  t.equal(odd, 0);
});

/** Work that grows with the square of the input is seen by its pieces: this many at once overflowed the stack. */
test('a flood of stray characters is taken in one go, and waits no longer for it', async (t) => {
  const reads = [{ name: 'R1', address: '1.8.0', argument: '' }] as const;
  const machine = programming({ password: null, reads, reactionMinMs: 200 });
  const operand = framed('\x01', 'P0\x02(1234567)\x03');
  const acks = new Uint8Array(65_536).fill(0x06);
  const { state } = machine.step(machine.start().state, { type: 'bytes', bytes: acks });
  t.equal(state.name, 'operand');
  const asked = machine.step(state, { type: 'bytes', bytes: Buffer.concat([acks, operand]) });
  t.equal(asked.state.name, 'reading', 'what stands behind them is heard');
  const noise = machine.step(asked.state, { type: 'bytes', bytes: new Uint8Array(200).fill(0x31) });
  t.same(noise.effects, [], 'noise gives no time');
  const again = machine.step(noise.state, { type: 'bytes', bytes: new Uint8Array(262_100).fill(0x31) });
  t.equal(again.state.name, 'reading', 'and is not kept');
});

test('an identification behind noise; a line that is all beginnings of one', async (t) => {
  const read = (input: string) => {
    const decoder = new ReadoutDecoder({ parity: 'none' });
    return [...decoder.push(bytes(input)), ...decoder.end()].map((d) =>
      d.ok ? d.frame.identification : d.error.code,
    );
  };
  const data = '\r\n1.8.0(1*kWh)\r\n!\r\n';
  t.same(read(`\x7f\x80/HRT5METER${data}`), ['/HRT5METER']);
  t.same(read(`/HRT5\\2METER-1${data}`), ['/HRT5\\2METER-1']);
  t.same(read(`/HRT5\\2\\3\\1234567890123456${data}`), ['/HRT5\\2\\3\\1234567890123456']);
  t.same(read(`/HRT512345678901234567${data}`), ['BAD_FRAME'], 'more than 16 characters');
  t.same(read(`/HRT5\\${data}`), ['/HRT5\\'], 'an escape without its character is part of the name');
  t.same(read(`${'/HRT5'.repeat(100)}\x01${data}`), [null], 'nothing stands at its end');
});

test('load profiles', async (t) => {
  const header = 'P.01(0260115121500)(00000000)(15)(2)(1.5)(kW)(1.8.0)(kWh)';
  const of = (body: string) => readLoadProfile(body, ZONE);
  const good = of(`${header}\r\n(0.100)(219.251)\r\n(0.200)(219.301)\r\n`);
  t.same(
    good.ok && good.value[0]?.rows.map((r) => [new Date(r.endMs).toISOString(), r.quality, ...r.values]),
    [
      ['2026-01-15T11:15:00.000Z', 'good', '0.100', '219.251'],
      ['2026-01-15T11:30:00.000Z', 'good', '0.200', '219.301'],
    ],
  );
  const gap = of(`${header}\r\n(0.100)(1)\r\n(0.1\r\n()(3)\r\n`);
  t.same(
    gap.ok && gap.value[0]?.rows.map((r) => [r.quality, ...r.values]),
    [
      ['good', '0.100', '1'],
      ['missing', null, null],
      ['good', null, '3'],
    ],
    'an unreadable row keeps its place',
  );
  for (const [body, code] of [
    ['(1)(2)', 'BAD_FRAME'],
    ['P.01(ERROR)', 'APPLICATION_ERROR'],
    ['P.01(0260115121500)(00)(15)(9)(1.5)(kW)', 'BAD_VALUE'],
    ['P.01(0261315121500)(00)(15)(1)(1.5)(kW)', 'BAD_VALUE'],
    ['P.01(0260115121500)(00)(0)(1)(1.5)(kW)', 'BAD_VALUE'],
    ['P.01(0260115', 'BAD_FRAME'],
  ] as const) {
    const read = of(body);
    t.equal(!read.ok && read.error.code, code, body);
  }
  const status = (bits: string) => {
    const read = of(`P.01(0260115121500)(${bits})(15)(1)(1.5)(kW)\r\n(1)\r\n(2)`);
    return read.ok && read.value[0]?.rows.map((r) => r.quality);
  };
  t.same(status('80'), ['doubtful', 'good'], 'a power failure spoils the period in which it was');
  t.same(status('02'), ['doubtful', 'doubtful'], 'an empty clock reserve all of them');
  t.same(status('01'), ['invalid', 'invalid']);
  t.same(status('08'), ['good', 'good'], 'a change of season none');
});

test('stamps and the meter’s clock', async (t) => {
  for (const digits of ['0260115121500', '1260715121500', '2260115121500', '260115121500', '2601151215']) {
    const stamp = readStamp(digits);
    t.ok(stamp, digits);
    if (stamp) t.equal(writeStamp(stamp), digits.length % 2 ? digits.slice(0, 11) : digits.slice(0, 10));
  }
  for (const bad of ['', '9260115121500', '261315121500', '260230121500', '26011512', '2601152515'])
    t.equal(readStamp(bad), null, bad);
  const at = (...readings: [string, string][]) => {
    const clock = clockOf(
      readings.map(([obis, value]) => ({ obis, text: value })),
      ZONE,
    );
    return clock && [new Date(clock.atMs).toISOString(), clock.season];
  };
  t.same(at(['0.9.1', '201455'], ['0.9.2', '260318']), ['2026-03-18T19:14:55.000Z', null]);
  t.same(at(['0.9.1', '20:14:55'], ['0.9.2', '26-03-18']), ['2026-03-18T19:14:55.000Z', null]);
  t.same(at(['1-0:0.9.1*255', '1201455'], ['1-0:0.9.2*255', '1260718']), [
    '2026-07-18T18:14:55.000Z',
    'summer',
  ]);
  t.same(at(['1-0:0.9.4*255', '1260718201455']), ['2026-07-18T18:14:55.000Z', 'summer']);
  t.equal(at(['0.9.1', '201455']), null, 'a time without a date is no clock');
});

const CORPUS = path.resolve(import.meta.dirname, '../../../shared/corpus/meter/iec62056-21-dialogue.jsonl');

test('recorded dialogues, where they are at hand', async (t) => {
  const cases = existsSync(CORPUS) ? readFileSync(CORPUS, 'utf8').trim().split('\n') : [];
  for (const line of cases) {
    const { id, raw_hex, expect, expected, dialogue, framing } = JSON.parse(line);
    const raw = fromHex(raw_hex) ?? new Uint8Array(0);
    if (framing === 'block-only') {
      const profile = readLoadProfile(text(raw), ZONE);
      t.same(profile.ok && profile.value[0]?.rows.map((r) => r.values), expected.rows, id);
    } else if (expected.type === 'command' || (expect === 'error' && raw[0] === 1)) {
      const cut = cutBlock(raw);
      const { block } = cut ?? {};
      if (expect === 'error') t.equal(block?.kind, 'damaged', id);
      else
        t.equal(block?.kind === 'command' && block.name, `${expected.command}${expected.command_type}`, id);
    } else if (raw[0] === 0x2f && raw[1] !== 0x3f) {
      const head = text(raw).split('\r\n')[0] ?? '';
      const read = readIdentification(head);
      t.equal(read.ok, expect === 'ok', id);
      if (read.ok) t.equal(read.value.manufacturer, expected.manufacturer ?? read.value.manufacturer, id);
      if (dialogue && expected.mode !== undefined && !expected.password_operand) {
        const { telegrams } = decodeReadout({ bytes: raw });
        t.ok((telegrams[0]?.readings.length ?? 0) >= (expected.value_count ?? 1), id);
      }
    }
  }
  t.ok(true, `${cases.length} recorded dialogues`);
});
