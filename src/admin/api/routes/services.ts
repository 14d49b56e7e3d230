import { z } from 'zod';
import { formatOrigin, Refusal, type Service } from '../../../core/index.ts';
import { slicePage } from '../pages.ts';
import { defineRoute, type Route } from '../route.ts';
import { empty, itemName, origin, pageOf, pageQuery, pem, serviceName } from '../schemas.ts';

const params = z.strictObject({ name: serviceName });

const service = z
  .object({
    name: z.string(),
    origins: z.array(z.string()).readonly(),
    credential: z.string().nullable(),
    encodedSlash: z.enum(['refuse', 'opaque']),
    allowPrivate: z.boolean(),
    upstreamCa: z.string().nullable(),
    inspectBody: z.boolean(),
  })
  .meta({ id: 'Service' });

const READ = ['admin', 'auditor', 'approver'] as const;

export const serviceRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/services',
    summary: 'List services.',
    roles: READ,
    query: pageQuery,
    result: pageOf(service),
    handle: async ({ query }, { rooms, tenant }) =>
      slicePage({ list: 'services', ...query }, rooms.services.list(tenant).map(show), ({ name }) => name),
  }),
  defineRoute({
    method: 'get',
    path: '/services/:name',
    summary: 'One service.',
    roles: READ,
    params,
    result: service,
    handle: async (input, { rooms, tenant }) => {
      const found = rooms.services.byName(tenant, input.params.name);
      if (found === null) throw new Refusal('not_found', { detail: 'There is no service by this name.' });
      return show(found);
    },
  }),
  defineRoute({
    method: 'put',
    path: '/services/:name',
    summary: 'Add a service, or replace the one by this name.',
    roles: ['admin'],
    params,
    body: z.strictObject({
      origins: z.array(origin).min(1).max(32),
      credential: itemName.nullable().default(null),
      encodedSlash: z.enum(['refuse', 'opaque']).default('refuse'),
      allowPrivate: z
        .boolean()
        .default(false)
        .describe('Lets it live in private, loopback and link-local ranges; never cloud metadata.'),
      upstreamCa: pem.nullable().default(null),
      inspectBody: z.boolean().default(false).describe('Read bodies before deciding.'),
    }),
    result: service,
    handle: async ({ params: { name }, body }, { rooms, tenant, by }) =>
      show(await rooms.services.put({ tenant, name, ...body }, by)),
  }),
  defineRoute({
    method: 'delete',
    path: '/services/:name',
    summary: 'Forget a service; calls to it are refused from now on.',
    roles: ['admin'],
    params,
    result: empty,
    status: 204,
    handle: async (input, { rooms, tenant, by }) => {
      await rooms.services.delete(tenant, input.params.name, by);
      return null;
    },
  }),
];

function show(found: Service): z.input<typeof service> {
  return { ...found, origins: found.origins.map(formatOrigin) };
}
