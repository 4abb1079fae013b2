/** A serial port as a link. The traps of the port library that it guards against are named where they bite. */
import { SerialPort } from 'serialport';
import { fault, HearthError } from '../../domain/errors.ts';
import type { LineSettings, Link, LinkEvents } from '../../domain/link.ts';
import type { Clock } from '../../domain/time.ts';
import { within } from './deadline.ts';

export interface SerialSpec extends LineSettings {
  readonly kind: 'serial';
  readonly path: string;
  /**
   * Levels of the control lines while the port is open: the request line of a P1 port, the supply of an optical
   * head. What was raised is released before the port is closed.
   */
  readonly lines?: { readonly dtr?: boolean | undefined; readonly rts?: boolean | undefined } | undefined;
}

/** On top of what the bytes need on the line; a port whose other side is gone may never drain. */
const WRITE_GRACE_MS = 3_000;
const OPEN_MS = 5_000;

/** The library's port, or one that stands for it in a test. */
type PortKind = new (
  options: ConstructorParameters<typeof SerialPort>[0],
) => Pick<SerialPort, 'isOpen' | 'open' | 'close' | 'write' | 'drain' | 'update' | 'set' | 'on'>;
type Port = InstanceType<PortKind>;

export function serialLink(spec: SerialSpec, clock: Clock, Port: PortKind = SerialPort): Link {
  let port: Port | null = null;
  let settings: LineSettings = spec;

  const openPort = async (events: LinkEvents): Promise<Port> => {
    const { baudRate, dataBits, parity, stopBits } = settings;
    const opened = new Port({
      path: spec.path,
      baudRate,
      dataBits,
      parity,
      stopBits,
      autoOpen: false,
      lock: true,
    });
    await within(clock, OPEN_MS, spec.path, (done) => opened.open(done)).catch((error: unknown) => {
      throw refusal(spec.path, error);
    });
    await raise(opened);
    // Without a data listener the library never reports that the port went away.
    opened.on('data', (chunk: Uint8Array) => {
      if (port === opened) events.bytes(chunk, clock.elapsedMs());
    });
    // What it reports is also the end of the port, or of the write that failed; unheard it would end the process.
    opened.on('error', () => {});
    opened.on('close', () => {
      if (port !== opened) return;
      port = null;
      events.gone(fault('LINK_GONE', `${spec.path}: the port went away`));
    });
    return opened;
  };
  const setLines = (open: Port, lines: { dtr?: boolean; rts?: boolean }): Promise<void> =>
    within(clock, OPEN_MS, spec.path, (done) => open.set(lines, done));
  const raise = async (opened: Port): Promise<void> => {
    if (!spec.lines) return;
    await setLines(opened, defined(spec.lines)).catch(async (error: unknown) => {
      await within(clock, OPEN_MS, spec.path, (done) => opened.close(done)).catch(() => {});
      throw new HearthError('LINK_REFUSED', `${spec.path}: the port has no control lines to set`, error);
    });
  };
  const closePort = async (): Promise<void> => {
    const open = port;
    port = null;
    if (open?.isOpen && spec.lines) await setLines(open, released(spec.lines)).catch(() => {});
    if (open?.isOpen) await within(clock, OPEN_MS, spec.path, (done) => open.close(done)).catch(() => {});
  };

  let current: LinkEvents | null = null;
  return {
    name: spec.path,
    async open(events) {
      settings = spec;
      current = events;
      port = await openPort(events);
    },
    async write(bytes) {
      const open = port;
      // A write on a closed port waits for the next open and never calls back.
      if (!open?.isOpen) throw new HearthError('LINK_GONE', `${spec.path}: not open`);
      const lineMs = (bytes.length * 11_000) / settings.baudRate;
      await within(clock, lineMs + WRITE_GRACE_MS, spec.path, (done) => {
        open.write(Buffer.from(bytes));
        open.drain(done);
      });
    },
    async configure(wanted) {
      const open = port;
      if (!open?.isOpen || !current) throw new HearthError('LINK_GONE', `${spec.path}: not open`);
      const sameForm =
        wanted.dataBits === settings.dataBits &&
        wanted.parity === settings.parity &&
        wanted.stopBits === settings.stopBits;
      settings = { ...wanted };
      if (sameForm) {
        await within(clock, OPEN_MS, spec.path, (done) => open.update({ baudRate: wanted.baudRate }, done));
      } else {
        // The library changes nothing but the speed of an open port.
        await closePort();
        port = await openPort(current);
      }
      return true;
    },
    async close() {
      const events = current;
      current = null;
      const wasOpen = port !== null;
      await closePort();
      if (wasOpen) events?.gone(null);
    },
  };
}

/** Why a port cannot be opened: LINK_BUSY or LINK_REFUSED. */
export function refusal(path: string, error: unknown): HearthError {
  const message = error instanceof Error ? error.message : String(error);
  if (/lock/i.test(message)) return new HearthError('LINK_BUSY', `${path}: held by another program`, error);
  return new HearthError('LINK_REFUSED', `${path}: ${message}`, error);
}

type Lines = NonNullable<SerialSpec['lines']>;
/** Only the lines that are configured. */
export const defined = ({ dtr, rts }: Lines) => ({
  ...(dtr !== undefined && { dtr }),
  ...(rts !== undefined && { rts }),
});
/** Only what was raised is let go. */
const released = ({ dtr, rts }: Lines) => ({ ...(dtr && { dtr: false }), ...(rts && { rts: false }) });
