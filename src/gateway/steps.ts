import type { Receipt } from '../audit/index.ts';
import {
  type Call,
  type Decision,
  type Effect,
  type Finding,
  type PresentedPassport,
  Refusal,
  stricter,
  type Verdict,
} from '../core/index.ts';
import type { CountedCall, VerifiedPassport } from '../passport/index.ts';
import { detailUsedUp, type Permit } from '../policy/index.ts';
import type { Showing } from './ingress/arrival.ts';
import type { CredentialName, Line, Story } from './line.ts';
import { summarizeActor, summarizeCall } from './summaries.ts';

/** Step 1 for a passport that stands in the request. */
export async function verifyPassport(
  line: Line,
  story: Story,
  presented: PresentedPassport | null,
): Promise<VerifiedPassport> {
  return tellActor(story, await line.verifier.verify(presented, line.clock.now()));
}

/** Step 1: the passport of this request, or of the tunnel it came through, as of now. */
export async function verifyShowing(line: Line, story: Story, showing: Showing): Promise<VerifiedPassport> {
  if (showing.kind === 'presented') return verifyPassport(line, story, showing.presented);
  tellActor(story, showing.passport);
  line.verifier.recheck(showing.passport, line.clock.now());
  return showing.passport;
}

function tellActor(story: Story, passport: VerifiedPassport): VerifiedPassport {
  story.tenant = passport.subject.tenant;
  story.subject = passport.subject;
  story.actor = summarizeActor(passport);
  return passport;
}

/** Step 2. */
export function decideCall(line: Line, story: Story, passport: VerifiedPassport, call: Call): Decision {
  const now = line.clock.now();
  const risk = line.detector.riskOf(passport.subject, now);
  const decision = line.policy.decide(passport, call, risk, now);
  story.policies = decision.policies;
  return decision;
}

/** Step 3. What it finds is told to people even when the call goes no further. */
export async function inspectCall(
  line: Line,
  story: Story,
  passport: VerifiedPassport,
  call: Call,
  decision: Decision,
): Promise<Verdict> {
  const verdict = await line.detector.inspect({
    subject: passport.subject,
    call,
    now: line.clock.now(),
    deadlineMs: line.settings.detectorDeadlineMs,
    purpose: passport.purpose,
  });
  await tellFindings(line, story, verdict.findings, stricter(decision.effect, verdict.effect));
  if (verdict.contain !== undefined) {
    const [first] = verdict.findings;
    const reason = `Risk ${verdict.score.toFixed(2)} in call ${call.id}${first === undefined ? '' : `: ${first.title}`}`;
    const done = await line.contain(passport, verdict.contain, reason);
    await tellFindings(line, story, done, 'deny');
  }
  return verdict;
}

/** An alert is a record of the log: the agent waits for the record, never for a delivery. */
export async function tellFindings(
  line: Line,
  story: Story,
  findings: readonly Finding[],
  effect: Effect,
): Promise<void> {
  if (findings.length === 0) return;
  story.findings = [...story.findings, ...findings];
  const { call, actor, tenant } = story;
  const alert = line.raise({ call, actor, findings, effect, now: line.clock.now(), tenant });
  if (alert !== null) await line.audit.append(alert);
}

/**
 * A call to where no service is goes nowhere, but who makes it may have found a decoy: the host itself, or something
 * that it wants to carry there. Throws `decoy_used`.
 */
export async function refuseStrayDecoy(
  line: Line,
  story: Story,
  { subject }: VerifiedPassport,
  text: string,
): Promise<void> {
  const findings = line.detector.inspectStray({ subject, text, now: line.clock.now() });
  if (findings.length === 0) return;
  await tellFindings(line, story, findings, 'deny');
  throw new Refusal('decoy_used');
}

/** Whether a person has to approve. A hold with a time is a throttle, which no person lifts. */
export function needsApproval(decision: Decision, verdict: Verdict): boolean {
  if (stricter(decision.effect, verdict.effect) !== 'hold') return false;
  if (verdict.effect === 'hold' && verdict.late) {
    throw new Refusal('detector_late', { retryAfterMs: verdict.retryAfterMs ?? 1000 });
  }
  if (verdict.effect === 'hold' && verdict.retryAfterMs !== null) {
    throw new Refusal('throttled', { retryAfterMs: verdict.retryAfterMs });
  }
  return true;
}

/** A person is not asked about a call that the passport does not grant anyway. */
export function assertWithin(line: Line, passport: VerifiedPassport, call: Call): void {
  line.policy.assertScope(passport, call);
  line.policy.coveringDetails(passport, call, line.clock.now());
}

/**
 * The last thing before the permit: the call counts against the limits of the passport's authorization details
 * and of those before it in its chain. What is counted stays counted, also when the call fails later. Throws
 * `scope_insufficient`.
 */
export async function countCall(
  line: Line,
  passport: VerifiedPassport,
  call: Call,
  o: { readonly decision: Decision; readonly verdict: Verdict },
): Promise<CountedCall | null> {
  // What is not made does not count.
  if (stricter(o.decision.effect, o.verdict.effect) === 'deny') return null;
  const covering = line.policy.coveringDetails(passport, call, line.clock.now());
  if (covering.length === 0) return null;
  const counted = await line.verifier.count(passport, covering);
  if (counted === null) throw detailUsedUp(call);
  return counted;
}

/** The credential that the service names, without its secret. Throws `credential_missing`. */
export function nameCredential(line: Line, call: Call): CredentialName | null {
  if (call.kind === 'tool' || call.service.credential === null) return null;
  const view = line.vault.describe(call.tenant, call.service.credential);
  if (view === null) throw new Refusal('credential_missing');
  return { name: view.name, version: view.version };
}

/** Step 5: nothing goes on before this record is durable (G4). */
export async function recordPermit(
  line: Line,
  story: Story,
  passport: VerifiedPassport,
  call: Call,
  o: { readonly permit: Permit; readonly decision: Decision; readonly verdict: Verdict },
): Promise<Receipt> {
  const receipt = await line.audit.append({
    type: 'call.permitted',
    tenant: call.tenant,
    at: line.clock.now(),
    data: {
      call: summarizeCall(call),
      actor: summarizeActor(passport),
      effect: stricter(o.decision.effect, o.verdict.effect),
      policies: o.decision.policies,
      policyGeneration: o.decision.generation,
      score: o.verdict.score,
      findings: o.verdict.findings,
      credential: o.permit.credential,
      approvalId: o.permit.approvalId,
    },
  });
  story.permitted = true;
  return receipt;
}
