/** The words that every schema of the API is made of. */
import * as z from 'zod';

export const ms = z.number().meta({ description: 'milliseconds since 1970-01-01T00:00:00Z' });
export const power_W = z
  .number()
  .nullable()
  .meta({ description: 'W; import and consumption positive; null is unknown' });
export const sentence = z.string().meta({ description: 'one plain sentence for the owner' });
export const money = z
  .number()
  .nullable()
  .meta({ description: 'in the currency of the site; null is unknown' });
export const energy = z.number().nullable().meta({ description: 'Wh; null is unknown' });

export const share = z.number().nullable().meta({ description: 'of the capacity, 0 to 1; null is unknown' });

export const faultSchema = z
  .object({ code: z.string(), message: z.string() })
  .meta({ id: 'Fault', description: 'a coded refusal; the code never changes its meaning' });

export const plannedSchema = z
  .object({ fromMs: ms, untilMs: ms, power_W: z.number() })
  .meta({ id: 'PlannedSlot' });
