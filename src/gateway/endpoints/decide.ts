import { type Finding, type JsonObject, Refusal, type ToolCall } from '../../core/index.ts';
import type { VerifiedPassport } from '../../passport/index.ts';
import type { Line, Story } from '../line.ts';
import { recordRefusal } from '../refused.ts';
import {
  assertWithin,
  countCall,
  decideCall,
  inspectCall,
  needsApproval,
  recordPermit,
  verifyPassport,
} from '../steps.ts';
import { summarizeCall } from '../summaries.ts';
import { describeTool } from './describe-tool.ts';
import type { Endpoint } from './endpoint.ts';
import { type HookBody, readHookBody } from './hook-body.ts';

/**
 * `POST /v1/decide`: may this tool call run? Steps 1 to 5 of the line; the host of the agent does the rest.
 * A no of policy, detector or approvals is an answer here, with status 200; all else is a problem document.
 */
export const decideEndpoint: Endpoint = {
  methods: ['POST'],
  answer: async (request) => {
    const { line, story } = request;
    const passport = await verifyPassport(line, story, request.presented());
    const body = await readHookBody(request.body);
    if (body.phase !== 'call') {
      throw new Refusal('input_invalid', { extra: { errors: ['phase: a decision is about a call'] } });
    }
    describeTool(line, passport, body);
    try {
      const reason = await decideTool(line, story, passport, toToolCall(story, passport, body));
      return {
        status: 200,
        body: { decision: 'allow', callId: story.callId, reason, findings: shown(story.findings) },
      };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const decision = DECISIONS.get(error.code);
      if (decision === undefined) throw error;
      await recordRefusal(line, story, error);
      return { status: 200, body: answerOf(decision, error, story) };
    }
  },
};

/** Refusals that are decisions; a throttle is a hold with a time. */
const DECISIONS: ReadonlyMap<string, 'hold' | 'deny'> = new Map([
  ['approval_required', 'hold'],
  ['throttled', 'hold'],
  ['detector_late', 'hold'],
  ['approval_denied', 'deny'],
  ['approval_expired', 'deny'],
  ['approval_mismatch', 'deny'],
  ['policy_denied', 'deny'],
  ['scope_insufficient', 'deny'],
  ['detector_denied', 'deny'],
  ['decoy_used', 'deny'],
  ['secret_in_request', 'deny'],
]);

async function decideTool(
  line: Line,
  story: Story,
  passport: VerifiedPassport,
  call: ToolCall,
): Promise<string> {
  story.call = summarizeCall(call);
  const decision = decideCall(line, story, passport, call);
  const verdict = await inspectCall(line, story, passport, call, decision);
  const held = needsApproval(decision, verdict);
  if (held) assertWithin(line, passport, call);
  const settled = held
    ? await line.approvals.settle({
        passport,
        call,
        headerNames: [],
        credential: null,
        reason:
          decision.effect === 'hold' ? decision.reason : (verdict.findings[0]?.title ?? decision.reason),
        policies: decision.effect === 'hold' ? decision.policies : [],
        approvers: decision.approvers ?? 1,
      })
    : null;
  const counted = await countCall(line, passport, call, { decision, verdict });
  const permit = line.policy.permit({
    passport,
    call,
    decision,
    verdict,
    approval: settled?.approval ?? null,
    callDigest: settled?.callDigest ?? null,
    credential: null,
    counted,
  });
  await recordPermit(line, story, passport, call, { permit, decision, verdict });
  return decision.reason;
}

function toToolCall(story: Story, { subject }: VerifiedPassport, body: HookBody): ToolCall {
  return {
    kind: 'tool',
    id: story.callId,
    tenant: subject.tenant,
    door: 'decide',
    receivedAt: story.startedAt,
    tool: body.tool,
    args: body.args,
    hostSessionId: body.sessionId,
    hostCallId: body.callId,
  };
}

function answerOf(decision: 'hold' | 'deny', refusal: Refusal, story: Story): JsonObject {
  const { approvalId, approvalUrl, waitUrl, expiresAt, scope, authorization_details } = refusal.extra;
  return {
    decision,
    code: refusal.code,
    callId: story.callId,
    reason: refusal.message,
    remedy: refusal.remedy,
    findings: shown(story.findings),
    // What to ask the issuer for.
    ...(scope === undefined ? {} : { scope }),
    ...(authorization_details === undefined ? {} : { authorization_details }),
    ...(refusal.retryAfterMs === null ? {} : { retryAfterMs: refusal.retryAfterMs }),
    ...(typeof approvalId === 'string' && typeof approvalUrl === 'string' && typeof waitUrl === 'string'
      ? {
          approval: {
            id: approvalId,
            url: approvalUrl,
            waitUrl,
            expiresAt: typeof expiresAt === 'number' ? expiresAt : null,
          },
        }
      : {}),
  };
}

/** What an agent may know of findings: their evidence could teach it what to avoid. */
function shown(findings: readonly Finding[]): JsonObject[] {
  return findings.map(({ check, title, severity }) => ({ check, title, severity }));
}
