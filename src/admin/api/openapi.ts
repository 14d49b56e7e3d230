import { z } from 'zod';
import type { JsonObject, JsonValue } from '../../core/index.ts';
import type { Route } from './route.ts';

const PROBLEM: JsonObject = {
  description: 'Refused (RFC 9457); `errors` names all faults of the input.',
  content: {
    'application/problem+json': {
      schema: {
        type: 'object',
        required: ['type', 'title', 'status', 'code', 'remedy'],
        properties: {
          type: { type: 'string' },
          title: { type: 'string' },
          status: { type: 'integer' },
          detail: { type: 'string' },
          code: { type: 'string' },
          remedy: { type: 'string' },
          errors: {
            type: 'array',
            items: {
              type: 'object',
              properties: {
                in: { enum: ['path', 'query', 'body'] },
                pointer: { type: 'string' },
                detail: { type: 'string' },
              },
            },
          },
        },
      },
    },
  },
};

/** The table of routes as an OpenAPI 3.1 document. */
export function openApiDocument(routes: readonly Route[]): JsonObject {
  const schemas = new SharedSchemas();
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport admin API',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/admin/v1' }],
    security: [{ adminToken: [] }],
    components: {
      securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } },
      schemas: Object.fromEntries(schemas.byId),
    },
    paths,
  };
}

/** Gathers the schemas that carry an id, so that each stands in the document once. */
class SharedSchemas {
  readonly byId = new Map<string, JsonObject>();

  /** JSON Schema 2020-12, as OpenAPI 3.1 takes it. */
  of(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const { $schema: _, $defs, ...whole } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
    for (const [id, shared] of Object.entries($defs ?? {})) this.byId.set(id, plain(shared));
    return plain(whole);
  }
}

/** `readOnly` speaks of members that clients must not send; in zod it means that code must not write. */
function plain(schema: object): JsonObject {
  const text = JSON.stringify(schema, (name, value) => (name === 'readOnly' ? undefined : value));
  return JSON.parse(text.replaceAll('"#/$defs/', '"#/components/schemas/'));
}

function operation(route: Route, schemas: SharedSchemas): JsonObject {
  const parameters = [
    ...parametersOf(route.params, 'path', schemas),
    ...parametersOf(route.query, 'query', schemas),
  ];
  return {
    operationId: `${route.method}${route.path.replaceAll(/[^a-z]+([a-z])/gi, (_, letter: string) => letter.toUpperCase())}`,
    summary: route.summary,
    'x-roles': [...route.roles],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === null
      ? {}
      : { requestBody: { content: { 'application/json': { schema: schemas.of(route.body, 'input') } } } }),
    responses: { [String(route.status)]: success(route, schemas), default: PROBLEM },
  };
}

function success(route: Route, schemas: SharedSchemas): JsonObject {
  if (route.status === 204) return { description: 'Done.' };
  const schema = route.result === null ? { type: 'string' } : schemas.of(route.result, 'output');
  return { description: 'Done.', content: { [route.contentType]: { schema } } };
}

function parametersOf(
  schema: z.ZodType | null,
  place: 'path' | 'query',
  schemas: SharedSchemas,
): JsonObject[] {
  if (schema === null) return [];
  const { properties, required } = schemas.of(schema, 'input');
  const needed = Array.isArray(required) ? required : [];
  return Object.entries(properties ?? {}).map(([name, member]) => ({
    name,
    in: place,
    required: place === 'path' || needed.includes(name),
    schema: member,
  }));
}
