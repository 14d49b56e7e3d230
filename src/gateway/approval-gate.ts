import { createHash } from 'node:crypto';
import {
  type ApprovalBinding,
  type ApprovalRecord,
  type Approvals,
  approvalDigest,
} from '../approvals/index.ts';
import {
  type Call,
  formatOrigin,
  type HeaderList,
  type HttpCall,
  type JsonObject,
  Refusal,
} from '../core/index.ts';
import { valuesOf } from './ingress/fields.ts';
import type { ApprovalGate, Hold } from './line.ts';

/** Characters of a body that a person is shown. */
const SHOWN_BODY_CHARS = 2048;

/** Held calls: asks a person once for each call, and lets the same call pass once when he says yes. */
export function approvalGate(
  approvals: Pick<Approvals, 'request' | 'find' | 'use' | 'get' | 'wait'>,
  urls: { readonly publicUrl: string; readonly controlUrl: string },
): ApprovalGate {
  return {
    settle: async (hold) => {
      const { subject } = hold.passport;
      const binding = bindingOf(hold);
      const key = { tenant: subject.tenant, sid: subject.sid, digest: approvalDigest(binding) };
      const record =
        (await approvals.find(key)) ?? (await approvals.request({ subject, binding, shown: shownOf(hold) }));
      if (record.status === 'approved') {
        const { tenant, id } = record;
        const approval = await approvals.use({ tenant, id, digest: key.digest });
        return { approval, callDigest: key.digest };
      }
      if (record.status === 'denied') throw approvalDenied(record);
      throw approvalRequired(record, hold.reason, urls);
    },
    get: (tenant, id) => approvals.get(tenant, id),
    wait: (o) => approvals.wait(o),
  };
}

function approvalDenied({ id, reason }: ApprovalRecord): Refusal {
  return new Refusal('approval_denied', {
    extra: { approvalId: id },
    ...(reason === null ? {} : { detail: `A person denied this call: ${reason}` }),
  });
}

function approvalRequired(
  { id, expiresAt, approversNeeded, first }: ApprovalRecord,
  reason: string,
  { publicUrl, controlUrl }: { readonly publicUrl: string; readonly controlUrl: string },
): Refusal {
  return new Refusal('approval_required', {
    detail: `The call waits for ${approversNeeded === 2 ? 'two people' : 'a person'}: ${reason}`,
    extra: {
      approvalId: id,
      approvalUrl: `${controlUrl}/approvals/${id}`,
      waitUrl: `${publicUrl}/v1/approvals/${id}?wait=60`,
      expiresAt,
      approversNeeded,
      approversGiven: first === null ? 0 : 1,
    },
  });
}

function bindingOf(hold: Hold): ApprovalBinding {
  return { ...whatIsBound(hold), approvers: hold.approvers };
}

function whatIsBound({ passport, call, headerNames, credential }: Hold): ApprovalBinding {
  const { tenant, sid, agentId } = passport.subject;
  if (call.kind === 'tool') return { kind: 'tool', tenant, sid, agentId, tool: call.tool, args: call.args };
  // Only a body that was read whole can be bound: one that streams would be another at the second call.
  if (call.body.kind === 'stream') throw new TypeError('a held call needs its body read whole');
  return {
    kind: 'http',
    tenant,
    sid,
    agentId,
    method: call.method,
    url: urlOf(call),
    bodyDigest: call.body.kind === 'buffered' ? call.body.digest : null,
    headers: boundFields(call, headerNames),
    service: call.service.name,
    credential,
  };
}

/** What a body means hangs on these; without them, what was approved as text could be sent as something else. */
const ALWAYS_BOUND: readonly string[] = ['content-type', 'content-encoding'];

/** The fields that an approval is for: those that policy names, and those that say what the body is. */
function boundFields({ headers }: HttpCall, named: readonly string[]): HeaderList {
  const names = new Set([...named.map((name) => name.toLowerCase()), ...ALWAYS_BOUND]);
  return [...names].flatMap((name) => valuesOf(headers, name).map((value) => [name, value] as const));
}

const SECRET_NAME = /auth|cookie|token|secret|key|password|credential|signature|session/;

/** A value as a person may see it; what is a secret by its name is told from another one by its digest. */
function shownValue(name: string, value: string): string {
  if (!SECRET_NAME.test(name)) return value;
  const digest = createHash('sha256').update(value, 'latin1').digest('base64url').slice(0, 12);
  return `[${value.length} characters, SHA-256 ${digest}]`;
}

function urlOf({ origin, path, query }: HttpCall): string {
  return `${formatOrigin(origin)}${path}${query === '' ? '' : `?${query}`}`;
}

/** What a person is shown: who asks, for whom, why, and exactly what will be sent. */
function shownOf({ passport, call, headerNames, credential, reason, policies }: Hold): JsonObject {
  return {
    agent: passport.agentName,
    agentId: passport.subject.agentId,
    owner: passport.subject.owner,
    user: passport.subject.user,
    purpose: passport.purpose,
    reason,
    policies,
    credential: credential?.name ?? null,
    ...whatOf(call, headerNames),
  };
}

function whatOf(call: Call, headerNames: readonly string[]): JsonObject {
  if (call.kind === 'tool') return { tool: call.tool, args: call.args };
  const body = call.body.kind === 'buffered' ? Buffer.from(call.body.bytes).toString('utf8') : null;
  return {
    service: call.service.name,
    method: call.method,
    url: urlOf(call),
    headers: boundFields(call, headerNames).map(([name, value]) => [name, shownValue(name, value)]),
    body: body === null ? null : body.slice(0, SHOWN_BODY_CHARS),
    bodyCut: body !== null && body.length > SHOWN_BODY_CHARS,
    bodyBytes: call.body.kind === 'buffered' ? call.body.bytes.length : 0,
  };
}
