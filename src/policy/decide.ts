import { type Call, type Decision, Refusal, type SessionRisk } from '../core/index.ts';
import type { VerifiedPassport } from '../passport/index.ts';
import { detailsReadBody } from './details.ts';
import type { EngineAnswer, EngineRequest } from './engine.ts';
import type { PolicySet } from './policy-set.ts';
import { actorOf, type PolicyActor, resourceOf, toEngineRequest } from './request.ts';

/** Silence denies, a forbid wins, and a permit with `@hold` holds even where another one permits. */
export function decide(
  set: PolicySet,
  passport: VerifiedPassport,
  call: Call,
  risk: SessionRisk,
  now: number,
): Decision {
  return decideFor(set, actorOf(passport), call, risk, now);
}

/** As `decide`, for an actor without a passport: cases and explanations. */
export function decideFor(
  set: PolicySet,
  actor: PolicyActor,
  call: Call,
  risk: SessionRisk,
  now: number,
): Decision {
  const answer = withEngine(() => {
    const { readsBody } = set.sliceFor(keyOf(actor, call));
    return set.evaluate(toEngineRequest(actor, call, { risk, now, withBody: readsBody }));
  });
  return toDecision(set, answer);
}

/** True when a policy that can matter for this service, or a detail of the passport, looks at bodies. */
export function needsBody(set: PolicySet, passport: VerifiedPassport, call: Call): boolean {
  if (detailsReadBody(passport, call)) return true;
  return withEngine(() => set.sliceFor(keyOf(actorOf(passport), call)).readsBody);
}

/** Names of the header fields that an approval of this call is bound to, sorted. */
export function approvalHeaders(set: PolicySet, decision: Decision): readonly string[] {
  const names = decision.policies.flatMap((id) => set.policy(id)?.bindHeaders ?? []);
  return [...new Set(names)].sort();
}

function keyOf(actor: PolicyActor, call: Call): Pick<EngineRequest, 'principal' | 'owner' | 'resource'> {
  return {
    principal: { type: 'Agent', id: actor.agentName },
    owner: actor.owner,
    resource: resourceOf(call),
  };
}

export function withEngine<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Refusal('policy_unavailable', {
      internal: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

export function toDecision(set: PolicySet, answer: EngineAnswer): Decision {
  const { generation } = set;
  const [failed] = answer.errors;
  if (failed !== undefined) {
    // Cedar passes over a policy that fails; were it a forbid, that would open a door.
    const reason = `The policy ${failed.policy} could not be evaluated.`;
    return { effect: 'deny', policies: [failed.policy], reason, generation };
  }
  const policies = [...answer.reasons].sort();
  if (!answer.allowed) {
    const reason =
      policies.length === 0 ? 'No policy allows this call.' : `Forbidden by ${policies.join(', ')}.`;
    return { effect: 'deny', policies, reason, generation };
  }
  const holds = policies
    .map((id) => set.policy(id))
    .filter((policy) => policy !== null && policy.hold !== null);
  const [hold] = holds;
  if (hold?.hold != null) {
    // Of several holds the stricter one counts.
    const approvers = holds.some((policy) => policy?.approvers === 2) ? 2 : 1;
    return { effect: 'hold', policies, reason: hold.hold, approvers, generation };
  }
  return { effect: 'allow', policies, reason: `Allowed by ${policies.join(', ')}.`, generation };
}
