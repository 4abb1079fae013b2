/** Another contract to try on past days: as in `site`, or a market's prices and what the supplier makes of them. */
import * as z from 'zod';
import { ok, type Result, refuse } from '../domain/errors.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Trial } from '../policy/simulation/tariff.ts';
import { perKWh, tariffSchema } from './tariff.ts';

const contract = z.strictObject({ import: tariffSchema, export: tariffSchema });
/** Price of the market by slot, times a factor, plus what is added to each kWh. */
const market = contract.extend({
  import: z.strictObject({
    market: z.array(perKWh).max(LIMITS.simulatedSlots),
    factor: z.number().min(-1e3).max(1e3).default(1),
    plus: perKWh.default(0),
  }),
});

const isMarket = (json: unknown): boolean =>
  z.object({ import: z.object({ market: z.unknown() }) }).safeParse(json).success;

/** Reads a contract from parsed JSON. SCENARIO_INVALID. */
export function trialOf(json: unknown): Result<Trial> {
  const read = isMarket(json) ? market.safeParse(json) : contract.safeParse(json);
  if (read.success) return ok(read.data);
  const issue = read.error.issues[0];
  return refuse('SCENARIO_INVALID', `tariff: ${issue?.path.join('.')}: ${issue?.message}`);
}
