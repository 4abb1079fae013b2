/** The operator's sign of life. */
import * as z from 'zod';
import type { WallMs } from '../domain/time.ts';

/** As in EEBUS DeviceDiagnosis: the time keeps a retained or repeated one from counting. */
const heartbeatSchema = z.looseObject({ timestamp: z.iso.datetime({ offset: true }) });

/** When it was sent; null for what is none. */
export function sentAt(bytes: Uint8Array): WallMs | null {
  try {
    const parsed = heartbeatSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return parsed.success ? Date.parse(parsed.data.timestamp) : null;
  } catch {
    return null;
  }
}
