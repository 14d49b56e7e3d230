import { type Clock, type JsonObject, type RateLimiter, Refusal } from '../core/index.ts';
import type { AgentDirectory } from './agent-directory.ts';
import { INTROSPECT_SCOPE } from './agent-input.ts';
import { actClaim, confirmationClaim } from './issued-claims.ts';
import { OAuthFault, tooManyRequests } from './oauth-fault.ts';
import type { PassportReader, ReadPassport } from './passport-reader.ts';
import type { Revocations } from './revocations.ts';

export interface TokenEndpointsOptions {
  readonly reader: PassportReader;
  readonly directory: AgentDirectory;
  readonly revocations: Revocations;
  readonly limiter: RateLimiter;
  readonly clock: Clock;
  readonly bearer: 'never' | 'loopback';
}

const INACTIVE: JsonObject = { active: false };

/** Revocation (RFC 7009) and introspection (RFC 7662) of passports, for a client that has authenticated. */
export class TokenEndpoints {
  readonly #o: TokenEndpointsOptions;

  constructor(o: TokenEndpointsOptions) {
    this.#o = o;
  }

  /**
   * Revokes the client's own passport. A token that is none of ours, or over already, is no error (RFC 7009
   * section 2.2); one of another client is: else any agent could end any other's.
   */
  async revoke(clientId: string, token: string): Promise<void> {
    this.#limit(clientId);
    const passport = await this.#read(token);
    if (passport === null) return;
    if (passport.claims.clientId !== clientId) {
      throw new OAuthFault('unauthorized_client', 'the token was issued to another client');
    }
    await this.#o.revocations.revoke({
      tenant: passport.subject.tenant,
      kind: 'token',
      value: passport.claims.jti,
      by: clientId,
      reason: 'revoked by its client (RFC 7009)',
    });
  }

  /** What the gateway would say of the passport now; to others than its client only with the right to ask. */
  async introspect(clientId: string, token: string): Promise<JsonObject> {
    this.#limit(clientId);
    const passport = await this.#read(token);
    if (passport === null) return INACTIVE;
    const asking = this.#o.directory.known(clientId);
    // Who authenticates with nothing could be anybody.
    const isOwn = passport.claims.clientId === clientId && asking?.publicClient !== true;
    const may = isOwn || asking?.scopes.includes(INTROSPECT_SCOPE) === true;
    return may ? describe(passport) : INACTIVE;
  }

  #limit(clientId: string): void {
    const wait = this.#o.limiter.take(clientId, this.#o.clock.now());
    if (wait > 0) throw tooManyRequests(wait);
  }

  async #read(token: string): Promise<ReadPassport | null> {
    try {
      const passport = await this.#o.reader.read(token, this.#o.clock.now());
      const unbound = passport.claims.jkt === null && passport.claims.x5t === null;
      return unbound && this.#o.bearer === 'never' ? null : passport;
    } catch (fault) {
      if (fault instanceof Refusal) return null;
      throw fault;
    }
  }
}

function describe({ claims, subject }: ReadPassport): JsonObject {
  return {
    active: true,
    iss: claims.iss,
    sub: claims.sub,
    aud: claims.aud.length === 1 ? (claims.aud[0] ?? '') : claims.aud,
    client_id: claims.clientId,
    jti: claims.jti,
    iat: claims.iat,
    exp: claims.exp,
    ...(claims.nbf === null ? {} : { nbf: claims.nbf }),
    ...(claims.scopes.length === 0 ? {} : { scope: claims.scopes.join(' ') }),
    token_type: claims.jkt === null ? 'Bearer' : 'DPoP',
    ...confirmationClaim(claims),
    ...actClaim(claims.actors),
    ...(claims.mayAct === null ? {} : { may_act: { sub: claims.mayAct } }),
    ...(claims.details.length === 0 ? {} : { authorization_details: claims.details }),
    sid: subject.sid,
    chain: subject.chain,
    ...(claims.maxDepth === null ? {} : { max_depth: claims.maxDepth }),
    owner: subject.owner,
    ...(claims.purpose === null ? {} : { purpose: claims.purpose }),
  };
}
