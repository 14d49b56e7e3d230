import { type ActorSummary, type Call, type CallSummary, formatOrigin } from '../core/index.ts';
import type { VerifiedPassport } from '../passport/index.ts';
import { queryNames } from './ingress/target.ts';
import type { Story } from './line.ts';

/** A call as the log tells it: names of query parameters without their values, no body. */
export function summarizeCall(call: Call): CallSummary {
  if (call.kind === 'tool') {
    const { id, door, tool } = call;
    return {
      id,
      door,
      action: 'tool.call',
      resource: tool,
      target: tool,
      bodyInspected: true,
      bodyDigest: null,
    };
  }
  const { id, door, service, method, origin, path, query, body } = call;
  return {
    id,
    door,
    action: 'http.call',
    resource: service.name,
    target: `${method} ${formatOrigin(origin)}${path}${queryNames(query)}`,
    bodyInspected: body.kind !== 'stream',
    bodyDigest: body.kind === 'buffered' ? body.digest : null,
  };
}

export function summarizeActor({ subject, jti }: VerifiedPassport): ActorSummary {
  const { agentId, owner, user, sid, chain } = subject;
  return { agentId, owner, user, sid, jti, chain };
}

/** The tenant of what happens before a passport is known. */
export const DEFAULT_TENANT = 'default';

export function beginStory(o: {
  readonly callId: string;
  readonly startedAt: number;
  readonly remote: string | null;
}): Story {
  return {
    ...o,
    tenant: DEFAULT_TENANT,
    subject: null,
    actor: null,
    call: null,
    policies: [],
    findings: [],
    permitted: false,
    requestBytes: 0,
    responseBytes: 0,
  };
}
