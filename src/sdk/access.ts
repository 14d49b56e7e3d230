import type { JsonObject } from '../core/index.ts';
import { type AccessTokenClaims, denyAccess } from '../proof/index.ts';
import { AccessFault } from './access-fault.ts';

/** Who calls, for whom, with what: a passport that was checked for one request. */
export class Access {
  readonly #claims: AccessTokenClaims;
  readonly #audience: string;

  constructor(claims: AccessTokenClaims, audience: string) {
    this.#claims = claims;
    this.#audience = audience;
  }

  /** The one for whom it is done: a user, or the agent that the chain began with. */
  get subject(): string {
    return this.#claims.sub;
  }

  /** The agent that acts now (the outermost `act`, else the client). */
  get actor(): string {
    return this.#claims.actors[0] ?? this.#claims.clientId;
  }

  /** Those who acted before, the last one first. For records: they decide nothing (RFC 8693 section 4.1). */
  get priorActors(): readonly string[] {
    return this.#claims.actors.slice(1);
  }

  get scopes(): readonly string[] {
    return this.#claims.scopes;
  }

  /** Hop ids, the root first. */
  get chain(): readonly string[] {
    return this.#claims.chain;
  }

  /** The session, kept through renewal and exchange. */
  get sessionId(): string | null {
    return this.#claims.sid;
  }

  get id(): string {
    return this.#claims.jti;
  }

  /** Milliseconds since the epoch. */
  get expiresAt(): number {
    return this.#claims.exp * 1000;
  }

  get authorizationDetails(): readonly JsonObject[] {
    return this.#claims.details;
  }

  /** Throws AccessFault `insufficient_scope` unless the passport has every one of these and this actor. */
  require(o: { readonly scopes?: readonly string[]; readonly actor?: string }): void {
    const grant = {
      audiences: this.#claims.aud,
      actor: this.actor,
      scopes: this.#claims.scopes,
      attributes: {},
    };
    if (denyAccess(grant, { audience: this.#audience, ...o }) === null) return;
    const scope = o.scopes?.join(' ');
    throw new AccessFault('insufficient_scope', 'The passport does not grant this.', {
      ...(scope === undefined ? {} : { scope }),
    });
  }
}
