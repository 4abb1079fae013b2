/** What a wired M-Bus master sends, whom it addresses, and one request with its answer. */
import { test } from 'tap';
import { joined } from '../../firmware/codecs/bytes.ts';
import {
  answerMs,
  type ExchangeInput,
  type ExchangeState,
  step as exchangeStep,
  type Line,
  newExchange,
  type Outcome,
  type Request,
} from '../../firmware/codecs/mbus/exchange.ts';
import {
  applicationReset,
  longFrame,
  reqUd2,
  select,
  setBaud,
  setPrimaryAddress,
  sndNke,
} from '../../firmware/codecs/mbus/requests.ts';
import {
  ANYBODY,
  maskText,
  parseMeterAddress,
  type SecondaryMask,
} from '../../firmware/codecs/mbus/secondary.ts';

const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();

// ---------- frames and addresses ----------

test('the frames of a master, byte for byte', async (t) => {
  t.equal(hexOf(sndNke(1)), '1040014116');
  t.equal(hexOf(reqUd2(5, true)), '107B058016');
  t.equal(hexOf(reqUd2(0xfd, false)), '105BFD5816');
  t.equal(hexOf(select(ANYBODY)), '680B0B6853FD52FFFFFFFFFFFFFFFF9A16');
  const one: SecondaryMask = { id: '12345678', manufacturer: 0x2c2d, version: 0x1b, medium: 4 };
  t.equal(hexOf(select(one)), '680B0B6853FD52785634122D2C1B042E16');
  t.equal(hexOf(applicationReset(254, null)), '6803036853FE50A116');
  t.equal(hexOf(applicationReset(254, 0x10)), '6804046853FE5010B116');
  t.equal(hexOf(setBaud(3, 9600)), '6803036853 03BD 1316'.replace(/\s/g, ''));
  t.equal(hexOf(setPrimaryAddress(0, 7)), '6806066853005101 7A 07 2616'.replace(/\s/g, ''));
});

test('addresses as people write them', async (t) => {
  t.same(parseMeterAddress('0'), { primary: 0 });
  t.same(parseMeterAddress('250'), { primary: 250 });
  t.equal(parseMeterAddress('251'), null);
  for (const text of ['12345678', '12345678-KAM-1b-04', '1234FFFF-*-1b', 'FFFFFFFF', '0123456E-LUG'])
    t.equal(text, maskTextOf(text), text);
  for (const text of [
    '',
    '1234567',
    '12345678-KA',
    '12345678-KAM-1',
    '1234567G',
    '-1',
    '12345678-KAM-1b-04-00',
  ])
    t.equal(parseMeterAddress(text), null, text);
});

function maskTextOf(text: string): string {
  const address = parseMeterAddress(text);
  return address && 'secondary' in address ? maskText(address.secondary) : '';
}

// ---------- one request and its answer ----------

const LINE: Line = { baudRate: 2400, latencyMs: 0, packets: false };
const ASK: Request = { bytes: reqUd2(5, true), expect: 'data', from: 5, attempts: 1 };
const ACKNOWLEDGE: Request = { bytes: sndNke(5), expect: 'ack', from: null, attempts: 1 };
const FRAME = longFrame(0x08, 5, 0x72, hex('78563412 2D2C1B04 01 00 0000 0C06 45230100'));

/** Feeds the chunks, then time-outs until it is over. */
function talk(request: Request, chunks: readonly Uint8Array[], line = LINE) {
  let state: ExchangeState = newExchange();
  let sent = 0;
  const give = (input: ExchangeInput): void => {
    const result = exchangeStep(state, input, request, line);
    state = result.state;
    sent += result.effects.filter((e) => e.do === 'send').length;
  };
  give({ type: 'start' });
  for (const bytes of chunks) give({ type: 'bytes', bytes });
  const early = state.name === 'done';
  for (let i = 0; i < 5 && state.name !== 'done'; i++) give({ type: 'timeout' });
  const outcome: Outcome = state.name === 'done' ? state.outcome : { kind: 'silent' };
  return { outcome, early, sent };
}

test('an answer is taken as soon as it is complete, and what is none is told apart', async (t) => {
  const cut = FRAME.subarray(0, 12);
  const bad = Uint8Array.from(FRAME, (byte, i) => (i === 20 ? byte ^ 4 : byte));
  const cases: [string, Request, Uint8Array, string, boolean][] = [
    ['acknowledged', ACKNOWLEDGE, hex('E5'), 'ack', true],
    ['after idle noise', ACKNOWLEDGE, hex('00FFE5'), 'ack', true],
    ['after its echo', ACKNOWLEDGE, joined(sndNke(5), hex('E5')), 'ack', true],
    ['after noise and its echo', ACKNOWLEDGE, joined(hex('FF'), sndNke(5), hex('E5')), 'ack', true],
    ['two at once', ACKNOWLEDGE, hex('E5E5'), 'garbled', false],
    ['a mix of several', ACKNOWLEDGE, hex('A1'), 'garbled', false],
    ['nobody', ACKNOWLEDGE, hex(''), 'silent', false],
    ['its echo alone', ACKNOWLEDGE, sndNke(5), 'silent', false],
    ['a part of its echo', ACKNOWLEDGE, sndNke(5).subarray(0, 3), 'silent', false],
    ['a late frame instead', ACKNOWLEDGE, FRAME, 'frame', true],
    ['data', ASK, FRAME, 'frame', true],
    ['data after noise', ASK, joined(hex('68 00 68 16 E5'), FRAME), 'frame', true],
    ['data after its echo', ASK, joined(reqUd2(5, true), FRAME), 'frame', true],
    ['data of another', { ...ASK, from: 6 }, FRAME, 'garbled', false],
    ['cut', ASK, cut, 'garbled', false],
    ['bad checksum', ASK, bad, 'garbled', false],
    ['nothing to say', ASK, hex('E5'), 'ack', false],
    ['a master talks', ASK, longFrame(0x53, 5, 0x51, hex('01')), 'garbled', false],
  ];
  for (const [name, request, bytes, kind, early] of cases) {
    const whole = talk(request, bytes.length > 0 ? [bytes] : []);
    t.same([whole.outcome.kind, whole.early], [kind, early], name);
    if (kind === 'garbled' && name.startsWith('two')) continue;
    const single = talk(
      request,
      [...bytes].map((byte) => Uint8Array.of(byte)),
    );
    t.equal(single.outcome.kind, kind, `${name}, byte by byte`);
  }
  t.match(talk(ASK, [bad]).outcome, { error: { code: 'BAD_CHECKSUM' } });
  t.match(talk(ASK, [cut]).outcome, { error: { code: 'CUT_FRAME' } });
  t.equal(talk({ ...ASK, attempts: 3 }, []).sent, 3, 'repeated, then given up');
  const babble = talk(
    ASK,
    Array.from({ length: 20 }, () => new Uint8Array(100).fill(0x55)),
  );
  t.match(babble, { early: true, outcome: { kind: 'garbled', error: { code: 'OVERSIZED' } } });
});

test('the times of the standard: 330 bit times + 50 ms after the request has left', async (t) => {
  t.equal(answerMs(ASK, { ...LINE, baudRate: 300 }), (5 * 11 * 1000) / 300 + 1100 + 50);
  t.equal(Math.round(answerMs(ASK, LINE)), 210);
  t.equal(Math.round(answerMs(ASK, { ...LINE, baudRate: 38_400, latencyMs: 10 })), 70);
  t.ok(answerMs(ASK, { ...LINE, packets: true }) > 1000, 'a converter that waits for the whole answer');
});
