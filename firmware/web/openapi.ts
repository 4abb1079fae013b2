/** The OpenAPI 3.1 description of the API, from the same rows and schemas that serve it. */
import * as z from 'zod';
import { ERRORS, type ErrorCode } from '../domain/errors.ts';
import type { Route } from './route.ts';
import { statusOf } from './route.ts';
import { faultSchema } from './schema.ts';

export const PREFIX = '/api/v1';

type Json = Readonly<Record<string, unknown>>;

/**
 * `io: input` where a caller writes it, so that what has a default need not be sent. Schemas with a name are
 * collected in `shared` and referred to.
 */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', shared: Map<string, unknown>): Json {
  const { $schema: _, $defs = {}, ...rest } = atComponents(z.toJSONSchema(schema, { io }));
  for (const [name, definition] of Object.entries($defs)) shared.set(name, definition);
  return rest;
}

/** JSON Schema keeps named schemas in $defs, OpenAPI among its components. */
const atComponents = (schema: z.core.JSONSchema.BaseSchema): z.core.JSONSchema.BaseSchema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"#/$defs/', '"#/components/schemas/'));

function parametersOf(route: Route): Json[] {
  const of = (schema: z.ZodType, where: 'path' | 'query'): Json[] => {
    // Numbers in a query are text on the wire; the output side says what the text must spell.
    const { properties = {} } = z.toJSONSchema(schema, { io: 'output' });
    const needed = z.toJSONSchema(schema, { io: 'input' }).required ?? [];
    return Object.entries(properties).map(([name, value]) => ({
      name,
      in: where,
      required: where === 'path' || needed.includes(name),
      schema: value,
    }));
  };
  return [...of(route.params, 'path'), ...of(route.query, 'query')];
}

function responsesOf(route: Route, shared: Map<string, unknown>): Json {
  const done =
    route.answer === null
      ? { 204: { description: 'done' } }
      : {
          200: {
            description: route.summary,
            content: { [route.contentType]: { schema: schemaOf(route.answer, 'output', shared) } },
          },
        };
  const codes: ErrorCode[] = ['FORM_INVALID', 'NOT_ALLOWED', 'INTERNAL', ...route.refusals];
  if (route.access === 'session') codes.push('NOT_AUTHENTICATED');
  const byStatus = Map.groupBy(new Set(codes), statusOf);
  const refused = [...byStatus].map(([status, list]) => [
    String(status),
    {
      description: list.map((code) => `${code}: ${ERRORS[code]}`).join('; '),
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Fault' } } },
    },
  ]);
  return { ...done, ...Object.fromEntries(refused) };
}

export function openapiOf(routes: readonly Route[], version: string): Json {
  const shared = new Map<string, unknown>();
  schemaOf(faultSchema, 'output', shared);
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = PREFIX + route.path.replace(/:(\w+)/g, '{$1}');
    const entry = paths[path] ?? {};
    paths[path] = entry;
    entry[route.method.toLowerCase()] = {
      summary: route.summary,
      operationId: `${route.method.toLowerCase()}${route.path.replace(/[^a-z0-9]+(\w)/gi, (_, c: string) => c.toUpperCase())}`,
      ...(route.access === 'session' ? { security: [{ session: [] }] } : { security: [] }),
      parameters: parametersOf(route),
      ...(route.body === null
        ? {}
        : {
            requestBody: {
              required: true,
              content: { 'application/json': { schema: schemaOf(route.body, 'input', shared) } },
            },
          }),
      responses: responsesOf(route, shared),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Hearth',
      version,
      description:
        'The home energy gateway on its local network. Powers in W, energies in Wh, import and consumption positive; null is unknown.',
    },
    paths,
    components: {
      schemas: Object.fromEntries([...shared].sort()),
      securitySchemes: { session: { type: 'apiKey', in: 'cookie', name: 'hearth' } },
    },
  };
}
