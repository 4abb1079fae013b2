/** The harmless half of a probe: hears what comes by itself, at every speed that ports push at. */
import { type Fault, HearthError } from '../../domain/errors.ts';
import type { LineSettings } from '../../domain/link.ts';
import type { Cancel, Clock } from '../../domain/time.ts';
import { DIAGNOSED_BYTES, diagnose } from '../diagnosis.ts';
import { type ControlLines, type Finding, line, nameOf, type ProbePort } from './finding.ts';
import { judge } from './heard.ts';

/** Most common first. SML and old P1 ports; new P1 ports; Nordic and Austrian ports; the rest. */
const PUSHED_AT: readonly LineSettings[] = [
  line(9600),
  line(115_200),
  line(2400, '8E1'),
  line(2400),
  line(9600, '8E1'),
  line(19_200),
  line(4800, '7E1'),
  line(300, '7E1'),
];

/** The slowest ports that are common send every ten seconds. */
const FIRST_MS = 11_000;
/** Bytes that come within this time belong together. */
const GAP_MS = 250;
/** So many bursts without a telegram are enough: the first one may have begun before we listened. */
const BURSTS = 4;
const LONGEST_MS = 15_000;

interface Listened {
  readonly finding: Finding | null;
  readonly diagnosis: Fault | null;
  /** False when not a single byte came. */
  readonly heard: boolean;
}

/**
 * Listens at the first speed; only when something comes that makes no sense there, at the others too: silence is
 * silence at every speed.
 */
export async function listen(
  port: ProbePort,
  clock: Clock,
  lines: ControlLines | undefined,
  tell: (text: string) => void,
  stop: AbortSignal,
): Promise<Listened> {
  let diagnosis: Fault | null = null;
  for (const settings of port.canChangeSpeed ? PUSHED_AT : PUSHED_AT.slice(0, 1)) {
    if (stop.aborted) break;
    tell(`listening${port.canChangeSpeed ? ` at ${nameOf(settings)}` : ''}`);
    const bytes = await hear(port, settings, lines, clock, stop);
    if (bytes.length === 0) {
      if (diagnosis === null) return { finding: null, diagnosis: null, heard: false };
      continue;
    }
    const { finding, faults } = judge(bytes, settings);
    if (finding) return { finding: withLines(finding, lines), diagnosis: null, heard: true };
    const here = diagnose(bytes, faults);
    if (diagnosis === null || diagnosis.code === 'WRONG_SPEED' || diagnosis.code === 'BAD_FRAME')
      diagnosis = here ?? diagnosis;
    // What can be told for sure is the same at every speed.
    if (here?.code === 'LINE_INVERTED' || here?.code === 'BAD_CHECKSUM') break;
  }
  return { finding: null, diagnosis, heard: true };
}

const withLines = (finding: Finding, lines: ControlLines | undefined): Finding =>
  finding.config && lines ? { ...finding, config: { ...finding.config, lines } } : finding;

/** What comes until it is a telegram, or clear that it will be none. */
async function hear(
  port: ProbePort,
  settings: LineSettings,
  lines: ControlLines | undefined,
  clock: Clock,
  stop: AbortSignal,
): Promise<Uint8Array> {
  const link = port.link(settings, lines);
  const held: number[] = [];
  let finish: (error?: Error) => void = () => {};
  const over = new Promise<void>((resolve, reject) => {
    finish = (error) => (error ? reject(error) : resolve());
  });
  over.catch(() => {});
  const ended = (): void => finish();
  stop.addEventListener('abort', ended);
  let cancelGap: Cancel = () => {};
  let bursts = 0;
  const cancelFirst = clock.after(FIRST_MS, () => held.length === 0 && finish());
  const cancelAll = clock.after(LONGEST_MS, () => finish());
  try {
    await link.open({
      bytes(chunk) {
        for (const byte of chunk) if (held.length < DIAGNOSED_BYTES) held.push(byte);
        if (held.length >= DIAGNOSED_BYTES) finish();
        cancelGap();
        cancelGap = clock.after(GAP_MS, () => {
          bursts += 1;
          if (bursts >= BURSTS || judge(Uint8Array.from(held), settings).finding) finish();
        });
      },
      gone: (reason) => finish(new HearthError(reason?.code ?? 'LINK_GONE', reason?.message)),
    });
    await over;
  } finally {
    for (const cancel of [cancelFirst, cancelAll, cancelGap]) cancel();
    stop.removeEventListener('abort', ended);
    await link.close().catch(() => {});
  }
  return Uint8Array.from(held);
}
