import type { z } from 'zod';
import type { JsonObject, JsonValue } from '../../core/index.ts';
import { GATEWAY_OPERATIONS, type GatewayOperation } from '../../gateway/index.ts';
import { adminErrors, errorResponses, gatewayErrors, PROBLEM_SCHEMA } from './openapi-errors.ts';
import { exampleOf } from './openapi-example.ts';
import { SharedSchemas } from './openapi-schemas.ts';
import type { Route } from './route.ts';

const ADMIN_SERVER: JsonObject = { url: 'http://127.0.0.1:8470/admin/v1', description: 'The control plane.' };
const GATEWAY_SERVER: JsonObject = { url: 'http://127.0.0.1:8471', description: 'The gateway.' };

const IDEMPOTENCY_KEY: JsonObject = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description: 'Makes a repetition safe: the same key and request get the first answer again, for 24 hours.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
  example: '8e03978e-40d5-43dd-bc93-6894a57f9324',
};

const LINK: JsonObject = {
  description: 'The next page, with `rel="next"` (RFC 8288); absent on the last one.',
  schema: { type: 'string' },
};

/**
 * The whole JSON interface as an OpenAPI 3.1 document: the table of admin routes, and the gateway's own URLs. Each
 * schema of a request is the one that checks it.
 */
export function openApiDocument(routes: readonly Route[]): JsonObject {
  const schemas = new SharedSchemas();
  const paths: Record<string, Record<string, JsonValue>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: adminOperation(route, schemas) };
  }
  for (const one of GATEWAY_OPERATIONS) {
    paths[one.path] = { servers: [GATEWAY_SERVER], [one.method]: gatewayOperation(one, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sallyport',
      summary: 'The admin API of the control plane, and the JSON endpoints of the gateway.',
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [ADMIN_SERVER],
    security: [{ adminToken: [] }],
    components: {
      securitySchemes: {
        adminToken: { type: 'http', scheme: 'bearer', description: 'An admin token (`sp_admin_…`).' },
        passport: {
          type: 'http',
          scheme: 'DPoP',
          description: 'A passport, with a proof in the field `DPoP` (RFC 9449).',
        },
      },
      schemas: { ...Object.fromEntries(schemas.byId), Problem: PROBLEM_SCHEMA },
    },
    paths,
  };
}

function adminOperation(route: Route, schemas: SharedSchemas): JsonObject {
  const change = route.method !== 'get';
  const parameters = [
    ...parametersOf(route.params, 'path', schemas),
    ...parametersOf(route.query, 'query', schemas),
    ...(change ? [IDEMPOTENCY_KEY] : []),
  ];
  const errors = adminErrors({ path: route.params !== null, body: route.body !== null, change });
  return {
    operationId: operationId(route.method, route.path),
    tags: [route.path.split('/')[1] ?? ''],
    summary: route.summary,
    'x-roles': [...route.roles],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(route.body, route.example, schemas),
    responses: { [String(route.status)]: adminAnswer(route, schemas), ...errorResponses(errors) },
  };
}

function gatewayOperation(one: GatewayOperation, schemas: SharedSchemas): JsonObject {
  const parameters = [
    ...parametersOf(one.params, 'path', schemas),
    ...parametersOf(one.query, 'query', schemas),
  ];
  return {
    operationId: `gateway${operationId(one.method, one.path)}`,
    tags: ['gateway'],
    summary: one.summary,
    security: one.open ? [] : [{ passport: [] }],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(one.body, undefined, schemas),
    responses: {
      200: jsonAnswer(schemas.of(one.result, 'output'), schemas),
      ...errorResponses(gatewayErrors(one.open)),
    },
  };
}

function operationId(method: string, path: string): string {
  return `${method}${path.replaceAll(/[^a-z]+([a-z])/gi, (_, letter: string) => letter.toUpperCase())}`.replaceAll(
    /[^A-Za-z0-9]/g,
    '',
  );
}

function requestBody(body: z.ZodType | null, given: unknown, schemas: SharedSchemas): JsonObject {
  if (body === null) return {};
  const schema = schemas.of(body, 'input');
  const example = given === undefined ? exampleOf(schema, schemas.byId) : (given as JsonValue);
  const required = !body.safeParse(undefined).success;
  return { requestBody: { required, content: { 'application/json': { schema, example } } } };
}

function adminAnswer(route: Route, schemas: SharedSchemas): JsonObject {
  if (route.status === 204) return { description: 'Done.' };
  if (route.result === null) {
    return { description: 'Done.', content: { [route.contentType]: { schema: { type: 'string' } } } };
  }
  const schema = schemas.of(route.result, 'output');
  const paged = isObject(schema.properties) && 'next' in schema.properties && route.path !== '/audit/records';
  return { ...jsonAnswer(schema, schemas), ...(paged ? { headers: { Link: LINK } } : {}) };
}

function jsonAnswer(schema: JsonObject, schemas: SharedSchemas): JsonObject {
  const example = exampleOf(schema, schemas.byId);
  return { description: 'Done.', content: { 'application/json': { schema, example } } };
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

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
