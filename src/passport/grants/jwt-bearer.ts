import { type Clock, toSeconds } from '../../core/index.ts';
import type { Issuing } from '../issuing.ts';
import { resourceOf } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Grant } from './grant.ts';
import { issuePassport } from './issue-passport.ts';
import type { Signer } from './signing.ts';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface JwtBearerOptions {
  readonly issuer: string;
  /** The gateway first: what passports are for unless another one is asked for. */
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly issuing: Issuing;
  readonly signer: Signer;
  readonly clock: Clock;
}

/** A passport for a workload whose platform vouches for it (RFC 7523); who it is was found out before. */
export function jwtBearer(o: JwtBearerOptions): Grant {
  return async (request) => {
    const { form, asked, client } = request;
    const resource = form.one('resource');
    const audience = resource === null ? o.audiences[0] : resourceOf(resource, o.audiences);
    if (audience == null)
      throw new OAuthFault('invalid_target', 'the resource is not one that passports are for');
    const scopes = await o.issuing.admit(client.agent.id, form.one('scope') ?? undefined);
    const iat = toSeconds(o.clock.now());
    return issuePassport(o, request, {
      iat,
      exp: iat + Math.min(o.lifetimeSeconds, asked.lifetimeSeconds ?? o.lifetimeSeconds),
      scope: scopes.join(' '),
      audience,
      grant: 'jwt_bearer',
      asked,
      parent: null,
      sub: client.agent.id,
      once: [],
    });
  };
}
