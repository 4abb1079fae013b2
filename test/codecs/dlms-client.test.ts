/** The pure machines of a DLMS dialogue against a meter's twin: bytes on both sides, no clock and no line. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'tap';
import { readAare, readException, refusalOf } from '../../firmware/codecs/dlms/association.ts';
import type { Security } from '../../firmware/codecs/dlms/cipher.ts';
import { stepClient, takesLists } from '../../firmware/codecs/dlms/client.ts';
import {
  type ClientEffect,
  type ClientInput,
  type ClientOptions,
  type ClientState,
  IDLE,
} from '../../firmware/codecs/dlms/client-state.ts';
import { concat, obisBytes, octets, scalerUnit, uint32, visible } from '../../firmware/codecs/dlms/encode.ts';
import { type Answer, type Asked, byEntry, readResponse } from '../../firmware/codecs/dlms/services.ts';
import { encodeWrapper, scanWrapper } from '../../firmware/codecs/dlms/wrapper.ts';
import { clientAddress, serverAddress } from '../../firmware/codecs/hdlc/address.ts';
import { HdlcDecoder } from '../../firmware/codecs/hdlc/decoder.ts';
import { scanHdlc } from '../../firmware/codecs/hdlc/frame.ts';
import { CLOSED_LINK, type LinkInput, type LinkOptions, stepLink } from '../../firmware/codecs/hdlc/link.ts';
import { encodeParameters, readParameters } from '../../firmware/codecs/hdlc/parameters.ts';
import { seededRandom } from '../../firmware/hal/simulated/random.ts';
import { DlmsTwin, type DlmsTwinOptions, type Objects } from '../twins/dlms-meter.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const KEY = hex('000102030405060708090A0B0C0D0E0F');
const AUTH_KEY = hex('D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF');
const CLIENT: Security = { systemTitle: hex('48524E0000000001'), key: KEY, authKey: AUTH_KEY, control: 0x30 };
const METER: Security = { ...CLIENT, systemTitle: hex('4D4D4D0000BC614E') };

const LONG = visible('x'.repeat(100)).length * 40;
const OBJECTS: Objects = new Map<string, () => Uint8Array | number>([
  ['1/0-0:42.0.0*255/2', () => octets(Buffer.from('MMM0000000000001'))],
  ['3/1-0:1.8.0*255/2', () => uint32(421_173)],
  ['3/1-0:1.8.0*255/3', () => scalerUnit(1, 30)],
  ['3/1-0:2.8.0*255/2', () => 3],
  [
    '7/1-0:99.1.0*255/2',
    () => concat(hex('0128'), ...Array.from({ length: 40 }, () => visible('x'.repeat(100)))),
  ],
]);
const asked = (classId: number, code: string, attribute: number, selection?: Uint8Array): Asked => ({
  classId,
  obis: obisBytes(code) ?? new Uint8Array(6),
  attribute,
  ...(selection && { selection }),
});
const NAME = asked(1, '0-0:42.0.0', 2);
const ENERGY = asked(3, '1-0:1.8.0', 2);
const PROFILE = asked(7, '1-0:99.1.0', 2);

const PLAIN: ClientOptions = {
  mechanism: 'none',
  password: null,
  security: null,
  challenge: hex('0102030405060708090a0b0c0d0e0f10'),
  answerMs: 1000,
  repeats: 0,
  lastCounter: () => -1,
};
const LINK: LinkOptions = {
  client: clientAddress(16),
  server: serverAddress(1, 17, 2) ?? new Uint8Array(0),
  propose: { maxInfoSend: 512, maxInfoReceive: 512, windowSend: 7, windowReceive: 7 },
  answerMs: 1000,
};

interface Talk {
  readonly answers: Answer[][];
  readonly drops: string[];
  readonly client: ClientState;
  readonly failure: string | null;
  readonly twin: DlmsTwin;
  readonly timeouts: number;
}

/** Associates, asks, releases. Whenever both sides are silent the link's time is over. */
function talk(
  twinOptions: Partial<DlmsTwinOptions>,
  client: Partial<ClientOptions>,
  questions: Asked[][],
  setUp = (_: DlmsTwin) => {},
  link: Partial<LinkOptions> = {},
): Talk {
  const options = { ...PLAIN, ...client };
  const linkOptions = { ...LINK, ...link };
  const carrier = twinOptions.carrier ?? 'hdlc';
  const toUs: Uint8Array[] = [];
  const twin = new DlmsTwin({ carrier, objects: OBJECTS, ...twinOptions }, (bytes) => void toUs.push(bytes));
  setUp(twin);
  const decoder = new HdlcDecoder();
  const answers: Answer[][] = [];
  const drops: string[] = [];
  let state = IDLE;
  let line = CLOSED_LINK;
  let timeouts = 0;
  const left = [...questions];
  const carry = (input: LinkInput): void => {
    const step = stepLink(line, input, linkOptions);
    line = step.state;
    for (const effect of step.effects) {
      if (effect.do === 'send') twin.take(effect.bytes);
      else if (effect.do === 'deliver') drive({ type: 'apdu', apdu: effect.apdu });
    }
  };
  const drive = (input: ClientInput): void => {
    const step = stepClient(state, input, options);
    state = step.state;
    for (const effect of step.effects) act(effect);
  };
  const act = (effect: ClientEffect): void => {
    if (effect.do === 'answers') answers.push([...effect.answers]);
    else if (effect.do === 'drop') drops.push(effect.reason.code);
    else if (effect.do === 'send' && carrier === 'hdlc') carry({ type: 'send', apdu: effect.apdu });
    else if (effect.do === 'send')
      twin.take(encodeWrapper({ source: 16, destination: 1, apdu: effect.apdu }));
  };
  const listen = (): void => {
    for (let bytes = toUs.shift(); bytes; bytes = toUs.shift()) {
      if (carrier === 'hdlc') {
        for (const decoded of decoder.push(bytes))
          if (decoded.ok) carry({ type: 'frame', frame: decoded.frame });
      } else {
        const scan = scanWrapper(bytes, 0, bytes.length, 0xffff);
        if (scan.found === 'whole') drive({ type: 'apdu', apdu: scan.value.apdu });
      }
    }
  };
  if (carrier === 'hdlc') carry({ type: 'connect' });
  else drive({ type: 'associate', counter: 1 });
  for (let turn = 0; turn < 5000; turn++) {
    listen();
    if (line.name === 'failed' || state.name === 'failed' || state.name === 'released') break;
    if (line.name === 'connected' && state.name === 'idle') drive({ type: 'associate', counter: 1 });
    else if (state.name === 'ready') {
      const next = left.shift();
      drive(next ? { type: 'get', asked: next } : { type: 'release' });
    } else if (toUs.length === 0) {
      timeouts++;
      if (carrier === 'hdlc' && (line.waiting || line.name === 'connecting')) carry({ type: 'timeout' });
      else drive({ type: 'timeout' });
    }
  }
  const failure = line.reason ?? state.reason;
  return {
    answers,
    drops,
    client: state,
    failure: failure && `${failure.code}: ${failure.message}`,
    twin,
    timeouts,
  };
}

const value = (answer: Answer | undefined): unknown =>
  answer?.ok ? ('value' in answer.data ? answer.data.value : answer.data.kind) : answer?.error;

const VARIANTS: readonly (readonly [string, Partial<DlmsTwinOptions>, Partial<ClientOptions>])[] = [
  ['without security', {}, {}],
  [
    'with a password',
    { mechanism: 'low', password: '00000001' },
    { mechanism: 'low', password: Buffer.from('00000001') },
  ],
  ['ciphered', { security: METER }, { security: CLIENT }],
  [
    'authenticated only',
    { security: { ...METER, control: 0x10 } },
    { security: { ...CLIENT, control: 0x10 } },
  ],
  ['with GMAC, ciphered', { mechanism: 'gmac', security: METER }, { mechanism: 'gmac', security: CLIENT }],
];

test('associations and questions over HDLC and wrapper', async (t) => {
  for (const carrier of ['hdlc', 'wrapper'] as const) {
    for (const [name, twin, client] of VARIANTS) {
      const {
        answers,
        failure,
        drops,
        client: state,
      } = talk({ ...twin, carrier }, client, [
        [NAME],
        [ENERGY],
        [asked(3, '1-0:2.8.0', 2)],
        [asked(1, '1-2:3.4.5', 2)],
        [ENERGY, asked(3, '1-0:2.8.0', 2), asked(3, '1-0:1.8.0', 3)],
        [PROFILE],
      ]);
      t.equal(failure, null, `${carrier} ${name}`);
      t.equal(state.name, 'released');
      t.ok(takesLists(state));
      t.same(drops, []);
      t.same(
        answers.map((list) => list.map(value)),
        [
          ['octets'],
          [421_173],
          ['read-write-denied'],
          ['object-undefined'],
          [421_173, 'read-write-denied', 'structure'],
          ['array'],
        ],
        `${carrier} ${name}`,
      );
    }
  }
});

test('long answers: data blocks, segments, windows, small frames', async (t) => {
  for (const maxPdu_bytes of [64, 300, 0xffff]) {
    for (const [maxInfo_bytes, window] of [
      [32, 1],
      [128, 3],
      [512, 7],
    ] as const) {
      const { answers, failure } = talk(
        { maxPdu_bytes, maxInfo_bytes, window, security: METER },
        { security: CLIENT },
        [[PROFILE], [ENERGY, PROFILE, NAME]],
      );
      t.equal(failure, null, `${maxPdu_bytes}, ${maxInfo_bytes} × ${window}`);
      t.same(
        answers.map((list) => list.map(value)),
        [['array'], [421_173, 'array', 'octets']],
      );
      const [first] = answers[0] ?? [];
      t.equal(first?.ok && first.data.kind === 'array' ? first.data.items.length : 0, 40);
    }
  }
  t.ok(LONG > 4000);
  const old = talk({ maxInfo_bytes: 2030 }, {}, [[PROFILE]], () => {}, { propose: null });
  t.equal(old.failure, null, 'an old meter to which nothing is proposed');
});

test('a bad line: lost, damaged, late and foreign frames, a meter that is not ready', async (t) => {
  for (const fault of ['losesAnswers', 'losesRequests', 'badFcs', 'foreignFrames', 'notReady'] as const) {
    const { answers, failure, timeouts } = talk(
      { maxInfo_bytes: 200, window: 2, maxPdu_bytes: 700 },
      {},
      [[ENERGY], [PROFILE], [NAME]],
      (twin) => twin.misbehaves.add(fault),
    );
    t.equal(failure, null, fault);
    t.same(
      answers.map((list) => list.map(value)),
      [[421_173], ['array'], ['octets']],
      fault,
    );
    if (fault !== 'foreignFrames' && fault !== 'notReady') t.ok(timeouts > 0, `${fault}: something was lost`);
  }
  t.match(talk({}, {}, [], (twin) => twin.misbehaves.add('silent')).failure, /^TIMEOUT: .* HDLC/);
  t.match(talk({ carrier: 'wrapper' }, {}, [], (twin) => twin.misbehaves.add('silent')).failure, /^TIMEOUT/);
  t.match(talk({}, {}, [], (twin) => twin.misbehaves.add('refuses')).failure, /^REFUSED: .*DM/);
});

test('a meter that lies: wrong tag, replay, clear text, another request, another block', async (t) => {
  const secure = { security: METER };
  const ours = { security: CLIENT };
  const drops: readonly (readonly [Parameters<DlmsTwin['misbehaves']['add']>[0], string])[] = [
    ['wrongTag', 'BAD_AUTHENTICATION'],
    ['replays', 'REPLAYED'],
    ['inClear', 'NOT_ENCRYPTED'],
    ['wrongInvokeId', 'WRONG_ANSWER'],
  ];
  for (const [lie, code] of drops) {
    const {
      answers,
      drops: dropped,
      failure,
    } = talk({ ...secure, carrier: 'wrapper' }, ours, [[ENERGY]], (twin) => twin.misbehaves.add(lie));
    t.same(dropped, [code], lie);
    t.same(answers, []);
    t.match(failure, /^TIMEOUT/, 'it is dropped without an answer');
  }
  const block = talk({ maxPdu_bytes: 500 }, {}, [[PROFILE]], (twin) => twin.misbehaves.add('wrongBlock'));
  t.match(block.failure, /^WRONG_ANSWER: .*block 3 instead of 2/);
  const proof = talk({ mechanism: 'gmac', ...secure }, { mechanism: 'gmac', ...ours }, [], (twin) =>
    twin.misbehaves.add('wrongProof'),
  );
  t.match(proof.failure, /^BAD_AUTHENTICATION: .*prove/);
});

test('refusals by name, and a counter that the meter knows better', async (t) => {
  const password = talk(
    { mechanism: 'low', password: 'a' },
    { mechanism: 'low', password: Buffer.from('b') },
    [],
  );
  t.match(password.failure, /^PASSWORD_WRONG: .*authentication failure/);
  const key = talk({ security: METER }, { security: { ...CLIENT, key: KEY.map((b) => b ^ 1) } }, []);
  t.match(key.failure, /^KEY_WRONG: .*deciphering failed/);
  const gmac = talk({ mechanism: 'gmac' }, { mechanism: 'gmac' }, []);
  t.match(gmac.failure, /^KEY_MISSING/);
  const suite = talk(
    { security: { ...METER, control: 0x31 } },
    { security: { ...CLIENT, control: 0x31 } },
    [],
  );
  t.match(suite.failure, /^KEY_WRONG|^UNSUPPORTED/, 'suite 1');
  const better = talk({ security: METER }, { security: CLIENT }, [[ENERGY]], (twin) =>
    twin.misbehaves.add('counterTooLow'),
  );
  t.equal(better.failure, null);
  t.ok(better.client.counter > 5000);
  t.same(
    better.answers.map((list) => list.map(value)),
    [[421_173]],
  );
});

test('requests as other implementations write them', async (t) => {
  const sent: string[] = [];
  let state: ClientState = { ...IDLE, name: 'ready' };
  const send = (input: ClientInput): void => {
    const step = stepClient(state, input, PLAIN);
    state = step.state;
    for (const e of step.effects) if (e.do === 'send') sent.push(Buffer.from(e.apdu).toString('hex'));
  };
  send({ type: 'associate', counter: 0 });
  send({
    type: 'apdu',
    apdu: hex('6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f0400001818020000 07'),
  });
  send({ type: 'get', asked: [asked(7, '1-0:99.1.0', 2, byEntry(1, 5))] });
  t.same(sent, [
    '601da109060760857405080101be10040e01000000065f1f0400001215ffff',
    'c001c100070100630100ff0201020204060000000106000000051200011200 00'.replace(' ', ''),
  ]);
  t.same(readParameters(hex('818012050180060180070400000001080400000001')), {
    maxInfoSend: 128,
    maxInfoReceive: 128,
    windowSend: 1,
    windowReceive: 1,
  });
  t.same(
    readParameters(
      encodeParameters({ maxInfoSend: 512, maxInfoReceive: 256, windowSend: 3, windowReceive: 7 }),
    ),
    {
      maxInfoSend: 512,
      maxInfoReceive: 256,
      windowSend: 3,
      windowReceive: 7,
    },
  );
  t.equal(readParameters(hex('81800405ff')), null);
  t.same(serverAddress(1, 17, 2), hex('0223'));
  t.same(serverAddress(1, 0x3fff, 4), hex('0002feff'));
  t.equal(serverAddress(200, 1, 2), null);
});

test('noise in an answer: no crash, no value that was not sent', async (t) => {
  const random = seededRandom(5).next;
  const good = concat(hex('c401c100'), uint32(77));
  for (let i = 0; i < 20_000; i++) {
    const mutant = Uint8Array.from(
      good.length > 4 && i % 2
        ? good
        : hex('61 29a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000181802000007'),
    );
    for (let k = 0; k < 3; k++) mutant[Math.floor(random() * mutant.length)] = Math.floor(random() * 256);
    readAare(mutant);
    readResponse(mutant);
    readException(mutant);
  }
  const secure = talk({ security: METER }, { security: CLIENT }, []);
  const ready: ClientState = {
    ...secure.client,
    name: 'asking',
    asking: { asked: [ENERGY], raw: hex(''), block: 1 },
  };
  for (let i = 0; i < 5000; i++) {
    const apdu = Uint8Array.from({ length: 40 }, () => Math.floor(random() * 256));
    apdu[0] = [0xcc, 0xdb, 0xc4, 0xd8][i % 4] ?? 0;
    const { effects } = stepClient(ready, { type: 'apdu', apdu }, { ...PLAIN, security: CLIENT });
    if (effects.some((e) => e.do === 'answers')) t.fail('a value out of noise');
  }
  t.equal(secure.failure, null);
});

const corpus = path.resolve(import.meta.dirname, '../../../shared/corpus/meter/dlms-dialogue.jsonl');
test('recorded dialogues of other implementations', async (t) => {
  if (!existsSync(corpus)) {
    t.equal(readResponse(hex('c401c10103')).ok, true, 'no corpus here');
    return;
  }
  interface Recorded {
    readonly id: string;
    readonly layer: string;
    readonly expected: Record<string, { readonly raw?: unknown; readonly error?: string }>;
    readonly dialogue: readonly { readonly dir: string; readonly hex: string; readonly purpose?: string }[];
  }
  const cases = readFileSync(corpus, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Recorded)
    .filter((c) => c.layer === 'dialogue');
  t.ok(cases.length > 0);
  for (const { id, dialogue, expected } of cases) {
    const heard = dialogue.filter((s) => s.dir === 'rx').map((s) => apduOf(hex(s.hex)));
    const raws = Object.values(expected);
    const values = heard.filter((a) => a?.[0] === 0xc4);
    t.equal(values.length, raws.length, id);
    for (const [i, apdu] of values.entries()) {
      const read = readResponse(apdu ?? new Uint8Array(0));
      if (!read.ok || read.value.kind !== 'answers') throw new Error(`${id}: not read`);
      const [answer] = read.value.answers;
      const want = raws[i];
      if (want?.error)
        t.match(
          want.error.toLowerCase(),
          answer?.ok === false ? answer.error.replace('read-write-', 'read-write ') : '?',
        );
      else if (typeof want?.raw === 'number') t.equal(value(answer), want.raw, id);
      else t.ok(answer?.ok, id);
    }
    const aare = heard.find((a) => a?.[0] === 0x61);
    const result = aare && readAare(aare);
    if (raws.length > 0) t.ok(result?.ok && refusalOf(result.value).ok, id);
    else t.notOk(result?.ok && refusalOf(result.value).ok, `${id} is refused`);
  }
});

function apduOf(line: Uint8Array): Uint8Array | null {
  const frame = scanHdlc(line, 0, line.length);
  if (frame.found === 'whole') return frame.value.information.slice(3);
  const wrapped = scanWrapper(line, 0, line.length, 0xffff);
  return wrapped.found === 'whole' ? wrapped.value.apdu : null;
}
