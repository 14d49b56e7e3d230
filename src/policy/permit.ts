import type { UsedApproval } from '../approvals/index.ts';
import {
  type Call,
  type Decision,
  type Effect,
  type Origin,
  Refusal,
  type RefusalCode,
  type Subject,
  stricter,
  type Verdict,
} from '../core/index.ts';
import type { CountedCall, VerifiedPassport } from '../passport/index.ts';
import { coveringDetails } from './details.ts';
import { resourceScope } from './request.ts';

/**
 * The right to make one call. Only `permit` makes one, out of a verified passport, a decision and a verdict;
 * the vault opens nothing without it.
 */
export class Permit {
  readonly #subject: Subject;
  readonly callId: string;
  readonly tenant: string;
  readonly action: 'http.call' | 'tool.call';
  /** Name of the service; null for a tool call. */
  readonly service: string | null;
  readonly origin: Origin | null;
  readonly method: string | null;
  readonly path: string | null;
  readonly credential: { readonly name: string; readonly version: number } | null;
  readonly effect: Effect;
  readonly approvalId: string | null;

  constructor(o: PermitInput, effect: Effect) {
    const { call } = o;
    this.#subject = o.passport.subject;
    this.callId = call.id;
    this.tenant = call.tenant;
    this.action = call.kind === 'http' ? 'http.call' : 'tool.call';
    this.service = call.kind === 'http' ? call.service.name : null;
    this.origin = call.kind === 'http' ? call.origin : null;
    this.method = call.kind === 'http' ? call.method : null;
    this.path = call.kind === 'http' ? call.path : null;
    this.credential = o.credential;
    this.effect = effect;
    this.approvalId = o.approval?.id ?? null;
    Object.freeze(this);
  }

  get subject(): Subject {
    return this.#subject;
  }
}

export interface PermitInput {
  readonly passport: VerifiedPassport;
  readonly call: Call;
  readonly decision: Decision;
  readonly verdict: Verdict;
  /** Given when a person approved this call, with the digest that it must have. */
  readonly approval: UsedApproval | null;
  /** Digest of the call as it is now; needed with an approval. */
  readonly callDigest: string | null;
  readonly credential: { readonly name: string; readonly version: number } | null;
  /** Given when the passport has authorization details: the call was counted against the limits of one. */
  readonly counted?: CountedCall | null;
}

/** The stricter of policy's decision and the detector's verdict; throws Refusal unless the call may go on. */
export function permit(o: PermitInput): Permit {
  const { decision, verdict, call } = o;
  assertScope(o.passport, call);
  if (decision.effect === 'deny') {
    // Nothing forbids it, and nothing permits it with what the passport has: that can be helped (RFC 6750 section 3.1).
    if (decision.policies.length === 0) assertAccess(o.passport, call);
    throw new Refusal('policy_denied', { detail: decision.reason, extra: { policies: decision.policies } });
  }
  if (verdict.effect === 'deny') throw new Refusal(denialOf(verdict), throttleOf(verdict));
  if (verdict.effect === 'hold' && verdict.retryAfterMs !== null) {
    throw new Refusal('throttled', throttleOf(verdict));
  }
  assertCounted(o);
  const effect = stricter(decision.effect, verdict.effect);
  if (effect === 'hold') assertApproved(o);
  return new Permit(o, effect);
}

/** A passport without any scope for the service is refused whatever policies say: it was narrowed on purpose. */
export function assertScope(passport: VerifiedPassport, call: Call): void {
  const name = resourceScope(call);
  for (const scope of passport.scopes) if (scope.startsWith(`${name}:`)) return;
  throw new Refusal('scope_insufficient', {
    detail: `The passport has no scope for ${name}.`,
    extra: { scope: `${name}:${accessOf(call)}` },
  });
}

/** Throws `scope_insufficient` where the passport lacks the usual scope for such a call. */
function assertAccess(passport: VerifiedPassport, call: Call): void {
  const scope = `${resourceScope(call)}:${accessOf(call)}`;
  if (passport.scopes.has(scope)) return;
  throw new Refusal('scope_insufficient', {
    detail: `No policy allows this call to a passport without the scope ${scope}.`,
    extra: { scope },
  });
}

function accessOf(call: Call): string {
  if (call.kind === 'tool') return 'call';
  return SAFE_METHODS.has(call.method) ? 'read' : 'write';
}

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Time was looked at when it was counted: it does not go back. */
function assertCounted({ passport, call, counted }: PermitInput): void {
  const covering = coveringDetails(passport, call, 0);
  if (covering.length === 0) return;
  if (counted == null || !counted.isOf(passport) || !covering.includes(counted.detail)) {
    throw new TypeError('a passport with authorization details needs its call counted first');
  }
}

function assertApproved({ approval, callDigest }: PermitInput): void {
  if (approval === null) throw new Refusal('approval_required');
  if (callDigest === null || approval.digest !== callDigest) throw new Refusal('approval_mismatch');
}

function denialOf(verdict: Verdict): RefusalCode {
  if (verdict.findings.some((finding) => finding.decoy !== undefined)) return 'decoy_used';
  return verdict.late ? 'detector_late' : 'detector_denied';
}

function throttleOf(verdict: Verdict): { readonly retryAfterMs?: number } {
  return verdict.retryAfterMs === null ? {} : { retryAfterMs: verdict.retryAfterMs };
}
