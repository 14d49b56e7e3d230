import { randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, type JsonValue, Refusal } from '../../core/index.ts';
import type { AgentView, NewAgent, WithSecret } from '../agent-view.ts';
import type { AgentRegistry } from '../agents.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Pepper } from '../pepper.ts';
import type { InitialTokenRoom } from './initial-tokens.ts';
import type { EnrolmentStore, RegistrationRecord } from './store.ts';

const PREFIX = 'sprt_';
const FORM = /^sprt_[A-Za-z0-9_-]{43}$/;
const TOKEN_BYTES = 32;
const LABEL = 'registration-token';
const SUFFIX_BYTES = 4;

/** What an agent that comes aboard asks for. */
export interface Enrolment {
  readonly name: string;
  /** Whether another name is made of it where it is taken. */
  readonly nameIsAHint: boolean;
  /** Null: all that the initial token gives. */
  readonly scopes: readonly string[] | null;
  readonly jwks: readonly JsonValue[];
  readonly withSecret: boolean;
  readonly redirectUris?: readonly string[];
  readonly device?: boolean;
  readonly publicClient?: boolean;
}

export interface Enrolled extends WithSecret {
  /** With which the agent manages its registration; shown this once. */
  readonly registrationToken: string;
}

export interface RegistrationsOptions {
  readonly tenant: string;
  readonly store: EnrolmentStore;
  readonly initialTokens: InitialTokenRoom;
  readonly agents: AgentRegistry;
  readonly pepper: Pepper;
  readonly clock: Clock;
}

/** Agents that register themselves with an initial token, and manage what they registered. */
export class Registrations {
  readonly #o: RegistrationsOptions;

  constructor(o: RegistrationsOptions) {
    this.#o = o;
  }

  /** All of it in one transaction, or nothing: a use is counted only for an agent that there is. Throws OAuthFault. */
  async enrol(initialToken: string, asked: Enrolment): Promise<Enrolled> {
    const { initialTokens, agents, pepper, clock, tenant } = this.#o;
    const allowed = await initialTokens.find(initialToken);
    const scopes = asked.scopes ?? allowed.scopes;
    const beyond = scopes.find((scope) => !allowed.scopes.includes(scope));
    if (beyond !== undefined) {
      throw metadataFault(`the scope ${beyond.slice(0, 140)} is not one that the initial access token gives`);
    }
    const token = `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const wanted = { ...asked, owner: allowed.owner, scopes: [...new Set(scopes)] };
    const made = await asMetadataFault(() =>
      this.#withFreeName(wanted, (agent) =>
        agents.enrol(agent, `initial token ${allowed.name} (${allowed.id})`, async (stores, { id }) => {
          await initialTokens.use(stores, allowed);
          const now = clock.now();
          await stores.enrolment.insertRegistration({
            tenant,
            agentId: id,
            tokenHash: pepper.hashToken(LABEL, [id, token]),
            initialToken: allowed.id,
            createdAt: now,
            rotatedAt: now,
          });
        }),
      ),
    );
    return { ...made, registrationToken: token };
  }

  /** The agent whose registration token this is. Throws OAuthFault: invalid_token, unauthorized_client. */
  async read(agentId: string, token: string): Promise<AgentView> {
    await this.#find(agentId, token);
    const agent = await this.#o.agents.get(agentId);
    // RFC 7592 section 2.1: not to be told from an agent that there never was.
    if (agent === null || agent.status === 'deleted') throw notTaken();
    if (agent.status !== 'active')
      throw new OAuthFault('unauthorized_client', 'the agent is quarantined', FORBIDDEN);
    return agent;
  }

  /**
   * Other keys or fewer scopes, and another registration token: of twenty with the same one, one changes something.
   * Throws OAuthFault.
   */
  async change(
    agentId: string,
    token: string,
    asked: {
      readonly scopes: readonly string[] | null;
      readonly jwks: readonly JsonValue[];
      /** Empty: they stay. */
      readonly redirectUris: readonly string[];
    },
  ): Promise<{ readonly agent: AgentView; readonly registrationToken: string }> {
    const { agents, pepper, clock, tenant } = this.#o;
    const held = await this.read(agentId, token);
    const beyond = asked.scopes?.find((scope) => !held.scopes.includes(scope));
    if (beyond !== undefined) {
      throw metadataFault(
        `the scope ${beyond.slice(0, 140)} is more than the agent has; it can only have less`,
      );
    }
    if (asked.jwks.length > 0 !== held.jwks.length > 0) {
      throw metadataFault('how the agent authenticates stays as it was registered');
    }
    const uri = asked.redirectUris.find((one) => !held.redirectUris.includes(one));
    if (uri !== undefined) {
      throw metadataFault('redirect_uris can only become fewer; register the client again for others');
    }
    const next = `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`;
    const agent = await asMetadataFault(() =>
      agents.revise(
        agentId,
        {
          ...(asked.scopes === null ? {} : { scopes: asked.scopes }),
          ...(asked.jwks.length === 0 ? {} : { jwks: asked.jwks }),
          ...(asked.redirectUris.length === 0 ? {} : { redirectUris: asked.redirectUris }),
        },
        `agent ${agentId}`,
        async (stores, { status }) => {
          if (status !== 'active')
            throw new OAuthFault('unauthorized_client', 'the agent is quarantined', FORBIDDEN);
          const from = pepper.hashToken(LABEL, [agentId, token]);
          const to = pepper.hashToken(LABEL, [agentId, next]);
          const rotated = await stores.enrolment.rotateRegistration({
            tenant,
            agentId,
            from,
            to,
            now: clock.now(),
          });
          if (!rotated) throw notTaken();
        },
      ),
    );
    return { agent, registrationToken: next };
  }

  /** Ends the agent and its passports. Throws OAuthFault. */
  async leave(agentId: string, token: string): Promise<void> {
    const { agents, tenant, pepper } = this.#o;
    await this.read(agentId, token);
    await agents.leave(agentId, `agent ${agentId}`, async (stores) => {
      const found = await stores.enrolment.registration(tenant, agentId);
      if (found === null || !isToken(found, pepper.hashToken(LABEL, [agentId, token]))) throw notTaken();
    });
  }

  async #find(agentId: string, token: string): Promise<RegistrationRecord> {
    const { store, tenant, pepper } = this.#o;
    const found = FORM.test(token) ? await store.registration(tenant, agentId) : null;
    if (found === null || !isToken(found, pepper.hashToken(LABEL, [agentId, token]))) throw notTaken();
    return found;
  }

  /** Another name where a hint is taken: who registers does not learn what others are called. */
  async #withFreeName(
    asked: Enrolment & { readonly owner: string; readonly scopes: readonly string[] },
    register: (agent: NewAgent) => Promise<WithSecret>,
  ): Promise<WithSecret> {
    const { name, nameIsAHint, owner, scopes, jwks, withSecret } = asked;
    const { redirectUris = [], device = false, publicClient = false } = asked;
    const agent = { name, owner, scopes, jwks, withSecret, redirectUris, device, publicClient };
    try {
      return await register(agent);
    } catch (fault) {
      if (!nameIsAHint || !(fault instanceof Refusal) || fault.code !== 'conflict') throw fault;
      return register({ ...agent, name: `${name}-${randomBytes(SUFFIX_BYTES).toString('hex')}` });
    }
  }
}

const FORBIDDEN = { status: 403 } as const;

function isToken({ tokenHash }: RegistrationRecord, shown: string): boolean {
  const [stored, hash] = [Buffer.from(tokenHash), Buffer.from(shown)];
  return stored.length === hash.length && timingSafeEqual(stored, hash);
}

/** What the registry refuses of an agent's own words, in the words of RFC 7591. */
async function asMetadataFault<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (fault) {
    if (!(fault instanceof Refusal) || (fault.code !== 'input_invalid' && fault.code !== 'conflict'))
      throw fault;
    throw new OAuthFault('invalid_client_metadata', fault.detail ?? fault.message, { cause: fault });
  }
}

function metadataFault(description: string): OAuthFault {
  return new OAuthFault('invalid_client_metadata', description);
}

function notTaken(): OAuthFault {
  return new OAuthFault('invalid_token', 'the registration access token is not that of a client');
}
