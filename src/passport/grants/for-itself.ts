import { type Clock, toSeconds } from '../../core/index.ts';
import type { Issuing } from '../issuing.ts';
import { resourceOf } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Grant } from './grant.ts';
import { issuePassport } from './issue-passport.ts';
import type { Signer } from './signing.ts';

export const CLIENT_CREDENTIALS = 'client_credentials';
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

export interface ForItselfOptions {
  readonly issuer: string;
  /** The gateway first: what passports are for unless another one is asked for. */
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly issuing: Issuing;
  readonly signer: Signer;
  readonly clock: Clock;
}

/**
 * A passport for an agent that acts for itself: with credentials of its own (RFC 6749 section 4.4), or as a workload
 * that its platform vouches for (RFC 7523). Who it is was found out before. `grant`: as records name it.
 */
export function forItself(o: ForItselfOptions, grant: 'client_credentials' | 'jwt_bearer'): Grant {
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
      grant,
      asked,
      parent: null,
      sub: client.agent.id,
      once: [],
    });
  };
}
