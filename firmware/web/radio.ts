/** Meters on the air that are not read: for the installer, who tries a key before it goes into the configuration. */
import { ok, refuse } from '../domain/errors.ts';
import type { RadioEar } from '../domain/radio.ts';
import type { WebDeps } from './deps.ts';
import { type Route, route } from './route.ts';
import { heardSchema, keySchema, trialSchema } from './schema.ts';

export function radioRoutes({ radios = [] }: WebDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/radio/meters',
      summary: 'Wireless meters that are heard and not read, the last heard first',
      access: 'session',
      answer: heardSchema,
      handle: () =>
        ok({ meters: radios.flatMap((radio) => radio.heard()).sort((a, b) => b.lastMs - a.lastMs) }),
    }),
    route({
      method: 'POST',
      path: '/radio/key',
      summary: 'Tries a key on the encrypted telegrams of a meter that were kept; the key is not',
      access: 'session',
      body: keySchema,
      answer: trialSchema,
      refusals: ['NOT_FOUND', 'NO_TELEGRAM'],
      handle: ({ body }) => tryKey(radios, body.meter, Buffer.from(body.key, 'hex')),
    }),
  ];
}

/** On the first receiver that has telegrams of the meter. */
function tryKey(radios: readonly RadioEar[], meter: string, key: Uint8Array): ReturnType<RadioEar['tryKey']> {
  const trials = radios.map((radio) => radio.tryKey(meter, key));
  const refused = trials.find((trial) => !trial.ok && trial.error.code !== 'NOT_FOUND') ?? trials[0];
  return trials.find((trial) => trial.ok) ?? refused ?? refuse('NOT_FOUND', 'no radio receiver');
}
