import { createHash, timingSafeEqual } from 'node:crypto';
import type { Grant, GrantRequest } from '../grants/grant.ts';
import { OAuthFault } from '../oauth-fault.ts';
import { type ForPersonOptions, fetchGrant, invalid } from './issue-for-person.ts';
import type { CodeBinding } from './store.ts';

export const AUTHORIZATION_CODE = 'authorization_code';
const WHAT = 'authorization code';
const VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

/**
 * A code is exchanged once, by the client that sent the person, with the verifier that only the one who began has (OAuth
 * 2.1 section 4.1.3, RFC 7636). A code that comes again with its verifier ends what it gave; without it, it shows that
 * somebody has seen a browser's history, and buys nothing.
 */
export function codeGrant(o: ForPersonOptions): Grant {
  return async (request) => {
    const { form, client } = request;
    const hash = o.hashOf('authorization-code', form.required('code'));
    return o.turns.take(hash, async () => {
      const grant = await o.store.byCode(o.tenant, hash);
      if (grant === null || grant.code === null || grant.agentId !== client.agent.id) throw invalid(WHAT);
      checkBinding(request, grant.code);
      return fetchGrant(request, grant, { ...o, what: WHAT, grantName: AUTHORIZATION_CODE });
    });
  };
}

function checkBinding({ form, proof }: GrantRequest, code: CodeBinding): void {
  const redirectUri = form.one('redirect_uri');
  if (redirectUri !== null && redirectUri !== code.redirectUri) {
    throw new OAuthFault('invalid_grant', 'the redirect_uri is not that of the authorization request');
  }
  const verifier = form.required('code_verifier');
  if (!VERIFIER.test(verifier)) {
    throw new OAuthFault('invalid_grant', 'the code_verifier is not one of RFC 7636 section 4.1');
  }
  const shown = createHash('sha256').update(verifier).digest();
  const expected = Buffer.from(code.codeChallenge, 'base64url');
  if (shown.length !== expected.length || !timingSafeEqual(shown, expected)) {
    throw new OAuthFault('invalid_grant', 'the code_verifier does not belong to the code_challenge');
  }
  if (code.dpopJkt !== null && proof?.jkt !== code.dpopJkt) {
    // RFC 9449 section 10: the proof is what does not fit; the code stays good for who has the key.
    throw new OAuthFault('invalid_dpop_proof', 'the DPoP key is not the one that the code is bound to');
  }
}
