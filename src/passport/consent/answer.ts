import { randomBytes } from 'node:crypto';
import { type AuditEvent, type Clock, type JsonObject, newId, type UnitOfWork } from '../../core/index.ts';
import type { ToolCallDetail } from '../../proof/index.ts';
import { askedFromJson, askedToJson } from '../grants/asked-grant.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { PassportStores } from '../options.ts';
import type { Pepper } from '../pepper.ts';
import type { PersonGrantRecord } from '../person-grants/store.ts';
import type { AgentRecord } from '../store.ts';
import type { ClientFinder, FoundClient } from './client-finder.ts';
import type { Person } from './consent.ts';
import type { Question, Questions } from './questions.ts';

/** A code travels through a browser: it is good for a moment alone (RFC 6749 section 4.1.2). */
const CODE_MS = 60_000;
/** A device asks every few seconds. */
const DEVICE_MS = 10 * 60_000;
const CODE_BYTES = 32;

/** What is left of a question when the person has taken off what they did not want. */
export interface Choice {
  readonly scopes: readonly string[];
  /** Null: none were asked for. */
  readonly details: readonly ToolCallDetail[] | null;
  readonly lifetimeSeconds: number;
}

export interface AnswerOptions {
  readonly tenant: string;
  readonly clients: ClientFinder;
  readonly questions: Questions;
  readonly unitOfWork: UnitOfWork<PassportStores>;
  readonly pepper: Pepper;
  readonly clock: Clock;
  readonly audit: (event: AuditEvent) => Promise<unknown>;
  readonly hashOf: (label: 'authorization-code', code: string) => string;
}

/** Answers questions: each once, and what is given is durable and in the log before anybody hears of it. */
export class Answers {
  readonly #o: AnswerOptions;

  constructor(o: AnswerOptions) {
    this.#o = o;
  }

  /** The code for the agent; null where it hears in another way. Throws OAuthFault where somebody was faster. */
  async allow(
    asked: { readonly id: string; readonly question: Question; readonly client: FoundClient },
    person: Person,
    choice: Choice,
  ): Promise<string | null> {
    const { clients, unitOfWork, questions, clock, tenant } = this.#o;
    const { id, question } = asked;
    const agent = await clients.admit(asked.client);
    const code = question.way.kind === 'code' ? randomBytes(CODE_BYTES).toString('base64url') : null;
    const grant = this.#grantOf(question, agent, person, choice, code);
    await unitOfWork.run(async (stores) => {
      const now = clock.now();
      if (!(await questions.take(stores, id, now))) throw over();
      const stored = await stores.agents.get(tenant, agent.id);
      if (stored?.status !== 'active') throw over();
      if (question.way.kind === 'device') {
        const request = { tenant, codeHash: question.way.codeHash };
        const given = { status: 'given', grantId: grant.id } as const;
        if (!(await stores.deviceRequests.decide(request, given, now))) throw over();
      }
      await stores.personGrants.insert(grant);
    });
    await this.#record('grant.given', grant.id, person, {
      agent: agent.id,
      origin: grant.origin,
      scope: grant.scope,
      audience: grant.audience,
      details: choice.details,
      lifetimeSeconds: choice.lifetimeSeconds,
    });
    return code;
  }

  /** Throws OAuthFault where somebody was faster. */
  async deny({ id, question }: { id: string; question: Question }, person: Person): Promise<void> {
    const { unitOfWork, questions, clock, tenant } = this.#o;
    await unitOfWork.run(async (stores) => {
      const now = clock.now();
      if (!(await questions.take(stores, id, now))) throw over();
      if (question.way.kind !== 'device') return;
      const request = { tenant, codeHash: question.way.codeHash };
      if (!(await stores.deviceRequests.decide(request, { status: 'denied', grantId: null }, now)))
        throw over();
    });
    const { agentId, scope, audience } = question;
    await this.#record('grant.refused', agentId, person, { agent: agentId, scope, audience });
  }

  #grantOf(
    question: Question,
    agent: AgentRecord,
    person: Person,
    choice: Choice,
    code: string | null,
  ): PersonGrantRecord {
    const { tenant, pepper, clock, hashOf } = this.#o;
    const { way } = question;
    const now = clock.now();
    return {
      tenant,
      id: newId('grant', now),
      userId: person.id,
      agentId: agent.id,
      owner: agent.owner,
      origin: way.kind,
      scope: choice.scopes.join(' '),
      audience: question.audience,
      asked: askedToJson({ ...askedFromJson(question.asked), details: choice.details }),
      sid: pepper.sessionFor(agent, person.id),
      hop: newId('hop', now),
      status: 'given',
      codeHash: code === null ? null : hashOf('authorization-code', code),
      code:
        way.kind === 'code'
          ? { redirectUri: way.redirectUri, codeChallenge: way.codeChallenge, dpopJkt: way.dpopJkt }
          : null,
      boundTo: null,
      credential: null,
      refreshHash: null,
      refreshSerial: 0,
      lifetimeMs: choice.lifetimeSeconds * 1000,
      createdAt: now,
      expiresAt: now + (way.kind === 'code' ? CODE_MS : DEVICE_MS),
      usedAt: null,
      endedAt: null,
      endedBy: null,
      endReason: null,
    };
  }

  async #record(
    type: 'grant.given' | 'grant.refused',
    id: string,
    person: Person,
    changes: JsonObject,
  ): Promise<void> {
    const { tenant, clock, audit } = this.#o;
    await audit({ type, tenant, at: clock.now(), data: { id, by: person.name, changes } });
  }
}

function over(): OAuthFault {
  return new OAuthFault('invalid_request', 'the question was answered already, or is over');
}
