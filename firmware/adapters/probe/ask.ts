/** The other half of a probe: asks for a sign of life in each protocol, reading only, and ends each talk properly. */
import { toHex } from '../../codecs/bytes.ts';
import { clientAddress, serverAddress } from '../../codecs/hdlc/address.ts';
import { HdlcDecoder } from '../../codecs/hdlc/decoder.ts';
import { encodeHdlc } from '../../codecs/hdlc/frame.ts';
import { CONTROL } from '../../codecs/hdlc/link.ts';
import { decodeMbus } from '../../codecs/mbus/kind.ts';
import { ADDRESS, reqUd2, sndNke } from '../../codecs/mbus/requests.ts';
import type { Fault } from '../../domain/errors.ts';
import type { LineSettings } from '../../domain/link.ts';
import { type Clock, sleep } from '../../domain/time.ts';
import { Dialogue } from '../meters/dialogue.ts';
import { type Findings, visit } from '../meters/iec-reading.ts';
import { type Finding, line, type ProbePort } from './finding.ts';

export interface Asked {
  readonly finding: Finding | null;
  readonly diagnosis: Fault | null;
}

export interface Question {
  readonly text: string;
  readonly ask: (port: ProbePort, clock: Clock) => Promise<Asked>;
}

const NOBODY: Asked = { finding: null, diagnosis: null };

const signOnAt = (baudRate: number, wakeUp = false): Question => ({
  text: `IEC 62056-21 sign-on at ${baudRate} baud${wakeUp ? ', waking a battery meter' : ''}`,
  ask: (port, clock) => askIec(port, clock, baudRate, wakeUp),
});
const hdlcAt = (baudRate: number): Question => ({
  text: `DLMS over HDLC at ${baudRate} baud`,
  ask: (port, clock) => askHdlc(port, clock, line(baudRate)),
});
const mbusAt = (baudRate: number): Question => ({
  text: `M-Bus at ${baudRate} baud`,
  ask: (port, clock) => askMbus(port, clock, line(baudRate, '8E1')),
});

/** Most common first. A port whose speed is the far side's is asked once in each protocol. */
export const QUESTIONS: readonly Question[] = [
  signOnAt(300),
  hdlcAt(9600),
  mbusAt(2400),
  signOnAt(9600),
  signOnAt(2400),
  signOnAt(4800),
  signOnAt(19_200),
  hdlcAt(2400),
  hdlcAt(19_200),
  hdlcAt(115_200),
  mbusAt(300),
  mbusAt(9600),
  signOnAt(300, true),
];
export const QUESTIONS_FIXED: readonly Question[] = [
  signOnAt(300),
  hdlcAt(9600),
  mbusAt(2400),
  signOnAt(300, true),
];

async function askIec(port: ProbePort, clock: Clock, baudRate: number, wakeUp: boolean): Promise<Asked> {
  const wanted = { address: '', baudRate, wakeUp, timeZone: 'UTC', programming: null, attempts: 1 };
  const read = async (stay: boolean): Promise<Findings> => {
    const dialogue = await Dialogue.open(port.link(line(baudRate, '7E1')), clock);
    // Each way out of a readout ends it: the meter is free when it has sent its last byte, or nothing at all.
    return visit(dialogue, { ...wanted, stay }).finally(() => dialogue.close());
  };
  let findings = await read(false);
  const { identification } = findings;
  if (!identification) return { finding: null, diagnosis: heardSomething(findings.reason) };
  const remarks: string[] = [];
  if (findings.reason) {
    remarks.push(`the readout at ${identification.baudRate} baud failed: ${findings.reason.message}`);
    findings = await read(true);
    if (findings.telegram)
      remarks.push(
        'it offers a higher speed and keeps to the first one; the gateway finds that out by itself',
      );
  }
  if (identification.offersHdlc) remarks.push('it offers DLMS (mode E) too');
  if (findings.reason) remarks.push(`the readout failed: ${findings.reason.message}`);
  const id = findings.telegram?.meter?.id ?? identification.ident;
  return {
    finding: {
      speaks: `IEC 62056-21 mode ${identification.mode}`,
      meter: { id, manufacturer: identification.manufacturer },
      config: { protocol: 'iec62056-21', line: line(baudRate, '7E1'), needsKey: false },
      readings: findings.telegram?.readings.length ?? 0,
      remarks: [`identification ${identification.line}`, ...remarks],
    },
    diagnosis: null,
  };
}

/** Silence says nothing; an unreadable answer does. */
const heardSomething = (reason: Fault | null): Fault | null => (reason?.code === 'TIMEOUT' ? null : reason);

/** Logical device 1, by an address of one, two and four bytes; physical device 17 by its default (IEC 62056-46). */
const SERVERS = [
  ['1', serverAddress(1, null, 1), { addressBytes: 1, physicalDevice: null }],
  ['1/17', serverAddress(1, 17, 2), {}],
  ['1/17 in four bytes', serverAddress(1, 17, 4), { addressBytes: 4 }],
] as const;
const PUBLIC_CLIENT = 16;
const HDLC_ANSWER_MS = 1_000;

async function askHdlc(port: ProbePort, clock: Clock, settings: LineSettings): Promise<Asked> {
  const client = clientAddress(PUBLIC_CLIENT);
  for (const [name, server, differs] of SERVERS) {
    if (!server) continue;
    const frame = (control: number): Uint8Array =>
      encodeHdlc({
        destination: server,
        source: client,
        control,
        segmented: false,
        information: new Uint8Array(0),
      });
    const heard = await converse(
      port,
      settings,
      clock,
      [frame(CONTROL.snrm)],
      HDLC_ANSWER_MS,
      frame(CONTROL.disc),
    );
    const answer = framesIn(heard).find((f) => f.control === CONTROL.ua || f.control === CONTROL.dm);
    if (!answer) continue;
    const refuses = answer.control === CONTROL.dm ? ['it refuses the public client'] : [];
    const remarks = [
      `server address ${name} (${toHex(server)}), client ${PUBLIC_CLIENT}`,
      ...refuses,
      'client, mechanism and keys for its values are the grid operator’s to give',
    ];
    const dlms = { carrier: 'hdlc', client: PUBLIC_CLIENT, ...differs };
    const config = { protocol: 'dlms', line: settings, needsKey: false, dlms } as const;
    return {
      finding: { speaks: 'DLMS/COSEM over HDLC', meter: null, config, readings: 0, remarks },
      diagnosis: null,
    };
  }
  return NOBODY;
}

function framesIn(bytes: Uint8Array) {
  const decoder = new HdlcDecoder();
  return [...decoder.push(bytes), ...decoder.end()].flatMap((d) => (d.ok ? [d.frame] : []));
}

const MBUS_ANSWER_MS = 500;
/** A long frame of 261 bytes at 300 baud is ten seconds. */
const MBUS_DATA_CHARACTERS = 270;
const ACK = 0xe5;

async function askMbus(port: ProbePort, clock: Clock, settings: LineSettings): Promise<Asked> {
  const reset = sndNke(ADDRESS.test);
  const hello = await converse(port, settings, clock, [reset], MBUS_ANSWER_MS + 330_000 / settings.baudRate);
  const own = startsWith(hello, reset) ? hello.subarray(reset.length) : hello;
  if (!own.includes(ACK)) return NOBODY;
  const dataMs = MBUS_ANSWER_MS + (MBUS_DATA_CHARACTERS * 11_000) / settings.baudRate;
  const heard = await converse(
    port,
    settings,
    clock,
    [reqUd2(ADDRESS.test, true)],
    dataMs,
    sndNke(ADDRESS.test),
  );
  const { telegrams } = decodeMbus({ bytes: heard });
  const [first] = telegrams;
  const { baudRate } = settings;
  const more = { address: first?.meter?.id ?? '0', mbus: { baudRate } };
  return {
    finding: {
      speaks: `M-Bus at ${baudRate} baud`,
      meter: first?.meter ?? null,
      // Several at once are told apart by a search of the bus.
      config: first ? { protocol: 'mbus', line: settings, needsKey: false, ...more } : null,
      readings: first?.readings.length ?? 0,
      remarks: first ? [] : ['more than one meter answers: search by secondary address'],
    },
    diagnosis: null,
  };
}

const startsWith = (bytes: Uint8Array, head: Uint8Array): boolean =>
  head.every((byte, i) => bytes[i] === byte);

/** Sends and hears for so long; `last` ends the talk where anybody answered. */
async function converse(
  port: ProbePort,
  settings: LineSettings,
  clock: Clock,
  messages: readonly Uint8Array[],
  answerMs: number,
  last?: Uint8Array,
): Promise<Uint8Array> {
  const link = port.link(settings);
  const held: number[] = [];
  await link.open({
    bytes: (chunk) => void held.push(...chunk.subarray(0, 4096 - held.length)),
    gone: () => {},
  });
  try {
    for (const message of messages) {
      await link.write(message);
      await sleep(clock, answerMs);
    }
    if (last && held.length > 0) {
      await link.write(last);
      await sleep(clock, MBUS_ANSWER_MS);
    }
  } finally {
    await link.close().catch(() => {});
  }
  return Uint8Array.from(held);
}
