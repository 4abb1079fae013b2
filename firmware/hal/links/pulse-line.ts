/**
 * A pulse output on a serial port: on a control line (DCD, CTS, DSR), which is sampled because Node has no way to wait
 * for it, or on the receive line, where each pulse arrives as a broken character. A byte (LEVEL) for each change.
 */
import { SerialPort } from 'serialport';
import { fault, HearthError } from '../../domain/errors.ts';
import { LEVEL, type Link, type LinkEvents } from '../../domain/link.ts';
import { type Cancel, type Clock, every } from '../../domain/time.ts';
import { within } from './deadline.ts';
import { defined, refusal, type SerialSpec, serialLink } from './serial.ts';

export interface PulseLineSpec {
  readonly kind: 'pulse-line';
  readonly path: string;
  readonly signal: 'dcd' | 'cts' | 'dsr' | 'rxd';
  readonly activeLow: boolean;
  /** Lines that feed the circuit, while the port is open. */
  readonly lines?: SerialSpec['lines'];
}

/** An S0 pulse lasts 30 ms at the least, and so does the pause (EN 62053-31): three samples in each. */
const SAMPLE_MS = 8;
const STATUS_MS = 1_000;
/** Characters of one pulse follow each other within this time at 300 baud. */
const RXD_PULSE_MS = 40;
const LINE = { baudRate: 300, dataBits: 8, parity: 'none', stopBits: 1 } as const;

type Port = Pick<SerialPort, 'isOpen' | 'open' | 'close' | 'set' | 'get' | 'on' | 'resume'>;
type PortKind = new (options: ConstructorParameters<typeof SerialPort>[0]) => Port;

export function pulseLine(spec: PulseLineSpec, clock: Clock, Kind: PortKind = SerialPort): Link {
  return spec.signal === 'rxd' ? receiveLine(spec, clock) : controlLine(spec, spec.signal, clock, Kind);
}

function controlLine(spec: PulseLineSpec, signal: 'dcd' | 'cts' | 'dsr', clock: Clock, Kind: PortKind): Link {
  const name = `${spec.path}:${signal}`;
  let current: { readonly port: Port; readonly stop: Cancel; readonly events: LinkEvents } | null = null;
  const leave = async (reason: Parameters<LinkEvents['gone']>[0]): Promise<void> => {
    const was = current;
    current = null;
    if (!was) return;
    was.stop();
    if (was.port.isOpen) await within(clock, STATUS_MS, name, (done) => was.port.close(done)).catch(() => {});
    was.events.gone(reason);
  };
  return {
    name,
    async open(events) {
      const port = new Kind({ ...LINE, path: spec.path, autoOpen: false, lock: true });
      await within(clock, STATUS_MS, name, (done) => port.open(done)).catch((error: unknown) => {
        throw refusal(name, error);
      });
      let level: boolean;
      try {
        const { lines } = spec;
        if (lines) await within(clock, STATUS_MS, name, (done) => port.set(defined(lines), done));
        level = await sample(port, signal, clock, name);
      } catch (error) {
        await within(clock, STATUS_MS, name, (done) => port.close(done)).catch(() => {});
        throw new HearthError('LINK_REFUSED', `${name}: the port has no such line`, error);
      }
      port.on('error', () => {});
      port.on('close', () => void leave(fault('LINK_GONE', `${spec.path}: the port went away`)));
      // Nobody reads what may come on the receive line, and an unread port would not report its end.
      port.resume();
      const stop = every(clock, SAMPLE_MS, async () => {
        try {
          const now = await sample(port, signal, clock, name);
          if (now === level || !current) return;
          level = now;
          events.bytes(Uint8Array.of(levelOf(now !== spec.activeLow)), clock.elapsedMs());
        } catch {
          await leave(fault('LINK_GONE', `${spec.path}: the port went away`));
        }
      });
      current = { port, stop, events };
    },
    async write() {
      throw new HearthError('UNSUPPORTED', `${name}: an input takes nothing`);
    },
    configure: async () => false,
    close: () => leave(null),
  };
}

const levelOf = (active: boolean): number => (active ? LEVEL.active : LEVEL.inactive);

async function sample(
  port: Port,
  signal: 'dcd' | 'cts' | 'dsr',
  clock: Clock,
  name: string,
): Promise<boolean> {
  let level = false;
  await within(clock, STATUS_MS, name, (done) =>
    port.get((error, status) => {
      level = status?.[signal] ?? false;
      done(error);
    }),
  );
  return level;
}

function receiveLine({ path, lines }: PulseLineSpec, clock: Clock): Link {
  const serial = serialLink({ ...LINE, kind: 'serial', path, lines }, clock);
  return {
    ...serial,
    name: `${path}:rxd`,
    open(events) {
      let endPulse: Cancel | null = null;
      return serial.open({
        bytes: (_chunk, atMs) => {
          if (endPulse) endPulse();
          else events.bytes(Uint8Array.of(LEVEL.active), atMs);
          endPulse = clock.after(RXD_PULSE_MS, () => {
            endPulse = null;
            events.bytes(Uint8Array.of(LEVEL.inactive), clock.elapsedMs());
          });
        },
        gone: (reason) => {
          endPulse?.();
          events.gone(reason);
        },
      });
    },
  };
}
