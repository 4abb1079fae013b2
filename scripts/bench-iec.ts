/**
 * A full readout of mode C, 300 → 9600 baud, on the real clock: total time against what the bytes and the standard's
 * reaction times (6.3.13) need at the least. Once on a line in memory, once on a pseudo terminal whose far end takes
 * the time that the characters would need.
 */
import '../firmware/node-guard.ts';
import { PolledMeter } from '../firmware/adapters/meters/polled-meter.ts';
import type { Link } from '../firmware/domain/link.ts';
import { systemClock } from '../firmware/hal/clock.ts';
import { realLink } from '../firmware/hal/links/open.ts';
import { simulatedSerial } from '../firmware/hal/simulated/serial-line.ts';
import { ptyCarrier } from '../test/twins/carriers.ts';
import { IecTwin, type IecWires } from '../test/twins/iec-meter.ts';

const RUNS = 3;
/** tr, twice the meter's and once the reader's. */
const REACTION_MS = 200;
const REACTIONS_MS = 3 * REACTION_MS;
const clock = systemClock();

interface Line {
  readonly link: Link;
  readonly wires: IecWires;
  onBytes(take: (bytes: Uint8Array, baudRate: number) => void): void;
  lineMs(): number;
  close(): Promise<void>;
}

function inMemory(): Line {
  const { link, twin } = simulatedSerial(clock, 'paced');
  return {
    link,
    wires: { send: (bytes, baudRate) => twin.write(bytes, baudRate) },
    onBytes: (take) => twin.onBytes(take),
    lineMs: () => twin.lineMs(),
    close: async () => {},
  };
}

/** The kernel carries bytes at once: both directions wait here for as long as the characters take. */
async function onPty(): Promise<Line> {
  const pty = await ptyCarrier();
  let lineMs = 0;
  const takes = (count: number, baudRate: number): number => (count * 10_000) / baudRate;
  return {
    link: realLink(
      { kind: 'serial', path: pty.path, baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 },
      clock,
    ),
    wires: {
      send(bytes, baudRate) {
        lineMs += takes(bytes.length, baudRate);
        const slice = Math.max(1, Math.floor(baudRate / 1000));
        for (let at = 0; at < bytes.length; at += slice) {
          const part = bytes.subarray(at, at + slice);
          setTimeout(() => pty.write(part), takes(at + part.length, baudRate));
        }
      },
    },
    onBytes: (take) =>
      pty.onBytes((bytes) => {
        const baudRate = pty.baudRate();
        lineMs += takes(bytes.length, baudRate);
        setTimeout(() => take(bytes, baudRate), takes(bytes.length, baudRate));
      }),
    lineMs: () => lineMs,
    close: () => pty.close(),
  };
}

async function readOut(line: Line): Promise<number> {
  const twin = new IecTwin(line.wires, { reactionMs: REACTION_MS });
  twin.lines = Array.from({ length: 120 }, (_, i) => `1-1:${i}.8.0*255(0${100_000 + i}.251*kWh)`);
  line.onBytes((bytes, baudRate) => twin.take(bytes, baudRate));
  const meter = new PolledMeter(
    { id: 'm', address: '', intervalMs: 3_600_000, timeZone: 'Europe/Berlin' },
    line.link,
    clock,
  );
  const startedMs = clock.elapsedMs();
  const tookMs = await new Promise<number>((resolve, reject) => {
    meter.open({
      measured: () => resolve(clock.elapsedMs() - startedMs),
      fault: (reason) => reject(new Error(reason.message)),
      flexibility: () => {},
      status: () => {},
      health: () => {},
    });
  });
  await meter.close();
  return tookMs;
}

for (const [name, open] of [
  ['line in memory', async () => inMemory()],
  ['pseudo terminal', onPty],
] as const) {
  const ratios: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const line = await open();
    const tookMs = await readOut(line);
    ratios.push(tookMs / (line.lineMs() + REACTIONS_MS));
    if (run === 0)
      console.log(
        `mode C readout 300→9600 baud, ${name}: ${tookMs.toFixed(0)} ms; the bytes need ${line.lineMs().toFixed(0)} ms, the reaction times ${REACTIONS_MS} ms`,
      );
    await line.close();
  }
  ratios.sort((a, b) => a - b);
  console.log(`mode C readout, ${name}: ratio ${ratios.map((r) => r.toFixed(3)).join(', ')} (aim ≤ 1.05)`);
}
