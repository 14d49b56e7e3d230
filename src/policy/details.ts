import { type Call, type JsonObject, type JsonValue, Refusal } from '../core/index.ts';
import type { VerifiedPassport } from '../passport/index.ts';
import { type AttemptedCall, covers, namesCall, type ToolCallDetail } from '../proof/index.ts';
import { readBodyValue } from './body-fields.ts';

/** The part of a passport that bounds calls beside its scope. */
type Bounds = Pick<VerifiedPassport, 'details'>;

/**
 * Indices of the authorization details that cover a call at `now` (ms), in their order; empty where the passport
 * has none, and is bounded by its scope alone. Throws Refusal `scope_insufficient`, which says what to ask for,
 * when there are some and none covers it.
 */
export function coveringDetails({ details }: Bounds, call: Call, now: number): readonly number[] {
  if (details.length === 0) return [];
  const attempt = attemptedCall(call);
  const covering = details.flatMap((detail, index) => (covers(detail, attempt, now) ? [index] : []));
  if (covering.length === 0) throw notCovered(details, attempt, now);
  return covering;
}

/** No detail that covers the call has calls left, in this passport or in one that it was exchanged from. */
export function detailUsedUp(call: Call): Refusal {
  return new Refusal('scope_insufficient', {
    detail: 'The calls that the passport, or one before it in its chain, may make of this kind are used up.',
    extra: { authorization_details: [neededDetail(attemptedCall(call))] },
  });
}

/** Whether a detail that can matter for the call looks at its body. */
export function detailsReadBody({ details }: Bounds, call: Call): boolean {
  const attempt = attemptedCall(call);
  return details.some(
    (detail) =>
      namesCall(detail, attempt) &&
      Object.keys(detail.arguments ?? {}).some((name) => call.kind === 'http' && name.startsWith('body.')),
  );
}

function attemptedCall(call: Call): AttemptedCall {
  if (call.kind === 'tool') return { kind: 'tool', tool: call.tool, args: call.args };
  return {
    kind: 'http',
    service: call.service.name,
    method: call.method,
    path: call.path,
    query: [...new URLSearchParams(call.query)],
    body: readBodyValue(call.body, call.headers),
  };
}

function notCovered(details: readonly ToolCallDetail[], call: AttemptedCall, now: number): Refusal {
  const named = details.filter((detail) => namesCall(detail, call));
  return new Refusal('scope_insufficient', {
    detail: `The authorization details of the passport do not cover this call: ${why(named, now)}.`,
    extra: { authorization_details: [neededDetail(call)] },
  });
}

function why(named: readonly ToolCallDetail[], now: number): string {
  if (named.length === 0) return 'none of them names it';
  const over = named.every(({ not_after }) => not_after !== undefined && now / 1000 >= not_after);
  return over ? 'the time for it is over' : 'its arguments are not those that are granted';
}

/** What to ask the issuer for (in the manner of RFC 9470): this call and no more. */
function neededDetail(call: AttemptedCall): JsonObject {
  const what: Record<string, JsonValue> =
    call.kind === 'tool'
      ? { tool: call.tool }
      : { service: call.service, method: call.method, path: call.path };
  return { type: 'tool_call', ...what };
}
