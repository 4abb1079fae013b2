/** The status byte of a transport header: EN 13757-3, 5.10 (application status); EN 13757-7, 7.4.2. */
import type { LongFrame } from './link.ts';
import { readHeader } from './transport.ts';

/** `alarm` is an abnormal condition such as tampering. */
export type StatusFlag =
  | 'busy'
  | 'applicationError'
  | 'alarm'
  | 'lowBattery'
  | 'permanentError'
  | 'temporaryError';

/** Bits 0 and 1 together; bits 5 to 7 are the manufacturer's. */
const APPLICATION: readonly (StatusFlag | null)[] = [null, 'busy', 'applicationError', 'alarm'];
const BITS: readonly (readonly [bit: number, flag: StatusFlag])[] = [
  [0x04, 'lowBattery'],
  [0x08, 'permanentError'],
  [0x10, 'temporaryError'],
];

export function statusFlags(status: number): StatusFlag[] {
  const application = APPLICATION[status & 3] ?? null;
  const set = BITS.flatMap(([bit, flag]) => (status & bit ? [flag] : []));
  return application ? [application, ...set] : set;
}

/** Null where the frame carries none (fixed data structure, no header). */
export function statusOf({ ci, payload }: LongFrame): number | null {
  if (ci !== 0x72 && ci !== 0x7a) return null;
  const header = readHeader(ci === 0x72 ? 'long' : 'short', payload);
  return header.ok ? header.value.status : null;
}

const WORDS: Readonly<Record<StatusFlag, string>> = {
  busy: 'application busy',
  applicationError: 'application error',
  alarm: 'abnormal condition or alarm',
  lowBattery: 'power low',
  permanentError: 'permanent error',
  temporaryError: 'temporary error',
};

/** Empty when all is well. */
export function statusText(status: number): string {
  if (status === 0) return '';
  const own = status & 0xe0 ? [`maker's flags ${(status & 0xe0).toString(16)}h`] : [];
  return [...statusFlags(status).map((flag) => WORDS[flag]), ...own].join(', ');
}
