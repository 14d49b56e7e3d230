import { z } from 'zod';
import type { Service } from '../../core/index.ts';
import type { ServiceStore } from '../../gateway/index.ts';
import type { ChangeFeed } from '../dialect/change.ts';
import type { Link } from '../link.ts';
import { flag, rowReader } from './columns.ts';

/** One row an origin, so that a service with its origins is one query; `list` puts them together. */
const COLUMNS = [
  'services.tenant',
  'services.name',
  'services.credential',
  'services.encoded_slash as encodedSlash',
  'services.allow_private as allowPrivate',
  'services.upstream_ca as upstreamCa',
  'services.inspect_body as inspectBody',
  'service_origins.scheme',
  'service_origins.host',
  'service_origins.port',
] as const;

const rows = rowReader(
  'services',
  z.strictObject({
    tenant: z.string(),
    name: z.string(),
    credential: z.string().nullable(),
    encodedSlash: z.enum(['refuse', 'opaque']),
    allowPrivate: flag,
    upstreamCa: z.string().nullable(),
    inspectBody: flag,
    scheme: z.enum(['https', 'http']),
    host: z.string(),
    port: z.number(),
  }),
);

class OriginTaken extends Error {}

export function serviceStore(link: Link, feed: ChangeFeed): ServiceStore {
  const all = () =>
    link.db
      .selectFrom('services')
      .innerJoin('service_origins', (join) =>
        join
          .onRef('service_origins.tenant', '=', 'services.tenant')
          .onRef('service_origins.service', '=', 'services.name'),
      )
      .select(COLUMNS)
      .orderBy('services.tenant')
      .orderBy('services.name')
      .orderBy('service_origins.position');

  const replace = (service: Service): Promise<void> =>
    link.atomically(async (transaction) => {
      const { db } = transaction;
      const { tenant, name } = service;
      const settings = {
        credential: service.credential,
        encoded_slash: service.encodedSlash,
        allow_private: service.allowPrivate ? 1 : 0,
        upstream_ca: service.upstreamCa,
        inspect_body: service.inspectBody ? 1 : 0,
      };
      await db
        .insertInto('services')
        .values({ tenant, name, ...settings })
        .onConflict((conflict) => conflict.columns(['tenant', 'name']).doUpdateSet(settings))
        .execute();
      await db
        .deleteFrom('service_origins')
        .where('tenant', '=', tenant)
        .where('service', '=', name)
        .execute();
      const result = await db
        .insertInto('service_origins')
        .values(
          service.origins.map(({ scheme, host, port }, position) => ({
            tenant,
            scheme,
            host,
            port,
            service: name,
            position,
          })),
        )
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (result.numInsertedOrUpdatedRows !== BigInt(service.origins.length)) throw new OriginTaken();
      await transaction.announce({ topic: 'service' });
    });

  return {
    async put(service) {
      if (service.origins.length === 0) throw new TypeError('a service needs at least one origin');
      try {
        await replace(service);
        return true;
      } catch (cause) {
        if (cause instanceof OriginTaken) return false;
        throw cause;
      }
    },
    async get(tenant, name) {
      const found = await all()
        .where('services.tenant', '=', tenant)
        .where('services.name', '=', name)
        .execute();
      return gather(found)[0] ?? null;
    },
    async list(tenant) {
      return gather(await all().where('services.tenant', '=', tenant).execute());
    },
    async all() {
      return gather(await all().execute());
    },
    delete: (tenant, name) =>
      link.atomically(async (transaction) => {
        const result = await transaction.db
          .deleteFrom('services')
          .where('tenant', '=', tenant)
          .where('name', '=', name)
          .executeTakeFirst();
        if (result.numDeletedRows !== 1n) return false;
        await transaction.announce({ topic: 'service' });
        return true;
      }),
    follow: (listener, resync) =>
      feed.follow({
        onChange: (change) => {
          if (change.topic === 'service') listener();
        },
        onGap: resync,
      }),
  };
}

/** The rows come sorted by service, then by position. */
function gather(found: readonly unknown[]): Service[] {
  const services: (Service & { origins: Service['origins'][number][] })[] = [];
  for (const { scheme, host, port, ...settings } of rows.many(found)) {
    const last = services.at(-1);
    const origin = { scheme, host, port };
    if (last?.tenant === settings.tenant && last.name === settings.name) last.origins.push(origin);
    else services.push({ ...settings, origins: [origin] });
  }
  return services;
}
