import type { Subject } from '../core/index.ts';
import type { ToolCallDetail } from '../proof/index.ts';
import { budgetsOf, type CallBudget } from './call-budget.ts';
import type { ReadPassport } from './passport-reader.ts';

/**
 * Proof that a passport and its binding were checked for one call. Only this room can make one: the private
 * field keeps an object literal from passing as one, and the class itself stays inside.
 */
export class VerifiedPassport {
  readonly #subject: Subject;
  readonly jti: string;
  /** The OAuth client that it was issued to. */
  readonly clientId: string;
  readonly scopes: ReadonlySet<string>;
  /** Authorization details (RFC 9396): where there are some, a call needs one that covers it. */
  readonly details: readonly ToolCallDetail[];
  /** For each detail, the limits that its calls count against. */
  readonly budgets: readonly (readonly CallBudget[])[];
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Thumbprint of the key that it is bound to; null for a bearer passport. */
  readonly jkt: string | null;
  /** Hash of the TLS client certificate that it is bound to, or null. */
  readonly x5t: string | null;
  readonly purpose: string | null;
  readonly agentName: string;
  /** Agents that acted before in its chain, the last one first. */
  readonly ancestors: readonly string[];
  /** What its client authenticated with, and the key that signed it: revocations may name them. */
  readonly credential: string | null;
  readonly kid: string;

  constructor({ subject, claims, agent, details, ancestors }: ReadPassport) {
    this.#subject = Object.freeze(subject);
    this.jti = claims.jti;
    this.clientId = claims.clientId;
    this.scopes = new Set(claims.scopes);
    this.details = details;
    this.budgets = budgetsOf(claims);
    this.issuedAt = claims.iat * 1000;
    this.expiresAt = claims.exp * 1000;
    this.jkt = claims.jkt;
    this.x5t = claims.x5t;
    this.purpose = claims.purpose;
    this.agentName = agent.name;
    this.ancestors = ancestors;
    this.credential = claims.credential;
    this.kid = claims.kid;
    Object.freeze(this);
  }

  get subject(): Subject {
    return this.#subject;
  }
}
