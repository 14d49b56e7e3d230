import { createHash } from 'node:crypto';
import { Refusal } from '../../core/index.ts';
import { tellFindings, verifyPassport } from '../steps.ts';
import type { Endpoint } from './endpoint.ts';
import { readHookBody } from './hook-body.ts';

/** `POST /v1/observe`: what an agent was told, is about to do, or has read, for the session's provenance. */
export const observeEndpoint: Endpoint = {
  methods: ['POST'],
  answer: async (request) => {
    const { line, story, body } = request;
    const { subject } = await verifyPassport(line, story, request.presented());
    const { phase, callId, tool, text } = await readHookBody(body);
    // What counts as the user's word must come from the user's side (DESIGN rule 12): an agent that could
    // state its own instructions could make any call look wanted.
    if (phase === 'instruction') {
      throw new Refusal('scope_insufficient', {
        detail:
          'An instruction is taken from a credential of the user’s side alone, not from an agent passport.',
      });
    }
    const now = line.clock.now();
    const findings = await line.detector.observe({ subject, phase, callId, tool, text, now });
    await line.audit.append({
      type: 'observe.recorded',
      tenant: subject.tenant,
      at: now,
      data: {
        sid: subject.sid,
        phase,
        callId,
        textBytes: Buffer.byteLength(text),
        textDigest: createHash('sha256').update(text).digest('base64url'),
        findings,
      },
    });
    await tellFindings(line, story, findings, 'allow');
    return {
      status: 200,
      body: { findings: findings.map(({ check, title, severity }) => ({ check, title, severity })) },
    };
  },
};
