/** The newest view, pushed by the gateway; says so when the line is lost. */
import { useEffect, useState } from 'preact/hooks';
import type { View } from '../schema.ts';
import { get } from './api.ts';

/** The gateway beats every 10 s: two and a half missed beats are a lost line. */
const LOST_AFTER_MS = 25_000;
const RETRY_MS = 4_000;

export interface Live {
  readonly view: View | null;
  readonly connected: boolean;
}

export function useLive(): Live {
  const [view, setView] = useState<View | null>(null);
  const [connected, setConnected] = useState(false);

  useEffect(() => {
    let stream: EventSource | null = null;
    let watch: ReturnType<typeof setTimeout> | undefined;
    let retry: ReturnType<typeof setTimeout> | undefined;

    const lost = (): void => {
      setConnected(false);
      stream?.close();
      clearTimeout(watch);
      clearTimeout(retry);
      // Asking once also finds out that the session is over, and leads to the sign-in page then.
      retry = setTimeout(async () => {
        const answer = await get('/session');
        if (answer.ok) open();
        else lost();
      }, RETRY_MS);
    };
    const heard = (): void => {
      setConnected(true);
      clearTimeout(watch);
      watch = setTimeout(lost, LOST_AFTER_MS);
    };
    const open = (): void => {
      void get<{ signedIn: boolean }>('/session').then((answer) => {
        if (answer.ok && !answer.value.signedIn) location.assign('/sign-in');
      });
      stream = new EventSource('/api/v1/events');
      stream.addEventListener('state', (event) => {
        setView(JSON.parse(event.data) as View);
        heard();
      });
      stream.addEventListener('beat', heard);
      stream.addEventListener('error', lost);
    };
    open();
    return () => {
      stream?.close();
      clearTimeout(watch);
      clearTimeout(retry);
    };
  }, []);

  return { view, connected };
}

/** Asks again every `everyMs`, sooner after a failure, and whenever `key` changes; keeps the last good answer. */
export function usePolled<T>(path: string, everyMs: number, key: unknown): T | null {
  const [value, setValue] = useState<T | null>(null);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      const answer = await get<T>(path);
      if (over) return;
      if (answer.ok) setValue(answer.value);
      timer = setTimeout(ask, answer.ok ? everyMs : RETRY_MS);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [path, everyMs, key]);
  return value;
}
