import { z } from 'zod';
import { defineRoute, type Route } from '../route.ts';
import { jsonObject } from '../schemas.ts';

const READ = ['admin', 'auditor'] as const;

export const policyRoutes: readonly Route[] = [
  defineRoute({
    method: 'get',
    path: '/policies',
    summary: 'The policy set in force: generation, digest, and faults of a newer one that was turned away.',
    roles: READ,
    result: jsonObject,
    handle: async (_, { rooms }) => rooms.policy.status(),
  }),
  defineRoute({
    method: 'post',
    path: '/policies/check',
    summary: 'Check the files as they stand on disk, without putting them in force.',
    roles: READ,
    result: jsonObject,
    handle: (_, { rooms }) => rooms.policy.check(),
  }),
  defineRoute({
    method: 'post',
    path: '/policies/reload',
    summary: 'Put the files on disk in force; with a fault in them, the old set stays.',
    roles: ['admin'],
    result: jsonObject,
    handle: (_, { rooms }) => rooms.policy.reload(),
  }),
  defineRoute({
    method: 'post',
    path: '/policies/explain',
    summary: 'What the policies say to a call, and which of them decide.',
    roles: READ,
    body: z.strictObject({ request: jsonObject }),
    result: jsonObject,
    handle: ({ body }, { rooms }) => rooms.policy.explain(body.request),
  }),
];
