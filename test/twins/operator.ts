/** What a grid operator publishes: OpenADR 3.1 event objects. */
const HOUR_MS = 3_600_000;
const iso = (ms: number): string => new Date(ms).toISOString();

interface EventOptions {
  readonly id: string;
  readonly programID: string;
  readonly modifiedMs: number;
  readonly priority?: number;
}

function event(
  options: EventOptions,
  type: string,
  units: string,
  startMs: number,
  stepMs: number,
  values: readonly (number | null)[],
  currency?: string,
) {
  return {
    id: options.id,
    objectType: 'EVENT',
    programID: options.programID,
    priority: options.priority ?? 1,
    createdDateTime: iso(options.modifiedMs),
    modificationDateTime: iso(options.modifiedMs),
    payloadDescriptors: [
      { objectType: 'EVENT_PAYLOAD_DESCRIPTOR', payloadType: type, units, ...(currency && { currency }) },
    ],
    intervalPeriod: { start: iso(startMs), duration: `PT${Math.round(stepMs / 1000)}S` },
    intervals: values.map((value, id) => ({ id, payloads: [{ type, values: [value] }] })),
  };
}

export const message = (body: object): Uint8Array => Buffer.from(JSON.stringify(body));

/** Hourly import prices in currency per kWh. */
export const priceEvent = (
  options: EventOptions,
  startMs: number,
  perKWh: readonly number[],
  currency = 'EUR',
): Uint8Array => message(event(options, 'PRICE', 'KWH', startMs, HOUR_MS, perKWh, currency));

/** One limit in kW; null says "no limit". */
export const limitEvent = (
  options: EventOptions,
  startMs: number,
  durationMs: number,
  limit_kW: number | null,
  direction: 'IMPORT' | 'EXPORT' = 'IMPORT',
): Uint8Array =>
  message(event(options, `${direction}_CAPACITY_LIMIT`, 'KW', startMs, durationMs, [limit_kW]));

export const cancelMessage = (options: EventOptions): Uint8Array =>
  message({
    objectType: 'EVENT',
    operation: 'DELETE',
    object: { id: options.id, programID: options.programID },
  });

/** A day of prices as it comes: cheap at night and at noon, dear in the evening. */
export const DAY_PRICES = [
  0.22, 0.21, 0.2, 0.19, 0.19, 0.21, 0.27, 0.33, 0.35, 0.31, 0.26, 0.21, 0.18, 0.17, 0.18, 0.22, 0.28, 0.36,
  0.42, 0.41, 0.36, 0.31, 0.27, 0.24,
] as const;
