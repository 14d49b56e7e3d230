import { type Clock, type JsonObject, toSeconds } from '../../core/index.ts';
import { jwkThumbprint } from '../../proof/index.ts';
import type { AgentDirectory } from '../agent-directory.ts';
import { sha256 } from '../crypto.ts';
import {
  type EndpointAnswer,
  type EndpointRequest,
  readJsonBody,
  textMember,
  textsMember,
} from '../endpoint.ts';
import { NOTHING_ASKED } from '../grants/asked-grant.ts';
import { issuePassport } from '../grants/issue-passport.ts';
import type { Signer } from '../grants/signing.ts';
import type { TokenProofReader } from '../grants/token-proof.ts';
import type { Issuing } from '../issuing.ts';
import { resourceOf } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { Challenges } from './challenges.ts';

const MOST_SCOPES = 64;
const AUDIENCE_CHARS = 512;

export interface IdentityTokenOptions {
  readonly issuer: string;
  /** The gateway first: what passports are for unless another one is asked for. */
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly challenges: Challenges;
  readonly directory: AgentDirectory;
  readonly issuing: Issuing;
  readonly signer: Signer;
  readonly proofs: TokenProofReader;
  readonly clock: Clock;
}

/**
 * A passport for an agent that signed its challenge: for one audience, with scopes that it is registered for, and
 * bound to a key: that of the DPoP proof where one came, else the one that signed the challenge.
 */
export async function identityToken(
  request: EndpointRequest,
  o: IdentityTokenOptions,
): Promise<EndpointAnswer> {
  const { id = '' } = request.params;
  const body = readJsonBody(request);
  const challengeId = textMember(body, 'challengeId', 64);
  const signatureB64 = textMember(body, 'signatureB64', 88);
  const scopes = textsMember(body, 'scopes', MOST_SCOPES) ?? [];
  const audience = audienceOf(body, o.audiences);
  const agent = await o.directory.find(id);
  // The same words for one that there is not, for one that may not act, and for a signature by another key.
  if (agent?.status !== 'active' || agent.ratchet)
    throw new OAuthFault('invalid_grant', 'the signature is not by a key of the agent');
  const { key, kid, once } = o.challenges.check(agent, { challengeId, signatureB64 });
  const { dpop } = request.headers;
  const htu = `${o.issuer}/v1/agents/${id}/identity-token`;
  const proof =
    typeof dpop === 'string'
      ? await o.proofs.read({ proof: dpop, certificate: null }, id, htu)
      : { jkt: await jwkThumbprint(key, sha256), x5t: null, once: [] };
  const granted = await o.issuing.admit(id, scopes.length === 0 ? undefined : scopes.join(' '));
  const iat = toSeconds(o.clock.now());
  const exp = iat + o.lifetimeSeconds;
  const client = { agent, by: { kind: 'key', kid }, once: [] } as const;
  const issued = await issuePassport(
    o,
    { client, proof },
    {
      iat,
      exp,
      scope: granted.join(' '),
      audience,
      grant: 'challenge',
      asked: NOTHING_ASKED,
      parent: null,
      sub: id,
      once: [once],
    },
  );
  const { access_token: token = '', token_type: tokenType = '' } = issued;
  const expiresAt = new Date(exp * 1000).toISOString();
  return { status: 200, body: { token, expiresAt, tokenType, audience, scopes: granted } };
}

function audienceOf(body: JsonObject, audiences: readonly string[]): string {
  const [gateway = ''] = audiences;
  const named = body.audience === undefined ? gateway : textMember(body, 'audience', AUDIENCE_CHARS);
  const audience = resourceOf(named, audiences);
  if (audience === null)
    throw new OAuthFault('invalid_target', 'the audience is not one that passports are for');
  return audience;
}
