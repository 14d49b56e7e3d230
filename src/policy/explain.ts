import { z } from 'zod';
import type { Effect } from '../core/index.ts';
import { Refusal } from '../core/index.ts';
import { decideFor } from './decide.ts';
import type { PolicySet } from './policy-set.ts';
import { actionOf, resourceOf } from './request.ts';
import { sampleSchema, toSampleRequest } from './sample-call.ts';

export interface Explanation {
  readonly effect: Effect;
  readonly reason: string;
  /** The policies that determined the answer, with their texts. */
  readonly determining: readonly { readonly id: string; readonly line: number; readonly text: string }[];
  /** All that were evaluated: those whose head can match the agent, its owner and the resource. */
  readonly considered: readonly string[];
  /** Permits that were considered and did not match: what could have allowed the call. */
  readonly couldPermit: readonly { readonly id: string; readonly text: string }[];
  readonly generation: number;
}

/** Why a call would be allowed, held or denied. Throws Refusal `input_invalid` for a call that can't be read. */
export function explain(set: PolicySet, sample: unknown, now: number): Explanation {
  const parsed = sampleSchema.safeParse(sample);
  if (!parsed.success) {
    const errors = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Refusal('input_invalid', { detail: z.prettifyError(parsed.error), extra: { errors } });
  }
  const { actor, call, risk, now: at } = toSampleRequest(parsed.data, now);
  const decision = decideFor(set, actor, call, risk, at);
  const { policies } = set.sliceFor({
    principal: { type: 'Agent', id: actor.agentName },
    owner: actor.owner,
    resource: resourceOf(call),
  });
  const determining = policies.filter((policy) => decision.policies.includes(policy.id));
  const couldPermit = policies.filter(
    (policy) =>
      policy.effect === 'permit' &&
      (policy.action === null || policy.action === actionOf(call)) &&
      !determining.includes(policy),
  );
  return {
    effect: decision.effect,
    reason: decision.reason,
    determining: determining.map(({ id, line, text }) => ({ id, line, text })),
    considered: policies.map((policy) => policy.id),
    couldPermit: decision.effect === 'deny' ? couldPermit.map(({ id, text }) => ({ id, text })) : [],
    generation: decision.generation,
  };
}
