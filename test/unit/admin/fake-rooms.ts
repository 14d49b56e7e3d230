import type { AdminRooms, AdminTokens } from '../../../src/admin/index.ts';
import { newId, type Origin, Refusal, SecretBytes, type Service } from '../../../src/core/index.ts';

/** One change as a room was asked for it. */
export interface Change {
  readonly what: string;
  readonly by: string;
  readonly details: unknown;
}

type Agent = Awaited<ReturnType<AdminRooms['agents']['register']>>['agent'];
type Credential = Awaited<ReturnType<AdminRooms['vault']['put']>>;

/** Rooms in memory that note who changed what: for tests of the door itself. */
export function fakeRooms(tokens: AdminTokens): {
  readonly rooms: AdminRooms;
  readonly changes: Change[];
  readonly secrets: string[];
} {
  const changes: Change[] = [];
  const secrets: string[] = [];
  const agents = new Map<string, Agent>();
  const services = new Map<string, Service>();
  const credentials = new Map<string, Credential>();
  const sinks = new Map<string, Awaited<ReturnType<AdminRooms['sinks']['setStatus']>>>();
  const note = (what: string, by: string, details: unknown): void => {
    changes.push({ what, by, details });
  };
  const agentOf = (id: string): Agent => {
    const agent = agents.get(id);
    if (agent === undefined) throw new Refusal('not_found');
    return agent;
  };
  const keep = (agent: Agent): Agent => {
    agents.set(agent.id, agent);
    return agent;
  };

  const rooms: AdminRooms = {
    tokens,
    agents: {
      async register({ withSecret, ...wanted }, by) {
        note('agent.register', by, wanted);
        if ([...agents.values()].some(({ name }) => name === wanted.name)) throw new Refusal('conflict');
        const agent: Agent = {
          ...wanted,
          id: newId('agent'),
          secrets: withSecret ? [{ id: 's1', hash: 'hash-never-shown', createdAt: 1, expiresAt: null }] : [],
          status: 'active',
          createdAt: 1,
          updatedAt: 1,
          revision: 1,
        };
        return { agent: keep(agent), secret: withSecret ? 'fake-client-secret' : null };
      },
      async update({ id, tenant: _, ...change }, by) {
        note('agent.update', by, change);
        return keep({ ...agentOf(id), ...change });
      },
      async rotateSecret({ id }, by) {
        note('agent.rotate', by, id);
        return { agent: agentOf(id), secret: 'fake-second-secret' };
      },
      async quarantine({ id }, by) {
        note('agent.quarantine', by, id);
        return keep({ ...agentOf(id), status: 'quarantined' });
      },
      async release({ id }, by) {
        note('agent.release', by, id);
        return keep({ ...agentOf(id), status: 'active' });
      },
      async remove({ id }, by) {
        note('agent.remove', by, id);
        agents.delete(id);
      },
      get: async (_, id) => agents.get(id) ?? null,
      byName: async (_, name) => [...agents.values()].find((one) => one.name === name) ?? null,
      list: async (_, { after, limit }) =>
        [...agents.values()].filter(({ id }) => after === null || id > after).slice(0, limit),
    },
    passports: {
      list: async () => [],
      get: async () => null,
      async revoke(revocation) {
        note('passport.revoke', revocation.by, revocation);
        return { ...revocation, id: newId('revocation'), revokedAt: 1, expiresAt: null };
      },
      revocations: async () => [],
    },
    signingKeys: {
      jwks: () => ({ keys: [] }),
      async rotate(by) {
        note('key.rotate', by, null);
        return { kid: 'k2' };
      },
    },
    services: {
      async put(service, by) {
        note('service.put', by, service);
        services.set(service.name, service);
        return service;
      },
      byName: (_, name) => services.get(name) ?? null,
      list: async () => [...services.values()],
      async delete({ name }, by) {
        note('service.delete', by, name);
        if (!services.delete(name)) throw new Refusal('not_found');
      },
    },
    vault: {
      async put({ tenant, name, secret, binding }, by) {
        note('credential.put', by, { name, destinations: binding.destinations as readonly Origin[] });
        secrets.push(secret.use((bytes) => new TextDecoder().decode(bytes)));
        const view: Credential = {
          tenant,
          id: newId('credential'),
          name,
          version: (credentials.get(name)?.version ?? 0) + 1,
          status: 'active',
          binding,
          createdAt: 1,
          createdBy: by,
          revokedAt: null,
        };
        credentials.set(name, view);
        return view;
      },
      async rotate({ name, secret }, by) {
        note('credential.rotate', by, name);
        secrets.push(secret.use((bytes) => new TextDecoder().decode(bytes)));
        const view = credentials.get(name);
        if (view === undefined) throw new Refusal('not_found');
        return { ...view, version: view.version + 1 };
      },
      async revoke({ name }, by) {
        note('credential.revoke', by, name);
      },
      async delete({ name }, by) {
        note('credential.delete', by, name);
        credentials.delete(name);
      },
      list: async () => [...credentials.values()],
      describe: (_, name) => credentials.get(name) ?? null,
      rotateKeys: async (by) => {
        note('vault.rotate', by, null);
        return { keyId: 'kek2', rewrapped: 0 };
      },
    },
    approvals: {
      get: async () => null,
      list: async () => [],
      async decide({ by, id, status }) {
        note(`approval.${status}`, by, id);
        throw new Refusal('not_found');
      },
      wait: async () => {
        throw new Refusal('not_found');
      },
    },
    policy: {
      status: () => ({ generation: 1 }),
      check: async () => ({ ok: true }),
      reload: async () => ({ ok: true }),
      explain: async (request) => ({ request }),
    },
    sinks: {
      async put({ tenant: _, ...wanted }, by) {
        note('sink.put', by, wanted);
        const sink = { ...wanted, id: newId('sink'), status: 'active' as const, signs: true, createdAt: 1 };
        sinks.set(sink.id, sink);
        return { sink, secret: SecretBytes.fromUtf8('whsec_fake') };
      },
      list: async () => [...sinks.values()],
      delete: async (_, id, by) => {
        note('sink.delete', by, id);
        if (!sinks.delete(id)) throw new Refusal('not_found');
      },
      async setStatus(_, id, status, by) {
        note('sink.status', by, status);
        const sink = sinks.get(id);
        if (sink === undefined) throw new Refusal('not_found');
        sinks.set(id, { ...sink, status });
        return { ...sink, status };
      },
      async rotateSecret({ id }, by) {
        note('sink.rotate', by, id);
        return SecretBytes.fromUtf8('whsec_second');
      },
      test: async () => ({ outcome: 'failed', error: 'connection refused', retryAfterMs: null }),
      deliveries: async () => [],
    },
    decoys: {
      async plant({ value = 'fake-decoy', sid = null, ...wanted }, by) {
        note('decoy.plant', by, wanted);
        return { ...wanted, value, sid, id: newId('decoy'), plantedAt: 1, plantedBy: by };
      },
      list: async () => [],
      remove: async (_, id, by) => note('decoy.remove', by, id),
    },
    audit: {
      node: 'node-1',
      lastSequence: 0,
      async *read() {},
      checkpoint: async () => ({ origin: 'o', size: 0, root: 'r', note: 'n' }),
      verify: async () => {
        throw new Refusal('not_found');
      },
    },
    authority: {
      status: async () => ({ present: false }),
      async export(_, by) {
        note('ca.export', by, null);
        return 'PEM';
      },
    },
    status: async () => ({ profile: 'balanced' }),
  };
  return { rooms, changes, secrets };
}
