import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../src/admin/api/openapi.ts';
import { sendProblem } from '../../../src/admin/api/problem.ts';
import { html } from '../../../src/admin/api/reference-page.ts';
import { ROUTES } from '../../../src/admin/api/routes/index.ts';
import { type JsonObject, Refusal, type RefusalCode } from '../../../src/core/index.ts';
import { GATEWAY_OPERATIONS } from '../../../src/gateway/index.ts';
import { startAdminApi } from './api-server.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<
    Record<string, { readonly description: string; readonly content?: Readonly<Record<string, Content>> }>
  >;
}
interface Content {
  readonly schema: object;
  readonly example?: unknown;
}

const document = openApiDocument(ROUTES);
const operations = Object.entries(
  document.paths as unknown as Record<string, Record<string, Operation>>,
).flatMap(([path, item]) =>
  Object.entries(item).flatMap(([method, operation]) =>
    method === 'servers' ? [] : [{ path, method, operation }],
  ),
);

/** The schemas as a person with the document alone would compile them. */
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'openapi', ...document });
const compile = (schema: object) =>
  ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"openapi#/components')));

describe('the OpenAPI document', () => {
  it('is one, says the validator of OpenAPI 3.1; a broken one is not', async () => {
    const plain = () => JSON.parse(JSON.stringify(document));
    expect(await new Validator().validate(plain())).toEqual({ valid: true });
    const broken = plain();
    broken.paths['/agents'].get.responses = 'none';
    expect((await new Validator().validate(broken)).valid).toBe(false);
  });

  it('holds every admin route and every JSON endpoint of the gateway, each under its own id', () => {
    expect(operations).toHaveLength(ROUTES.length + GATEWAY_OPERATIONS.length);
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    expect(operations.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        '/v1/decide',
        '/v1/observe',
        '/v1/ca',
        '/v1/approvals/{id}',
        '/agents/{id}/secret',
      ]),
    );
  });

  it('gives each operation a summary, its errors with examples, and examples that its schemas take', () => {
    const problem = compile({ $ref: '#/components/schemas/Problem' });
    for (const { path, method, operation } of operations) {
      const name = `${method} ${path}`;
      expect(operation.summary, name).toMatch(/[.]$/);
      const errors = Object.entries(operation.responses).filter(([status]) => Number(status) >= 400);
      expect(errors.length, name).toBeGreaterThanOrEqual(2);
      for (const [status, { content }] of errors) {
        const example = content?.['application/problem+json']?.example;
        expect(problem(example), name).toBe(true);
        expect(example).toMatchObject({ status: Number(status) });
      }
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((one) =>
        Object.entries(one?.content ?? {}),
      );
      for (const [type, { schema, example }] of contents.filter(([kind]) => kind === 'application/json')) {
        const validate = compile(schema);
        expect(example, `${name} ${type}`).toBeDefined();
        expect(
          validate(example),
          `${name} ${JSON.stringify(example)} ${ajv.errorsText(validate.errors)}`,
        ).toBe(true);
      }
    }
  });

  it('shows bodies that the server itself would take', () => {
    for (const { path, method, operation } of operations) {
      const body = operation.requestBody?.content['application/json'];
      if (body === undefined) continue;
      const route = ROUTES.find(
        (one) => one.method === method && one.path.replaceAll(/:([a-z]+)/g, '{$1}') === path,
      );
      const schema = route?.body ?? GATEWAY_OPERATIONS.find((one) => one.path === path)?.body;
      expect(schema?.safeParse(body.example).error?.message, `${method} ${path}`).toBeUndefined();
    }
  });

  it('names for each status only codes that are answered with it', () => {
    for (const { path, operation } of operations) {
      if (path.startsWith('/v1/') || path === '/healthz' || path.startsWith('/.well-known')) continue;
      for (const [status, { description }] of Object.entries(operation.responses)) {
        if (Number(status) < 400) continue;
        for (const [, code] of description.matchAll(/`([a-z_]+)`/g)) {
          expect([code, statusOf(code as RefusalCode)]).toEqual([code, Number(status)]);
        }
      }
    }
  });

  it('says where an Idempotency-Key helps', () => {
    for (const { path, method, operation } of operations.filter((one) => !one.path.startsWith('/v1/'))) {
      const has = operation.parameters?.some(({ name }) => name === 'Idempotency-Key') === true;
      expect(has, `${method} ${path}`).toBe(method !== 'get');
    }
  });
});

/** What the admin API really sends. */
function statusOf(code: RefusalCode): number {
  let status = 0;
  const response = {
    set statusCode(value: number) {
      status = value;
    },
    get statusCode() {
      return status;
    },
    setHeader: () => undefined,
    end: () => undefined,
  };
  sendProblem(response as unknown as Parameters<typeof sendProblem>[0], new Refusal(code));
  return status;
}

describe('the reference page', () => {
  let api: Awaited<ReturnType<typeof startAdminApi>>;
  beforeAll(async () => {
    api = await startAdminApi();
  });
  afterAll(() => api.close());

  it('is served whole under a policy that lets nothing else load', async () => {
    const response = await fetch(`${api.controlUrl}/reference`);
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(response.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-/,
    );
    expect(text).not.toMatch(/<script|<link|<img|<iframe|src=|style="|\son[a-z]+=/);
    for (const { operation } of operations) expect(text).toContain(`id="${operation.operationId}"`);
    expect(text).not.toContain(api.token);
  });

  it('can not be turned into something else by the words of the document', () => {
    const text = html({
      paths: {
        '/x"><script>': {
          get: {
            operationId: 'a"b',
            summary: '<b>',
            tags: ['<i>'],
            responses: { 400: { description: '<u>' } },
          },
        },
      },
    } as unknown as JsonObject);
    expect(text).not.toMatch(/<script|<b>|<i>|<u>|a"b/);
  });

  it('stands beside the document that is served and kept', async () => {
    const served = await api.send('GET', '/openapi.json', { token: api.token });
    expect(served.json).toEqual(JSON.parse(JSON.stringify(document)));
  });
});
