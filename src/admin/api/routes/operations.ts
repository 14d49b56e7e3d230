import { z } from 'zod';
import { defineRoute, type Route } from '../route.ts';
import { jsonObject } from '../schemas.ts';

/** The certificate authority, the signing keys, and the state of the gate as a whole. */
export const operationRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/status',
    summary: 'What is on, what is off, and what an administrator has weakened.',
    roles: ['admin', 'approver', 'auditor'],
    result: jsonObject,
    handle: (_, { rooms }) => rooms.status(),
  }),
  defineRoute({
    method: 'get',
    path: '/ca',
    summary: 'The certificate authority by which the gateway looks into tunnels.',
    roles: ['admin', 'auditor'],
    result: jsonObject,
    handle: (_, { rooms }) => rooms.authority.status(),
  }),
  defineRoute({
    method: 'post',
    path: '/ca/export',
    summary: 'Its certificate, for clients that use the gate as a proxy without sallyport run. Recorded.',
    roles: ['admin'],
    result: z.object({ certificatePem: z.string() }),
    handle: async (_, { rooms, tenant, by }) => ({
      certificatePem: await rooms.authority.export(tenant, by),
    }),
  }),
  defineRoute({
    method: 'get',
    path: '/keys',
    summary: 'Public keys that sign passports.',
    roles: ['admin', 'auditor'],
    result: z.object({ keys: z.array(jsonObject).readonly() }),
    handle: async (_, { rooms }) => ({ keys: rooms.passport.keys.jwks().keys.map((key) => ({ ...key })) }),
  }),
  defineRoute({
    method: 'post',
    path: '/keys/rotate',
    summary: 'Sign with a new key from now on; passports signed with the one before stay good.',
    roles: ['admin'],
    result: z.object({ kid: z.string(), retired: z.string() }),
    handle: (_, { rooms, by }) => rooms.passport.keys.rotate(by),
  }),
  defineRoute({
    method: 'post',
    path: '/keys/vault/rotate',
    summary: 'A new key-encryption key; every credential is wrapped with it.',
    roles: ['admin'],
    result: z.object({ keyId: z.string(), rewrapped: z.int() }),
    handle: (_, { rooms, by }) => rooms.vault.rotateKeys(by),
  }),
];
