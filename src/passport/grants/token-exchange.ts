import { type Clock, toSeconds } from '../../core/index.ts';
import { isScopeWithin } from '../../proof/index.ts';
import type { DelegationPolicy } from '../delegation-policy.ts';
import type { Issuing } from '../issuing.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { ReadPassport } from '../passport-reader.ts';
import type { AgentRecord } from '../store.ts';
import { assertFits, audienceOf, expiryOf, narrowAsked } from './exchange-bounds.ts';
import type { Grant, GrantRequest } from './grant.ts';
import { issuePassport } from './issue-passport.ts';
import type { Signer } from './signing.ts';
import type { Delegation } from './subject-proof.ts';
import {
  ACCESS_TOKEN_TYPE,
  checkActorToken,
  invalidGrant,
  proveConsent,
  readSubjectToken,
  type SubjectTokenOptions,
} from './subject-token.ts';
import type { TokenForm } from './token-form.ts';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** Claims of ours: a request that carries one as a parameter wants to write it. */
const CLAIMS = [
  'act',
  'sub',
  'iss',
  'aud',
  'exp',
  'iat',
  'nbf',
  'jti',
  'cnf',
  'sid',
  'chain',
  'owner',
  'budgets',
];

export interface TokenExchangeOptions extends SubjectTokenOptions {
  readonly lifetimeSeconds: number;
  readonly issuing: Issuing;
  readonly signer: Signer;
  readonly policy: DelegationPolicy;
  readonly clock: Clock;
}

/**
 * Token exchange (RFC 8693): an agent gets a passport of its own to act with what another agent passed on to it.
 * `sub` stays, the new actor becomes the outermost `act`, and everything else can only shrink: what is issued is
 * what the subject token has, what policy and registration allow, and what is asked for. Nothing is used up or
 * issued unless all of it holds.
 */
export function tokenExchange(o: TokenExchangeOptions): Grant {
  return async (request) => {
    const { form, client } = request;
    assertOnlyAsked(form);
    const parent = await readSubjectToken(form, o);
    await checkActorToken(request, o);
    const delegation = await proveConsent(request, parent, o);
    assertFits(parent, client.agent, request.asked, delegation);
    const audience = audienceOf(form, parent);
    const asked = narrowAsked(request.asked, delegation);
    const scopes = await scopesOf(form, request, parent, delegation, o);
    assertAllowed(parent, client.agent, scopes, o);
    const iat = toSeconds(o.clock.now());
    const issued = await issuePassport(o, request, {
      iat,
      exp: expiryOf(iat, parent, asked, delegation, o.lifetimeSeconds),
      scope: scopes.join(' '),
      audience,
      grant: 'token_exchange',
      asked,
      parent,
      sub: parent.claims.sub,
      once: delegation === null ? [] : [delegation.once],
    });
    return { ...issued, issued_token_type: ACCESS_TOKEN_TYPE };
  };
}

function assertOnlyAsked(form: TokenForm): void {
  const claim = CLAIMS.find((name) => form.has(name));
  if (claim !== undefined) {
    throw new OAuthFault('invalid_request', `${claim} is written by the issuer, not by the request`);
  }
  const wanted = form.one('requested_token_type');
  if (wanted !== null && wanted !== ACCESS_TOKEN_TYPE) {
    throw new OAuthFault('invalid_request', 'only access tokens are issued');
  }
}

async function scopesOf(
  form: TokenForm,
  { client }: GrantRequest,
  parent: ReadPassport,
  delegation: Delegation | null,
  o: TokenExchangeOptions,
): Promise<readonly string[]> {
  const passed = delegation?.scopes ?? null;
  const requested = form.one('scope') ?? passed?.join(' ');
  if (
    requested !== undefined &&
    !/^[\x21\x23-\x5B\x5D-\x7E]+(?: [\x21\x23-\x5B\x5D-\x7E]+)*$/.test(requested)
  ) {
    throw new OAuthFault('invalid_scope', 'the scope is not a list of scope tokens (RFC 6749 section 3.3)');
  }
  const scopes = await o.issuing.admit(client.agent.id, requested, parent);
  if (passed !== null && !isScopeWithin(scopes, passed)) {
    throw new OAuthFault('invalid_scope', 'the scope is more than the subject_proof passes on');
  }
  return scopes;
}

function assertAllowed(
  parent: ReadPassport,
  to: AgentRecord,
  scopes: readonly string[],
  o: TokenExchangeOptions,
): void {
  const { tenant, user, sid } = parent.subject;
  const refused = o.policy({
    tenant,
    from: parent.agent,
    to,
    user,
    purpose: to.purpose,
    scopes,
    sid,
    depth: parent.claims.chain.length,
    now: o.clock.now(),
  });
  if (refused !== null) throw invalidGrant(`policy does not allow the delegation: ${refused}`);
}
