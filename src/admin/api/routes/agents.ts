import { z } from 'zod';
import { Refusal } from '../../../core/index.ts';
import type { AgentView, WithSecret } from '../../../passport/index.ts';
import { fetchPage } from '../pages.ts';
import { revealOnce } from '../reveal.ts';
import { defineRoute, type Route, type RouteContext } from '../route.ts';
import {
  empty,
  identified,
  itemName,
  jsonObject,
  line,
  moment,
  pageOf,
  pageQuery,
  pem,
  reason,
  scopes,
} from '../schemas.ts';

const jwks = z.array(jsonObject).max(10).describe('Public keys as JWKs with a `kid` each.');

const ratchet = z
  .boolean()
  .describe('Whether its keys give way to another one with each use, so that a copy is noticed.');

const redirectUris = z
  .array(z.string().max(512))
  .max(16)
  .describe('Where a browser may be sent back to with an authorization code: https, or http to localhost.');

const publicClient = z
  .boolean()
  .describe('Whether it keeps no secret and authenticates with nothing; it then acts for people alone.');

const device = z.boolean().describe('Whether it may ask people by the device flow (RFC 8628).');

const certificates = z
  .array(pem)
  .max(10)
  .describe(
    'TLS client certificates in PEM form, with which it may authenticate (RFC 8705); self-signed or not.',
  );

const agent = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.string(),
    scopes: z.array(z.string()).readonly(),
    purpose: z.string().nullable(),
    status: z.enum(['active', 'quarantined', 'deleted']),
    jwks: z.array(jsonObject).readonly(),
    certificates: z
      .array(z.object({ x5t: z.string(), subject: z.string(), expiresAt: moment }))
      .readonly()
      .describe('By the hash that passports name in `cnf`.'),
    ratchet: z.boolean(),
    redirectUris: z.array(z.string()).readonly(),
    device: z.boolean(),
    publicClient: z.boolean(),
    secrets: z
      .array(z.object({ id: z.string(), createdAt: moment, expiresAt: moment.nullable() }))
      .readonly()
      .describe('Client secrets by id; the secrets themselves are not kept.'),
    createdAt: moment,
    updatedAt: moment,
    revision: z.int(),
  })
  .meta({ id: 'Agent' });

const withSecret = z.object({ agent, secret: z.string().nullable().describe('Shown once.') });
const READ = ['admin', 'auditor', 'approver'] as const;
const because = z.strictObject({ reason }).prefault({});

export const agentRoutes: readonly Route[] = [
  defineRoute({
    method: 'post',
    path: '/agents',
    summary:
      'Register an agent, with public keys, TLS client certificates, or a generated client secret; or a public client.',
    roles: ['admin'],
    body: z
      .strictObject({
        name: itemName,
        owner: line(200),
        scopes,
        purpose: line(500).nullable().default(null),
        jwks: jwks.default([]),
        certificates: certificates.default([]),
        ratchet: ratchet.default(false),
        redirectUris: redirectUris.default([]),
        device: device.default(false),
        publicClient: publicClient.default(false),
        withSecret: z.boolean().default(false),
      })
      .refine(
        ({ jwks: keys, certificates: shown, withSecret: secret, publicClient: open }) =>
          keys.length + shown.length > 0 || secret || open,
        { error: 'needs a public key in jwks, one of certificates, withSecret: true, or publicClient: true' },
      ),
    example: { name: 'builder', owner: 'platform-team', scopes: ['github:read'], withSecret: true },
    result: withSecret,
    status: 201,
    handle: async ({ body }, { rooms, by }) => shown(await rooms.passport.agents.register(body, by)),
  }),
  defineRoute({
    method: 'get',
    path: '/agents',
    summary: 'List agents.',
    roles: READ,
    query: pageQuery,
    result: pageOf(agent),
    handle: ({ query }, { rooms }) =>
      fetchPage(
        { list: 'agents', ...query },
        (page) => rooms.passport.agents.list(page),
        ({ id }) => id,
      ),
  }),
  defineRoute({
    method: 'get',
    path: '/agents/:id',
    summary: 'One agent, by id or by name.',
    roles: READ,
    params: identified,
    result: agent,
    handle: ({ params }, context) => find(params.id, context),
  }),
  defineRoute({
    method: 'patch',
    path: '/agents/:id',
    summary:
      'Change scopes, purpose, owner, public keys, certificates or redirect URIs; what is not named stays. Taking a right away ends live passports.',
    roles: ['admin'],
    params: identified,
    body: z
      .strictObject({
        scopes: scopes.optional(),
        purpose: line(500).nullable().optional(),
        jwks: jwks.optional(),
        certificates: certificates.optional(),
        ratchet: ratchet.optional(),
        redirectUris: redirectUris.optional(),
        device: device.optional(),
        owner: line(200).optional(),
      })
      .refine((change) => Object.keys(change).length > 0, { error: 'names nothing to change' }),
    example: { scopes: ['github:read'] },
    result: agent,
    handle: async ({ params, body }, context) => {
      const { id } = await find(params.id, context);
      const change = {
        ...(body.scopes === undefined ? {} : { scopes: body.scopes }),
        ...(body.purpose === undefined ? {} : { purpose: body.purpose }),
        ...(body.jwks === undefined ? {} : { jwks: body.jwks }),
        ...(body.ratchet === undefined ? {} : { ratchet: body.ratchet }),
        ...(body.certificates === undefined ? {} : { certificates: body.certificates }),
        ...(body.redirectUris === undefined ? {} : { redirectUris: body.redirectUris }),
        ...(body.device === undefined ? {} : { device: body.device }),
        ...(body.owner === undefined ? {} : { owner: body.owner }),
      };
      return context.rooms.passport.agents.update(id, change, context.by);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/agents/:id/secret',
    summary: 'Generate a new client secret; the ones before stay good for overlapSeconds.',
    roles: ['admin'],
    params: identified,
    body: z.strictObject({ overlapSeconds: z.int().min(0).max(2_592_000).default(0) }).prefault({}),
    result: withSecret,
    handle: async ({ params, body }, context) => {
      const { id } = await find(params.id, context);
      return shown(await context.rooms.passport.agents.rotateSecret(id, body, context.by));
    },
  }),
  defineRoute({
    method: 'post',
    path: '/agents/:id/quarantine',
    summary: 'Refuse its passports and issue no new ones until it is released.',
    roles: ['admin'],
    params: identified,
    body: because,
    result: agent,
    handle: async ({ params, body }, context) => {
      const { id } = await find(params.id, context);
      return context.rooms.passport.agents.quarantine(id, body.reason, context.by);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/agents/:id/release',
    summary: 'Lift the quarantine.',
    roles: ['admin'],
    params: identified,
    result: agent,
    handle: async ({ params }, context) => {
      const { id } = await find(params.id, context);
      return context.rooms.passport.agents.release(id, context.by);
    },
  }),
  defineRoute({
    method: 'delete',
    path: '/agents/:id',
    summary: 'Remove an agent; its passports stop working.',
    roles: ['admin'],
    params: identified,
    result: empty,
    status: 204,
    handle: async ({ params }, context) => {
      const { id } = await find(params.id, context);
      await context.rooms.passport.agents.remove(id, context.by);
      return null;
    },
  }),
];

function shown({ agent: view, secret }: WithSecret): z.input<typeof withSecret> {
  return { agent: view, secret: secret === null ? null : revealOnce(secret) };
}

async function find(idOrName: string, { rooms }: RouteContext): Promise<AgentView> {
  const { agents } = rooms.passport;
  const found = (await agents.get(idOrName)) ?? (await agents.byName(idOrName));
  if (found !== null && found.status !== 'deleted') return found;
  throw new Refusal('not_found', { detail: 'There is no agent with this id or name.' });
}
