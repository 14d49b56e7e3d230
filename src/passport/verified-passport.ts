import type { JsonObject, Subject } from '../core/index.ts';
import type { AccessTokenClaims } from '../proof/index.ts';
import type { AgentRecord } from './store.ts';

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
  /** Authorization details (RFC 9396). */
  readonly details: readonly JsonObject[];
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Thumbprint of the key that it is bound to; null for a bearer passport. */
  readonly jkt: string | null;
  readonly purpose: string | null;
  readonly agentName: string;

  constructor(subject: Subject, claims: AccessTokenClaims, agent: AgentRecord) {
    this.#subject = Object.freeze(subject);
    this.jti = claims.jti;
    this.clientId = claims.clientId;
    this.scopes = new Set(claims.scopes);
    this.details = claims.details;
    this.issuedAt = claims.iat * 1000;
    this.expiresAt = claims.exp * 1000;
    this.jkt = claims.jkt;
    this.purpose = claims.purpose;
    this.agentName = agent.name;
    Object.freeze(this);
  }

  get subject(): Subject {
    return this.#subject;
  }
}
