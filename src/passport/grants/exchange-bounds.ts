import { LIMITS } from '../../core/index.ts';
import { narrow, type ToolCallDetail } from '../../proof/index.ts';
import { actorsAfter } from '../issued-claims.ts';
import { resourceOf } from '../metadata.ts';
import { OAuthFault } from '../oauth-fault.ts';
import type { ReadPassport } from '../passport-reader.ts';
import type { AgentRecord } from '../store.ts';
import type { AskedGrant } from './asked-grant.ts';
import type { Delegation } from './subject-proof.ts';
import { invalidGrant } from './subject-token.ts';
import type { TokenForm } from './token-form.ts';

/** The chain has room for the actor, who is not in it yet. Throws OAuthFault('invalid_grant'). */
export function assertFits(
  parent: ReadPassport,
  actor: AgentRecord,
  asked: AskedGrant,
  delegation: Delegation | null,
): void {
  const { claims, subject, ancestors } = parent;
  if ([subject.agentId, ...ancestors, ...claims.actors, claims.sub].includes(actor.id)) {
    throw invalidGrant('the client is in the chain of the subject token already');
  }
  const depth = claims.chain.length;
  const limit = Math.min(LIMITS.chainHops - 1, claims.maxDepth ?? 0, delegation?.maxDepth ?? depth);
  // A limit that is asked for below what the chain has already would make a passport that may not be.
  if (depth > limit || (asked.maxDepth !== null && asked.maxDepth < depth)) {
    throw invalidGrant(`the chain may hold ${limit} delegations, and this would be number ${depth}`);
  }
  if (actorsAfter(parent, actor).length > LIMITS.chainHops)
    throw invalidGrant('the chain has too many actors');
}

/** Exactly what the subject token is for: a URL that looks alike is another audience. Throws OAuthFault. */
export function audienceOf(form: TokenForm, { claims }: ReadPassport): string {
  const resources = form.many('resource').map((one) => resourceOf(one, claims.aud) ?? one);
  const named = new Set([...form.many('audience'), ...resources]);
  const [audience = claims.aud[0], second] = named;
  const held = [...named].every((one) => claims.aud.includes(one));
  if (!held || audience === undefined || second !== undefined) {
    throw new OAuthFault('invalid_target', 'the audience is not the one that the subject token is for');
  }
  return audience;
}

/** What is asked for, where nothing was asked what the holder passed on; never more than that. */
export function narrowAsked(asked: AskedGrant, delegation: Delegation | null): AskedGrant {
  if (delegation === null) return asked;
  const details = asked.details ?? delegation.details;
  if (details !== null && !isWithinDelegation(details, delegation)) {
    throw new OAuthFault(
      'invalid_authorization_details',
      'the authorization details are more than the subject_proof passes on',
    );
  }
  const depths = [asked.maxDepth, delegation.maxDepth].filter((depth) => depth !== null);
  return { ...asked, details, maxDepth: depths.length === 0 ? null : Math.min(...depths) };
}

function isWithinDelegation(details: readonly ToolCallDetail[], delegation: Delegation): boolean {
  return delegation.details === null || narrow(delegation.details, details).every((found) => found !== null);
}

/** Seconds since the epoch: never later than the subject token. Throws OAuthFault('invalid_grant'). */
export function expiryOf(
  now: number,
  { claims }: ReadPassport,
  asked: AskedGrant,
  delegation: Delegation | null,
  lifetimeSeconds: number,
): number {
  const lifetime = Math.min(lifetimeSeconds, asked.lifetimeSeconds ?? lifetimeSeconds);
  const exp = Math.min(
    now + lifetime,
    Math.floor(claims.exp),
    delegation?.notAfter ?? Number.MAX_SAFE_INTEGER,
  );
  if (exp <= now) throw invalidGrant('nothing of its lifetime is left');
  return exp;
}
