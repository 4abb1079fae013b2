/**
 * One link, several devices by unit id, one request at a time: commands before polls. It keeps the link open with
 * back-off, and after a time-out on a serial line keeps quiet until a late answer has had its time.
 */
import Modbus from 'modbus-serial';
import { type Fault, fault, HearthError } from '../../domain/errors.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { Link } from '../../domain/link.ts';
import { type Cancel, type Clock, sleep } from '../../domain/time.ts';
import { type Framing, ModbusPort } from './modbus-port.ts';

/** The library keeps each transaction, with its buffers, until its number comes round again. */
class ModbusRTU extends Modbus.default {
  private readonly _transactions: Record<string, unknown> = {};

  /** Called after each request: there is one at a time. */
  forget(): void {
    for (const id of Object.keys(this._transactions)) delete this._transactions[id];
  }

  get held(): number {
    return Object.keys(this._transactions).length;
  }
}
export type ModbusClient = InstanceType<typeof Modbus.default>;

export interface BusOptions {
  readonly framing: Framing;
  /** An answer later than this is no answer. */
  readonly timeoutMs: number;
}

interface Job {
  readonly unit: number;
  readonly run: (client: ModbusClient) => Promise<unknown>;
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

const QUEUE = 64;

export class ModbusBus {
  private readonly port: ModbusPort;
  private readonly client: ModbusRTU;
  private readonly clock: Clock;
  private readonly options: BusOptions;
  private readonly commands: Job[] = [];
  private readonly polls: Job[] = [];
  private readonly listeners: ((reason: Fault | null) => void)[] = [];
  private busy = false;
  private closed = false;
  private users = 0;
  private backoffMs: number = LIMITS.linkBackoffMinMs;
  private retry: Cancel = () => {};
  private failPending: ((reason: Fault) => void) | null = null;

  constructor(link: Link, clock: Clock, options: BusOptions) {
    this.clock = clock;
    this.options = options;
    this.port = new ModbusPort(link, options.framing);
    this.client = new ModbusRTU(this.port);
    this.port.on('close', () => this.lost(fault('LINK_GONE', `${link.name}: the connection ended`)));
    // The library re-emits what its port says; without a listener that would end the process.
    this.client.on('error', () => {});
  }

  /** Tells when the link comes (null) and goes. The first user opens it. */
  attach(listener: (reason: Fault | null) => void): void {
    this.listeners.push(listener);
    this.users += 1;
    if (this.users === 1) this.connect();
  }

  /** The last user closes the link. */
  async detach(): Promise<void> {
    this.users -= 1;
    if (this.users > 0) return;
    this.closed = true;
    this.retry();
    await new Promise<void>((resolve) => this.port.close(resolve));
  }

  get isOpen(): boolean {
    return this.port.isOpen;
  }

  /** Transactions that the library still keeps. */
  get transactions(): number {
    return this.client.held;
  }

  /** Rejects with LINK_GONE, TIMEOUT, or DEVICE_EXCEPTION (the device's own refusal). */
  request<T>(unit: number, kind: 'command' | 'poll', run: (client: ModbusClient) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const queue = kind === 'command' ? this.commands : this.polls;
      if (!this.port.isOpen) return reject(new HearthError('LINK_GONE'));
      if (queue.length >= QUEUE) return reject(new HearthError('LINK_BUSY', 'the queue of the bus is full'));
      queue.push({ unit, run, resolve: resolve as (value: never) => void, reject });
      this.next();
    });
  }

  private connect(): void {
    if (this.closed) return;
    this.client.open((error?: unknown) => {
      if (error) return this.again(fault('LINK_REFUSED', error instanceof Error ? error.message : 'refused'));
      this.backoffMs = LIMITS.linkBackoffMinMs;
      for (const listener of this.listeners) listener(null);
      this.next();
    });
  }

  private lost(reason: Fault): void {
    this.failPending?.(reason);
    for (const job of [...this.commands.splice(0), ...this.polls.splice(0)])
      job.reject(new HearthError(reason.code, reason.message));
    if (!this.closed) this.again(reason);
  }

  private again(reason: Fault): void {
    for (const listener of this.listeners) listener(reason);
    this.retry = this.clock.after(this.backoffMs, () => this.connect());
    this.backoffMs = Math.min(this.backoffMs * 2, LIMITS.linkBackoffMaxMs);
  }

  private next(): void {
    if (this.busy || !this.port.isOpen) return;
    const job = this.commands.shift() ?? this.polls.shift();
    if (!job) return;
    this.busy = true;
    void this.carryOut(job).finally(() => {
      this.busy = false;
      this.next();
    });
  }

  private async carryOut(job: Job): Promise<void> {
    this.port.nextTransaction();
    this.client.setID(job.unit);
    try {
      job.resolve((await this.bounded(job.run(this.client))) as never);
    } catch (error) {
      const coded = codedError(error);
      job.reject(coded);
      if (coded.code !== 'TIMEOUT' || this.options.framing !== 'rtu') return;
      this.port.ignore(true);
      await sleep(this.clock, this.options.timeoutMs);
      this.port.ignore(false);
    } finally {
      this.client.forget();
    }
  }

  private bounded<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        cancel();
        this.failPending = null;
      };
      const cancel = this.clock.after(this.options.timeoutMs, () => {
        done();
        reject(new HearthError('TIMEOUT', `no answer within ${this.options.timeoutMs} ms`));
      });
      this.failPending = (reason) => {
        done();
        reject(new HearthError(reason.code, reason.message));
      };
      work.then(
        (value) => {
          done();
          resolve(value);
        },
        (error: unknown) => {
          done();
          reject(error);
        },
      );
    });
  }
}

/** modbus-serial rejects with plain objects and errors of its own; `modbusCode` is the device's exception. */
function codedError(error: unknown): HearthError {
  if (error instanceof HearthError) return error;
  const { modbusCode, message } = error as { modbusCode?: number; message?: string };
  if (modbusCode !== undefined)
    return new HearthError('DEVICE_EXCEPTION', `the device answered exception ${modbusCode}`, error);
  return new HearthError('WRONG_ANSWER', message ?? 'the answer does not fit the request', error);
}
