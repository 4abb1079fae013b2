/** The objects of OpenADR 3.1 as far as they are read; what is not named here is let through and ignored. */
import * as z from 'zod';
import { LIMITS } from '../domain/limits.ts';

const period = z.looseObject({
  start: z.string().optional(),
  duration: z.string().optional(),
  randomizeStart: z.string().optional(),
});
const payload = z.looseObject({
  type: z.string().min(1).max(128),
  values: z.array(z.unknown()).max(LIMITS.signalIntervals),
});
const interval = z.looseObject({
  id: z.unknown().optional(),
  intervalPeriod: period.nullish(),
  payloads: z.array(payload).max(16),
});
const descriptor = z.looseObject({
  payloadType: z.string(),
  units: z.string().nullish(),
  currency: z.string().nullish(),
});

export const event = z.looseObject({
  id: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  programID: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/),
  modificationDateTime: z.string().optional(),
  createdDateTime: z.string().optional(),
  priority: z.int().min(0).nullish(),
  duration: z.string().nullish(),
  payloadDescriptors: z.array(descriptor).max(32).nullish(),
  intervalPeriod: period.nullish(),
  intervals: z.array(interval).max(LIMITS.signalIntervals).nullish(),
});

export const notification = z.looseObject({
  objectType: z.literal('EVENT'),
  operation: z.enum(['CREATE', 'UPDATE', 'DELETE']),
  object: event,
});

export type Event = z.infer<typeof event>;
export type Payload = z.infer<typeof payload>;
