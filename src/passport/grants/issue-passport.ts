import type { JsonObject } from '../../core/index.ts';
import { confirmationClaim } from '../issued-claims.ts';
import type { Issuing, PassportDraft, Within } from '../issuing.ts';
import type { GrantRequest } from './grant.ts';
import type { OnceOnly } from './once.ts';
import type { Signer } from './signing.ts';

/**
 * Records the passport of a grant and signs it; answers the members of the token response. What may be used once is
 * used in the transaction that records it. Throws OAuthFault.
 */
export async function issuePassport(
  o: { readonly issuer: string; readonly issuing: Issuing; readonly signer: Signer },
  { client, proof }: Pick<GrantRequest, 'client' | 'proof'>,
  given: Omit<PassportDraft, 'kid' | 'jkt' | 'x5t'> & {
    readonly sub: string;
    readonly once: readonly OnceOnly[];
    /** Further work in the transaction that issues. */
    readonly also?: Within;
  },
): Promise<JsonObject> {
  const key = o.signer.current;
  const { sub, once, also, ...rest } = given;
  const draft: PassportDraft = { ...rest, kid: key.kid, jkt: proof?.jkt ?? null, x5t: proof?.x5t ?? null };
  const used = [...client.once, ...(proof?.once ?? []), ...once];
  const claims = await o.issuing.issue(draft, client, { once: used, within: both(client.within, also) });
  const { iat, exp, scope, jkt, x5t, audience } = draft;
  const token = await o.signer.sign(key, 'at+jwt', {
    ...{ iss: o.issuer, sub, aud: audience, client_id: client.agent.id, iat, exp, scope },
    ...confirmationClaim({ jkt, x5t }),
    ...claims,
  });
  return {
    access_token: token,
    token_type: jkt === null ? 'Bearer' : 'DPoP',
    expires_in: exp - iat,
    scope,
    ...(claims.authorization_details === undefined
      ? {}
      : { authorization_details: claims.authorization_details }),
  };
}

/** Undefined where there is nothing more to do: then the passport needs no transaction of its own. */
function both(one: Within | undefined, other: Within | undefined): Within | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return async (stores, now) => {
    await one(stores, now);
    await other(stores, now);
  };
}
