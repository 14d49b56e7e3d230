import {
  type AuditEvent,
  type AuditEventType,
  type Clock,
  type JsonObject,
  newId,
  Refusal,
  SecretBytes,
  type UnitOfWork,
} from '../core/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import { type AgentDraft, readAgentDraft } from './agent-input.ts';
import type { PassportStores } from './options.ts';
import { newClientSecret, type Pepper } from './pepper.ts';
import { type RevocationRoom, revokedEvent } from './revocations.ts';
import { LONGEST_LIFETIME_SECONDS } from './signing-keys.ts';
import type { AgentRecord, RevocationRecord } from './store.ts';

/** An agent as administrators see it: never a hash of a secret. */
export interface AgentView {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly jwks: readonly JsonObject[];
  readonly secrets: readonly {
    readonly id: string;
    readonly createdAt: number;
    readonly expiresAt: number | null;
  }[];
  readonly scopes: readonly string[];
  readonly purpose: string | null;
  readonly status: AgentRecord['status'];
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly revision: number;
}

export type NewAgent = Omit<AgentDraft, 'jwks' | 'purpose'> &
  Partial<Pick<AgentDraft, 'jwks' | 'purpose'>> & {
    /** Also make a client secret; needed where there are no keys. */
    readonly withSecret?: boolean;
  };

/** The secret is shown this once and stored as a peppered hash alone. */
export interface WithSecret {
  readonly agent: AgentView;
  readonly secret: SecretBytes | null;
}

/** The registry of agents. Each change is durable, effective and audited when it resolves. */
export interface Agents {
  /** Throws Refusal: input_invalid, conflict (the name is taken). */
  register(agent: NewAgent, by: string): Promise<WithSecret>;
  /** What takes a right away (a scope, a key, the owner) also ends the live passports. */
  update(id: string, changes: Partial<AgentDraft>, by: string): Promise<AgentView>;
  /** A new secret; the older ones stay good for `overlapSeconds` (0: they and their passports end now). */
  rotateSecret(id: string, o: { readonly overlapSeconds: number }, by: string): Promise<WithSecret>;
  remove(id: string, by: string): Promise<void>;
  /** Nothing is issued to it and its live passports end, until it is released. */
  quarantine(id: string, reason: string | null, by: string): Promise<AgentView>;
  release(id: string, by: string): Promise<AgentView>;
  get(id: string): Promise<AgentView | null>;
  byName(name: string): Promise<AgentView | null>;
  list(page: { readonly after: string | null; readonly limit: number }): Promise<AgentView[]>;
}

const ATTEMPTS = 4;
const MOST_SECRETS = 4;
const LONGEST_OVERLAP_SECONDS = 30 * 24 * 3600;

interface Change {
  readonly agent: AgentRecord;
  readonly event: Extract<AuditEventType, `agent.${string}`>;
  readonly changes: JsonObject;
  /** Also end what was issued up to now. */
  readonly endsPassports: boolean;
  readonly reason?: string | null;
}

export interface AgentRegistryOptions {
  readonly tenant: string;
  readonly stores: PassportStores;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly directory: AgentDirectory;
  readonly revocations: RevocationRoom;
  readonly pepper: Pepper;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
}

export class AgentRegistry implements Agents {
  readonly #o: AgentRegistryOptions;

  constructor(o: AgentRegistryOptions) {
    this.#o = o;
  }

  async register(input: NewAgent, by: string): Promise<WithSecret> {
    const { withSecret = false, name, owner, scopes, purpose = null } = input;
    const draft = { name, owner, scopes, purpose, jwks: input.jwks ?? [] };
    const { jwks = [] } = await readAgentDraft(draft);
    if (jwks.length === 0 && !withSecret) {
      throw new Refusal('input_invalid', { detail: 'An agent needs a public key or a client secret.' });
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
      scopes: [...scopes],
      purpose,
      status: 'active',
      createdAt: now,
      updatedAt: now,
      revision: 1,
    };
    if (!(await this.#o.stores.agents.insert(agent))) {
      throw new Refusal('conflict', { detail: `There is an agent named ${name} already.` });
    }
    this.#o.directory.put(agent);
    await this.#record('agent.registered', agent, by, {
      name,
      owner,
      scopes,
      purpose,
      keys: kidsOf(jwks),
      ...(made === null ? {} : { secret: '[secret]' }),
    });
    return { agent: viewOf(agent), secret: made?.secret ?? null };
  }

  async update(id: string, changes: Partial<AgentDraft>, by: string): Promise<AgentView> {
    const draft = await readAgentDraft(withoutUndefined(changes));
    return viewOf(
      await this.#change(id, by, async (agent, stores) => {
        const changed = { ...agent, ...draft };
        if (changed.jwks.length === 0 && changed.secrets.length === 0) {
          throw new Refusal('conflict', { detail: 'An agent needs a public key or a client secret.' });
        }
        const namesake = await stores.agents.byName(agent.tenant, changed.name);
        if (namesake !== null && namesake.id !== id) {
          throw new Refusal('conflict', { detail: `There is an agent named ${changed.name} already.` });
        }
        const { jwks, ...rest } = draft;
        return {
          agent: changed,
          event: 'agent.updated',
          changes: { ...rest, ...(jwks === undefined ? {} : { keys: kidsOf(jwks) }) },
          endsPassports: takesAway(agent, changed),
        };
      }),
    );
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
    const agent = await this.#change(id, by, async (found) => {
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

  async remove(id: string, by: string): Promise<void> {
    await this.#change(id, by, async (agent) => ({
      agent: { ...agent, status: 'deleted', secrets: [], jwks: [] },
      event: 'agent.deleted',
      changes: { name: agent.name },
      endsPassports: true,
    }));
  }

  async quarantine(id: string, reason: string | null, by: string): Promise<AgentView> {
    const agent = await this.#change(id, by, async (found) => ({
      agent: { ...found, status: 'quarantined' },
      event: 'agent.quarantined',
      changes: { status: 'quarantined', reason },
      endsPassports: true,
      reason,
    }));
    return viewOf(agent);
  }

  async release(id: string, by: string): Promise<AgentView> {
    const agent = await this.#change(id, by, async (found) => {
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

  /** Reads, changes and writes in one transaction; another writer in between means another attempt. */
  async #change(
    id: string,
    by: string,
    make: (agent: AgentRecord, stores: PassportStores) => Promise<Change>,
  ): Promise<AgentRecord> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const done = await this.#o.unitOfWork.run((stores) => this.#attempt(id, by, make, stores));
      if (done === null) continue;
      const { agent, change, revocation } = done;
      this.#o.directory.put(agent);
      if (revocation !== null) this.#o.revocations.apply(revocation);
      await this.#record(change.event, agent, by, change.changes);
      if (revocation !== null) await this.#o.audit(revokedEvent(revocation));
      return agent;
    }
    throw new Refusal('conflict', { detail: 'The agent is being changed by others; try again.' });
  }

  async #attempt(
    id: string,
    by: string,
    make: (agent: AgentRecord, stores: PassportStores) => Promise<Change>,
    stores: PassportStores,
  ): Promise<{ agent: AgentRecord; change: Change; revocation: RevocationRecord | null } | null> {
    const { tenant, clock } = this.#o;
    const found = await stores.agents.get(tenant, id);
    if (found === null || found.status === 'deleted') {
      throw new Refusal('not_found', { detail: 'No agent has this id.' });
    }
    const change = await make(found, stores);
    const now = clock.now();
    const agent: AgentRecord = { ...change.agent, updatedAt: now, revision: found.revision + 1 };
    if (!(await stores.agents.update(agent))) return null;
    if (!change.endsPassports) return { agent, change, revocation: null };
    const revocation: RevocationRecord = {
      tenant,
      id: newId('revocation', now),
      kind: 'agent',
      value: id,
      revokedAt: now,
      expiresAt: now + (LONGEST_LIFETIME_SECONDS + 60) * 1000,
      by,
      reason: change.reason ?? change.event,
    };
    await stores.revocations.insert(revocation);
    return { agent, change, revocation };
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

  async #record(type: Change['event'], agent: AgentRecord, by: string, changes: JsonObject): Promise<void> {
    await this.#o.audit({
      type,
      tenant: agent.tenant,
      at: agent.updatedAt,
      data: { id: agent.id, by, changes },
    });
  }
}

function viewOf({ tenant: _tenant, secrets, ...agent }: AgentRecord): AgentView {
  return {
    ...agent,
    secrets: secrets.map(({ id, createdAt, expiresAt }) => ({ id, createdAt, expiresAt })),
  };
}

function kidsOf(jwks: readonly JsonObject[]): string[] {
  return jwks.map(({ kid }) => String(kid));
}

/** Without the members that are undefined: those are not asked to change. */
function withoutUndefined(draft: Partial<AgentDraft>): Partial<AgentDraft> {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
}

function takesAway(before: AgentRecord, after: AgentRecord): boolean {
  const kids = new Set(kidsOf(after.jwks));
  const scopes = new Set(after.scopes);
  return (
    before.owner !== after.owner ||
    before.scopes.some((scope) => !scopes.has(scope)) ||
    kidsOf(before.jwks).some((kid) => !kids.has(kid))
  );
}
