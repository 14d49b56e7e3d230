import type { SessionRisk } from '../core/index.ts';
import type { DelegationRequest } from '../passport/index.ts';
import { toDecision, withEngine } from './decide.ts';
import type { EngineRequest } from './engine.ts';
import type { PolicySet } from './policy-set.ts';
import { momentContext } from './request.ts';

/**
 * Whether one agent may act with what another one passed on to it: null, or one sentence why not. Silence denies;
 * a permit with `@hold` denies too, since nobody waits at the token endpoint.
 */
export function decideDelegation(
  set: PolicySet,
  request: DelegationRequest,
  risk: SessionRisk,
): string | null {
  const { effect, reason } = withEngine(() => toDecision(set, set.evaluate(toEngine(request, risk))));
  switch (effect) {
    case 'allow':
      return null;
    case 'hold':
      return `a person would have to approve it (${reason})`;
    case 'deny':
      return reason;
  }
}

function toEngine({ from, to, depth, ...request }: DelegationRequest, risk: SessionRisk): EngineRequest {
  return {
    principal: { type: 'Agent', id: to.name },
    owner: to.owner,
    action: 'passport.delegate',
    resource: { type: 'Agent', id: from.name },
    resourceOwner: from.owner,
    context: {
      door: 'token',
      sameOwner: from.owner === to.owner,
      depth,
      scopes: request.scopes,
      access: [],
      ...momentContext(request, risk, request.now),
    },
  };
}
