import { type JsonObject, newId, Refusal, SecretBytes } from '../core/index.ts';
import { AgentChanges, type AgentChangesOptions } from './agent-changes.ts';
import { credentialFault, PUBLIC_ALONE, RATCHET_ALONE } from './agent-credentials.ts';
import { type AgentDraft, readAgentDraft } from './agent-input.ts';
import { type Agents, type AgentView, type NewAgent, viewOf, type WithSecret } from './agent-view.ts';
import type { PassportStores } from './options.ts';
import { newClientSecret, type Pepper } from './pepper.ts';
import type { AgentRecord } from './store.ts';

const MOST_SECRETS = 4;
const LONGEST_OVERLAP_SECONDS = 30 * 24 * 3600;

export interface AgentRegistryOptions extends AgentChangesOptions {
  readonly stores: PassportStores;
  readonly pepper: Pepper;
}

/** Work in the transaction that changes an agent; gets it as it was before, or as it will be registered. */
export type WithinRegistration = (stores: PassportStores, agent: AgentRecord) => Promise<void>;

export class AgentRegistry implements Agents {
  readonly #o: AgentRegistryOptions;
  readonly #changes: AgentChanges;

  constructor(o: AgentRegistryOptions) {
    this.#o = o;
    this.#changes = new AgentChanges(o);
  }

  register(input: NewAgent, by: string): Promise<WithSecret> {
    return this.enrol(input, by, async () => {});
  }

  /** As `register`, with further work in the same transaction: what it throws registers nobody. */
  async enrol(input: NewAgent, by: string, within: WithinRegistration): Promise<WithSecret> {
    const { withSecret = false, ratchet = false, name, owner, scopes, purpose = null } = input;
    const given = { jwks: input.jwks ?? [], certificates: input.certificates ?? [] };
    const { redirectUris = [], device = false, publicClient = false } = input;
    const draft = { name, owner, scopes, purpose, redirectUris, ...given };
    const { jwks = [], certificates = [] } = await readAgentDraft(draft);
    const forPeople = redirectUris.length > 0 || device;
    const credentials = jwks.length + certificates.length + (withSecret ? 1 : 0);
    const fault = credentialFault({ credentials, forPeople, publicClient });
    if (fault !== null) throw new Refusal('input_invalid', { detail: fault });
    if (ratchet && (jwks.length === 0 || certificates.length > 0 || withSecret)) {
      throw new Refusal('input_invalid', { detail: RATCHET_ALONE });
    }
    const now = this.#o.clock.now();
    const id = newId('agent', now);
    const made = withSecret ? this.#newSecret(id, now) : null;
    const agent: AgentRecord = {
      tenant: this.#o.tenant,
      id,
      name,
      owner,
      jwks,
      secrets: made === null ? [] : [made.entry],
      certificates,
      ratchet,
      scopes: [...scopes],
      redirectUris: [...redirectUris],
      device,
      publicClient,
      purpose,
      status: 'active',
      createdAt: now,
      updatedAt: now,
      revision: 1,
    };
    await this.#o.unitOfWork.run(async (stores) => {
      await within(stores, agent);
      if (!(await stores.agents.insert(agent))) {
        throw new Refusal('conflict', { detail: `There is an agent named ${name} already.` });
      }
    });
    this.#o.directory.put(agent);
    await this.#changes.record('agent.registered', agent, by, {
      name,
      owner,
      scopes,
      purpose,
      keys: kidsOf(jwks),
      ...(forPeople ? { redirectUris, device, publicClient } : {}),
      ...(certificates.length === 0 ? {} : { certificates: thumbprintsOf(certificates) }),
      ...(ratchet ? { ratchet } : {}),
      ...(made === null ? {} : { secret: '[secret]' }),
    });
    return { agent: viewOf(agent), secret: made?.secret ?? null };
  }

  update(id: string, changes: Partial<AgentDraft>, by: string): Promise<AgentView> {
    return this.revise(id, changes, by, async () => {});
  }

  /** As `update`, with further work in the same transaction: what it throws changes nothing. */
  async revise(
    id: string,
    changes: Partial<AgentDraft>,
    by: string,
    within: WithinRegistration,
  ): Promise<AgentView> {
    const draft = await readAgentDraft(withoutUndefined(changes));
    return viewOf(
      await this.#changes.change(id, by, async (agent, stores) => {
        await within(stores, agent);
        const changed = { ...agent, ...draft };
        const fault = credentialFault({
          credentials: changed.jwks.length + changed.secrets.length + changed.certificates.length,
          forPeople: changed.redirectUris.length > 0 || changed.device,
          publicClient: changed.publicClient,
        });
        if (fault !== null) throw new Refusal('conflict', { detail: fault });
        if (
          changed.ratchet &&
          (changed.secrets.length > 0 || changed.certificates.length > 0 || changed.jwks.length === 0)
        ) {
          throw new Refusal('conflict', { detail: RATCHET_ALONE });
        }
        if (draft.ratchet !== undefined && draft.ratchet !== agent.ratchet) {
          await stores.ratchets.forget(agent.tenant, agent.id);
        }
        const namesake = await stores.agents.byName(agent.tenant, changed.name);
        if (namesake !== null && namesake.id !== id) {
          throw new Refusal('conflict', { detail: `There is an agent named ${changed.name} already.` });
        }
        const { jwks, certificates, ...rest } = draft;
        return {
          agent: changed,
          event: 'agent.updated',
          changes: {
            ...rest,
            ...(jwks === undefined ? {} : { keys: kidsOf(jwks) }),
            ...(certificates === undefined ? {} : { certificates: thumbprintsOf(certificates) }),
          },
          endsPassports: takesAway(agent, changed),
          endsGrants: agent.owner !== changed.owner,
        };
      }),
    );
  }

  /** Makes the registry hold a record that was made elsewhere: what its document says follows where it is known already. */
  async keep(agent: AgentRecord, by: string): Promise<void> {
    const { unitOfWork, directory } = this.#o;
    const inserted = await unitOfWork.run((stores) => stores.agents.insert(agent));
    if (inserted) {
      directory.put(agent);
      const { name, owner, scopes, purpose } = agent;
      const changes = { name, owner, scopes, purpose, keys: kidsOf(agent.jwks) };
      return this.#changes.record('agent.registered', agent, by, changes);
    }
    const known = await this.#o.stores.agents.get(agent.tenant, agent.id);
    const own = ownOf(agent);
    const { jwks, redirectUris, publicClient } = own;
    if (known === null || JSON.stringify(ownOf(known)) === JSON.stringify(own)) return;
    await this.#changes.change(agent.id, by, async (found) => {
      const changed = { ...found, ...own };
      const changes = { keys: kidsOf(jwks), redirectUris, publicClient };
      return { agent: changed, event: 'agent.updated', changes, endsPassports: takesAway(found, changed) };
    });
  }

  async rotateSecret(id: string, o: { readonly overlapSeconds: number }, by: string): Promise<WithSecret> {
    const { overlapSeconds } = o;
    if (!(overlapSeconds >= 0 && overlapSeconds <= LONGEST_OVERLAP_SECONDS)) {
      throw new Refusal('input_invalid', {
        detail: `overlapSeconds is 0 to ${LONGEST_OVERLAP_SECONDS}.`,
      });
    }
    const now = this.#o.clock.now();
    const made = this.#newSecret(id, now);
    const until = now + overlapSeconds * 1000;
    const agent = await this.#changes.change(id, by, async (found) => {
      if (found.ratchet) throw new Refusal('conflict', { detail: RATCHET_ALONE });
      if (found.publicClient) throw new Refusal('conflict', { detail: PUBLIC_ALONE });
      const older = found.secrets
        .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
        .map((secret) => ({ ...secret, expiresAt: Math.min(secret.expiresAt ?? until, until) }))
        .filter(({ expiresAt }) => expiresAt > now)
        .slice(-(MOST_SECRETS - 1));
      return {
        agent: { ...found, secrets: [...older, made.entry] },
        event: 'agent.updated',
        changes: { secret: '[secret]', overlapSeconds },
        endsPassports: overlapSeconds === 0,
      };
    });
    return { agent: viewOf(agent), secret: made.secret };
  }

  remove(id: string, by: string): Promise<void> {
    return this.leave(id, by, async () => {});
  }

  /** As `remove`, with further work in the same transaction. */
  async leave(id: string, by: string, within: WithinRegistration): Promise<void> {
    await this.#changes.change(id, by, async (agent, stores) => {
      await within(stores, agent);
      await stores.enrolment.deleteRegistration(agent.tenant, agent.id);
      return {
        agent: { ...agent, status: 'deleted', secrets: [], jwks: [], certificates: [] },
        event: 'agent.deleted',
        changes: { name: agent.name },
        endsPassports: true,
        endsGrants: true,
      };
    });
  }

  async quarantine(id: string, reason: string | null, by: string): Promise<AgentView> {
    const agent = await this.#changes.change(id, by, async (found) => ({
      agent: { ...found, status: 'quarantined' },
      event: 'agent.quarantined',
      changes: { status: 'quarantined', reason },
      endsPassports: true,
      endsGrants: true,
      reason,
    }));
    return viewOf(agent);
  }

  async release(id: string, by: string): Promise<AgentView> {
    const agent = await this.#changes.change(id, by, async (found) => {
      if (found.status !== 'quarantined') {
        throw new Refusal('conflict', { detail: 'The agent is not quarantined.' });
      }
      return {
        agent: { ...found, status: 'active' },
        event: 'agent.released',
        changes: { status: 'active' },
        // Another node, whose clock runs ahead, may have issued one just as the agent was quarantined.
        endsPassports: true,
      };
    });
    return viewOf(agent);
  }

  async get(id: string): Promise<AgentView | null> {
    const agent = await this.#o.stores.agents.get(this.#o.tenant, id);
    return agent === null ? null : viewOf(agent);
  }

  async byName(name: string): Promise<AgentView | null> {
    const agent = await this.#o.stores.agents.byName(this.#o.tenant, name);
    return agent === null ? null : viewOf(agent);
  }

  async list(page: { readonly after: string | null; readonly limit: number }): Promise<AgentView[]> {
    return (await this.#o.stores.agents.list(this.#o.tenant, page)).map(viewOf);
  }

  #newSecret(agentId: string, now: number) {
    const text = newClientSecret();
    return {
      secret: SecretBytes.fromUtf8(text),
      entry: {
        id: newId('secret', now),
        hash: this.#o.pepper.hashSecret(this.#o.tenant, agentId, text),
        createdAt: now,
        expiresAt: null,
      },
    };
  }
}

function kidsOf(jwks: readonly JsonObject[]): string[] {
  return jwks.map(({ kid }) => String(kid));
}

function thumbprintsOf(certificates: AgentRecord['certificates']): string[] {
  return certificates.map(({ x5t }) => x5t);
}

/** Without the members that are undefined: those are not asked to change. */
function withoutUndefined(draft: Partial<AgentDraft>): Partial<AgentDraft> {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
}

/** What a client's document says of it. */
function ownOf({ jwks, redirectUris, publicClient }: AgentRecord) {
  return { jwks, redirectUris, publicClient };
}

function takesAway(before: AgentRecord, after: AgentRecord): boolean {
  const kids = new Set(kidsOf(after.jwks));
  const thumbprints = new Set(thumbprintsOf(after.certificates));
  const scopes = new Set(after.scopes);
  return (
    before.owner !== after.owner ||
    before.scopes.some((scope) => !scopes.has(scope)) ||
    kidsOf(before.jwks).some((kid) => !kids.has(kid)) ||
    thumbprintsOf(before.certificates).some((x5t) => !thumbprints.has(x5t))
  );
}
