import type { ServerResponse } from 'node:http';
import type { HttpCall } from '../core/index.ts';
import { Cut } from './forward/cut.ts';
import { bufferBody, wantsBody } from './forward/inspected-body.ts';
import { outboundOf } from './forward/outbound.ts';
import { recordCompletion } from './forward/outcome.ts';
import { relayAnswer } from './forward/relay.ts';
import { sendUpstream } from './forward/send.ts';
import { type Arrival, strayText, toCall } from './ingress/arrival.ts';
import type { Line, Story } from './line.ts';
import {
  assertWithin,
  countCall,
  decideCall,
  inspectCall,
  nameCredential,
  needsApproval,
  recordPermit,
  refuseStrayDecoy,
  verifyShowing,
} from './steps.ts';
import { summarizeCall } from './summaries.ts';

/**
 * One call, one straight line: the steps of docs/architecture.md, in their order. Each takes the proof of the
 * one before; whatever refuses throws, and `serve.ts` catches.
 */
export async function handleCall(
  line: Line,
  arrival: Arrival,
  response: ServerResponse,
  story: Story,
): Promise<void> {
  const passport = await verifyShowing(line, story, arrival.showing);
  const cut = new Cut(response);
  const flight = line.inFlight.begin('call', passport, (reason) => cut.now(reason));
  try {
    // A revocation between the check and `begin` found no flight to cut.
    line.verifier.recheck(passport, line.clock.now());
    cut.check();
    const stray = strayText(arrival, passport.subject.tenant, line.services);
    if (stray !== null) await refuseStrayDecoy(line, story, passport, stray);
    let call: HttpCall = toCall(arrival, passport.subject.tenant, line.services);
    story.call = summarizeCall(call);
    if (wantsBody(call, line.policy.needsBody(passport, call)))
      call = await bufferBody(call, arrival.body, line.settings);
    const decision = decideCall(line, story, passport, call);
    const verdict = await inspectCall(line, story, passport, call, decision);
    const credential = decision.effect === 'deny' ? null : nameCredential(line, call);
    const held = needsApproval(decision, verdict);
    if (held) assertWithin(line, passport, call);
    if (held) call = await bufferBody(call, arrival.body, line.settings);
    story.call = summarizeCall(call);
    const settled = held
      ? await line.approvals.settle({
          passport,
          call,
          headerNames: line.policy.approvalHeaders(decision),
          credential,
          reason:
            decision.effect === 'hold' ? decision.reason : (verdict.findings[0]?.title ?? decision.reason),
          policies: decision.effect === 'hold' ? decision.policies : [],
          approvers: decision.approvers ?? 1,
        })
      : null;
    // Its body may have come drop by drop, and the checks may have waited.
    line.verifier.recheck(passport, line.clock.now());
    const counted = await countCall(line, passport, call, { decision, verdict });
    const permit = line.policy.permit({
      passport,
      call,
      decision,
      verdict,
      approval: settled?.approval ?? null,
      callDigest: settled?.callDigest ?? null,
      credential,
      counted,
    });
    const receipt = await recordPermit(line, story, passport, call, { permit, decision, verdict });
    cut.check();
    flight.credential = credential?.name ?? null;
    const outbound = await outboundOf(line, call, permit, receipt);
    cut.check();
    const sent = sendUpstream(line, story, { call, outbound, subject: passport.subject, cut });
    const result = await relayAnswer(line, story, {
      call,
      outbound,
      subject: passport.subject,
      sent,
      response,
    });
    await recordCompletion(line, story, passport.subject.sid, result, sent);
  } finally {
    line.inFlight.end(flight);
    cut.end();
  }
}
