/**
 * Server-sent events: the newest view to every open page, at most once a second to each. A reader that does not
 * keep up gets the newest when it can, and is let go when it cannot for long.
 */
import { LIMITS } from '../domain/limits.ts';
import { type Cancel, type Clock, type ElapsedMs, every } from '../domain/time.ts';

/** What is left of an HTTP response once its head is written; narrow, so that a test can hand in its own. */
export interface EventSink {
  write(text: string): boolean;
  end(): void;
  readonly writableLength: number;
}

interface Client {
  readonly sink: EventSink;
  /** False once its session is over. */
  readonly allowed: () => boolean;
  sentMs: ElapsedMs;
  waiting: Cancel | null;
}

export class Events {
  readonly #clock: Clock;
  readonly #render: () => string;
  readonly #clients = new Set<Client>();
  readonly #stopBeat: Cancel;
  #rendered: string | null = null;

  /** `render` gives the view as one line of JSON; it is called at most once per change, not per client. */
  constructor(clock: Clock, render: () => string) {
    this.#clock = clock;
    this.#render = render;
    this.#stopBeat = every(clock, LIMITS.sseBeatMs, () => this.#beat());
  }

  get full(): boolean {
    return this.#clients.size >= LIMITS.sseClients;
  }

  /** Takes over a response whose head is written; returns what to call when the other side goes away. */
  add(sink: EventSink, allowed: () => boolean): () => void {
    const client: Client = { sink, allowed, sentMs: -Infinity, waiting: null };
    this.#clients.add(client);
    this.#send(client);
    return () => this.#drop(client);
  }

  /** The view has changed. */
  notify(): void {
    this.#rendered = null;
    for (const client of this.#clients) {
      if (client.waiting !== null) continue;
      const dueMs = client.sentMs + LIMITS.ssePushMs - this.#clock.elapsedMs();
      if (dueMs <= 0) this.#send(client);
      else client.waiting = this.#clock.after(dueMs, () => this.#send(client));
    }
  }

  close(): void {
    this.#stopBeat();
    for (const client of this.#clients) {
      this.#drop(client);
      client.sink.end();
    }
  }

  #send(client: Client): void {
    client.waiting?.();
    client.waiting = null;
    if (!this.#keep(client)) return;
    client.sentMs = this.#clock.elapsedMs();
    this.#rendered ??= this.#render();
    client.sink.write(`event: state\ndata: ${this.#rendered}\n\n`);
  }

  /** Tells the page that the line is alive, and finds out that it is not. */
  #beat(): void {
    for (const client of this.#clients)
      if (this.#keep(client)) client.sink.write('event: beat\ndata: {}\n\n');
  }

  #keep(client: Client): boolean {
    if (client.allowed() && client.sink.writableLength <= LIMITS.sseBacklog_bytes) return true;
    this.#drop(client);
    client.sink.end();
    return false;
  }

  #drop(client: Client): void {
    client.waiting?.();
    client.waiting = null;
    this.#clients.delete(client);
  }
}
