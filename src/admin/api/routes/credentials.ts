import { z } from 'zod';
import { formatOrigin, LIMITS, Refusal, SecretBytes, type Service } from '../../../core/index.ts';
import type { CredentialView } from '../../../vault/index.ts';
import { fetchPage } from '../pages.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import { empty, line, moment, named, pageOf, pageQuery, serviceName } from '../schemas.ts';

const fieldName = z
  .string()
  .max(128)
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be an HTTP field name');

const injector = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bearer') }),
  z.strictObject({ kind: z.literal('basic'), username: line(200) }),
  z.strictObject({
    kind: z.literal('header'),
    name: fieldName,
    prefix: z
      .string()
      .max(64)
      .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII')
      .default(''),
  }),
  z.strictObject({ kind: z.literal('query'), name: line(128) }),
]);

/** Exactly one of the two; `secretBase64` carries secrets that are not UTF-8 text. */
const secretMembers = {
  secret: z.string().max(LIMITS.secretMaxBytes).optional().meta({ writeOnly: true }),
  secretBase64: z
    .base64()
    .max(LIMITS.secretMaxBytes * 2)
    .optional()
    .meta({ writeOnly: true }),
};
const ONE_SECRET = { error: 'needs exactly one of secret and secretBase64' };

const credential = z
  .object({
    name: z.string(),
    version: z.int(),
    status: z.enum(['active', 'superseded', 'revoked']),
    destinations: z.array(z.string()).readonly(),
    injector: z.object({
      kind: z.enum(['bearer', 'basic', 'header', 'query']),
      name: z.string().optional(),
      prefix: z.string().optional(),
      username: z.string().optional(),
    }),
    allowPrivate: z.boolean(),
    upstreamCa: z.string().nullable(),
    createdAt: moment,
    createdBy: z.string(),
    revokedAt: moment.nullable(),
  })
  .meta({ id: 'Credential' });

const READ = ['admin', 'auditor'] as const;

/** Write-only: no route answers with a secret, whoever asks. */
export const credentialRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/credentials',
    summary: 'List credentials: what they are bound to, never the secret.',
    roles: READ,
    query: pageQuery,
    result: pageOf(credential),
    handle: async ({ query }, { rooms, tenant }) => {
      const page = await fetchPage(
        { list: 'credentials', ...query },
        (wanted) => rooms.vault.list({ tenant, ...wanted }),
        ({ name }) => name,
      );
      return { ...page, items: page.items.map(show) };
    },
  }),
  defineRoute({
    method: 'get',
    path: '/credentials/:name',
    summary: 'What one credential is bound to, never the secret.',
    roles: READ,
    params: named,
    result: credential,
    handle: async ({ params }, { rooms, tenant }) => {
      const found = rooms.vault.describe(tenant, params.name);
      if (found === null) throw new Refusal('not_found', { detail: 'There is no credential by this name.' });
      return show(found);
    },
  }),
  defineRoute({
    method: 'put',
    path: '/credentials/:name',
    summary:
      'Seal a secret for the services that are named: their origins, certificate authority and private-range permission are sealed with it. Binding it to others needs the secret again.',
    roles: ['admin'],
    params: named,
    body: z
      .strictObject({ services: z.array(serviceName).min(1).max(32), injector, ...secretMembers })
      .refine(hasOneSecret, ONE_SECRET),
    example: { services: ['github'], injector: { kind: 'bearer' }, secret: 'fake-secret' },
    result: credential,
    handle: async ({ params, body }, context) => {
      const binding = { ...bindingOf(body.services, context), injector: body.injector };
      using secret = secretOf(body);
      const { rooms, tenant, by } = context;
      return show(await rooms.vault.put({ tenant, name: params.name, secret, binding }, by));
    },
  }),
  defineRoute({
    method: 'post',
    path: '/credentials/:name/rotate',
    summary: 'A new secret under the same binding; the old one stops at once.',
    roles: ['admin'],
    params: named,
    body: z.strictObject(secretMembers).refine(hasOneSecret, ONE_SECRET),
    example: { secret: 'fake-secret' },
    result: credential,
    handle: async ({ params, body }, { rooms, tenant, by }) => {
      using secret = secretOf(body);
      return show(await rooms.vault.rotate({ tenant, name: params.name, secret }, by));
    },
  }),
  defineRoute({
    method: 'post',
    path: '/credentials/:name/revoke',
    summary: 'Stop its use at once; calls in flight with it are cut.',
    roles: ['admin'],
    params: named,
    result: empty,
    status: 204,
    handle: async ({ params }, { rooms, tenant, by }) => {
      await rooms.vault.revoke({ tenant, name: params.name }, by);
      return null;
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/credentials/:name',
    summary: 'Forget it with all its versions.',
    roles: ['admin'],
    params: named,
    result: empty,
    status: 204,
    handle: async ({ params }, { rooms, tenant, by }) => {
      await rooms.vault.delete({ tenant, name: params.name }, by);
      return null;
    },
  }),
];

interface SentSecret {
  readonly secret?: string | undefined;
  readonly secretBase64?: string | undefined;
}

function hasOneSecret(body: SentSecret): boolean {
  return (body.secret === undefined) !== (body.secretBase64 === undefined);
}

function secretOf({ secret, secretBase64 }: SentSecret): SecretBytes {
  if (secret !== undefined) return SecretBytes.fromUtf8(secret);
  return new SecretBytes(Uint8Array.from(Buffer.from(secretBase64 ?? '', 'base64')));
}

/** Services that differ in what is sealed can't share a secret: the laxer one would widen the other's binding. */
function bindingOf(names: readonly string[], { rooms, tenant }: RouteContext) {
  const services = names.map((name) => serviceByName(rooms.services.byName(tenant, name), name));
  const [first, ...others] = services;
  if (first === undefined) throw new TypeError('the schema asks for a service');
  for (const other of others) {
    if (other.allowPrivate !== first.allowPrivate || other.upstreamCa !== first.upstreamCa) {
      throw new Refusal('conflict', {
        detail: `The services ${first.name} and ${other.name} differ in allowPrivate or upstreamCa; put a credential for each.`,
      });
    }
  }
  return {
    destinations: services.flatMap((service) => service.origins),
    upstreamCa: first.upstreamCa,
    allowPrivate: first.allowPrivate,
  };
}

function serviceByName(service: Service | null, name: string): Service {
  if (service !== null) return service;
  throw new Refusal('service_unknown', { detail: `There is no service ${name}; add it first.` });
}

function show(view: CredentialView): z.input<typeof credential> {
  const { destinations, injector: how, allowPrivate, upstreamCa } = view.binding;
  return { ...view, destinations: destinations.map(formatOrigin), injector: how, allowPrivate, upstreamCa };
}
