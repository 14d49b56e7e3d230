import { createHash } from 'node:crypto';
import { Refusal } from '../../core/index.ts';
import { INSTRUCT_SCOPE, type VerifiedPassport } from '../../passport/index.ts';
import { tellFindings, verifyPassport } from '../steps.ts';
import { describeTool } from './describe-tool.ts';
import type { Endpoint } from './endpoint.ts';
import { readHookBody } from './hook-body.ts';

/** `POST /v1/observe`: what an agent was asked for, is about to do, or has read, for the session's provenance. */
export const observeEndpoint: Endpoint = {
  methods: ['POST'],
  answer: async (request) => {
    const { line, story, body } = request;
    const passport = await verifyPassport(line, story, request.presented());
    const said = await readHookBody(body);
    const { sessionId, phase, callId, tool, text, replaceable } = said;
    const { subject } = passport;
    const now = line.clock.now();
    const sid = phase === 'instruction' ? instructed(passport, sessionId) : subject.sid;
    if (phase !== 'instruction') describeTool(line, passport, said);
    const findings = await line.detector.observe({
      subject: { ...subject, sid },
      phase,
      callId,
      tool,
      text,
      now,
    });
    await line.audit.append({
      type: 'observe.recorded',
      tenant: subject.tenant,
      at: now,
      data: {
        sid,
        by: subject.agentId,
        phase,
        callId,
        textBytes: Buffer.byteLength(text),
        textDigest: createHash('sha256').update(text).digest('base64url'),
        findings,
      },
    });
    await tellFindings(line, story, findings, 'allow');
    const planted =
      phase === 'result' && replaceable
        ? await line.detector.plantInResult({ subject, callId, tool, text, missing: null, now })
        : null;
    return {
      status: 200,
      body: {
        findings: findings.map(({ check, title, severity }) => ({ check, title, severity })),
        ...(planted === null ? {} : { result: planted }),
      },
    };
  },
};

/**
 * The session that an instruction is for. What counts as the user's word comes from the user's side (rule 12 of
 * docs/guarantees.md): an agent that could state its own instructions could make any call look wanted. Whoever may
 * instruct has that one scope and no other, so that it can not act.
 */
function instructed(passport: VerifiedPassport, sessionId: string): string {
  if (passport.scopes.has(INSTRUCT_SCOPE)) return sessionId;
  throw new Refusal('scope_insufficient', {
    detail: 'An instruction is taken from the user’s side alone, not from the passport of an agent.',
    extra: { scope: INSTRUCT_SCOPE },
  });
}
