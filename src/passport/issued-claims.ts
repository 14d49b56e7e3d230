import type { JsonObject, JsonValue, Subject } from '../core/index.ts';
import { type BudgetClaim, narrow, type ToolCallDetail } from '../proof/index.ts';
import { OAuthFault } from './oauth-fault.ts';
import type { ReadPassport } from './passport-reader.ts';
import type { AgentRecord } from './store.ts';

/** What a passport grants beside its scope, and the limits that its calls count against. */
export interface GrantedDetails {
  readonly details: readonly ToolCallDetail[];
  /** For each detail; all limits of the chain, from the root on. */
  readonly budgets: readonly (readonly BudgetClaim[])[];
}

/**
 * The details of a passport: those that are asked for, each wholly within one of the parent's, or all of the
 * parent's. A detail counts against its own limit and against every limit of the one that it lies within (rule
 * 9 of docs/guarantees.md). `hop`: place of the new passport in its chain. Throws OAuthFault.
 */
export function grantDetails(
  asked: readonly ToolCallDetail[] | null,
  parent: ReadPassport | null,
  hop: number,
): GrantedDetails {
  const held = parent?.details ?? [];
  const details = asked ?? held;
  const within = asked === null ? held.map((_, index) => index) : narrow(held, asked);
  const budgets = details.map((detail, index) => {
    const from = within[index] ?? null;
    if (from === null) {
      throw new OAuthFault(
        'invalid_authorization_details',
        `authorization detail ${index} is more than the subject token has`,
      );
    }
    const inherited = parent?.claims.budgets[from] ?? [];
    // One that is passed on as it is has the parent's limit already.
    const own = asked !== null || parent === null ? detail.max_calls : undefined;
    return own === undefined ? inherited : [...inherited, { hop, detail: index, limit: own }];
  });
  return { details, budgets };
}

/**
 * The details of one of many passports that a person gave at once: those that are asked for, each wholly within one of
 * the grant's, or all of the grant's. Calls of all of them count together, so each detail counts against the limit of
 * the grant's detail that it lies within, whatever its own place is. Throws OAuthFault.
 */
export function narrowGrant(
  asked: readonly ToolCallDetail[] | null,
  held: readonly ToolCallDetail[],
): GrantedDetails {
  const details = asked ?? held;
  const within = asked === null ? held.map((_, index) => index) : narrow(held, asked);
  const budgets = details.map((detail, index) => {
    const from = within[index] ?? null;
    if (from === null) {
      throw new OAuthFault(
        'invalid_authorization_details',
        `authorization detail ${index} is more than the person allowed`,
      );
    }
    const limits = [held[from]?.max_calls, detail.max_calls].filter((limit) => limit !== undefined);
    return limits.length === 0 ? [] : [{ hop: 0, detail: from, limit: Math.min(...limits) }];
  });
  return { details, budgets };
}

/** Who is in the chain, the current actor first: the prior ones nest inside (RFC 8693 section 4.1). */
export function actorsAfter(parent: ReadPassport, actor: AgentRecord): readonly string[] {
  const { actors, clientId, sub } = parent.claims;
  // A passport that a person's sign-in gave to a client has that client as its actor.
  const unnamed = actors.length === 0 && clientId !== sub ? [clientId] : [];
  const missing = actors.length > 0 && actors[0] !== clientId ? [clientId] : [];
  return [actor.id, ...missing, ...unnamed, ...actors];
}

/** The members that are ours to write, beside those that every access token has. */
export function ownClaims(o: {
  readonly subject: Subject;
  readonly jti: string;
  readonly purpose: string | null;
  readonly actors: readonly string[];
  readonly granted: GrantedDetails;
  readonly mayAct: string | null;
  readonly maxDepth: number;
  readonly credential: string;
  readonly status: { readonly uri: string; readonly index: number } | null;
}): JsonObject {
  const { sid, owner, chain } = o.subject;
  const { details, budgets } = o.granted;
  return {
    jti: o.jti,
    sid,
    owner,
    chain,
    max_depth: o.maxDepth,
    credential: o.credential,
    ...(o.purpose === null ? {} : { purpose: o.purpose }),
    ...actClaim(o.actors),
    ...(o.mayAct === null ? {} : { may_act: { sub: o.mayAct } }),
    ...(details.length === 0 ? {} : { authorization_details: details }),
    ...(budgets.some((limits) => limits.length > 0) ? { budgets: budgets.map(toClaims) } : {}),
    ...(o.status === null ? {} : { status: { status_list: { uri: o.status.uri, idx: o.status.index } } }),
  };
}

/** `{act: {sub, act: …}}`, or nothing. */
export function actClaim([sub, ...prior]: readonly string[]): JsonObject {
  return sub === undefined ? {} : { act: { sub, ...actClaim(prior) } };
}

function toClaims(limits: readonly BudgetClaim[]): JsonValue {
  return limits.map(({ hop, detail, limit }) => [hop, detail, limit]);
}

/** What the passport is bound to: `{cnf: {jkt}}`, `{cnf: {"x5t#S256"}}`, or nothing. */
export function confirmationClaim({
  jkt,
  x5t,
}: {
  readonly jkt: string | null;
  readonly x5t: string | null;
}): JsonObject {
  if (jkt !== null) return { cnf: { jkt } };
  return x5t === null ? {} : { cnf: { 'x5t#S256': x5t } };
}
