import {
  type AuthorizationAnswer,
  checkParsePolicySet,
  checkParseSchema,
  type DetailedError,
  type EntityJson,
  type PolicyJson,
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';

/** A fault in a text: characters from its beginning, when Cedar knows the place. */
export interface EngineFault {
  readonly policy: string | null;
  readonly message: string;
  readonly offset: number | null;
}

/** What of a policy's JSON form the index and the annotations need. */
export type PolicyForm = PolicyJson;

/** A question in Cedar's words. Entities: just those that are named. */
export interface EngineRequest {
  readonly principal: { readonly type: 'Agent'; readonly id: string };
  readonly owner: string;
  readonly action: 'http.call' | 'tool.call' | 'passport.delegate';
  readonly resource: { readonly type: 'Service' | 'Tool' | 'Agent'; readonly id: string };
  /** Owner of a resource that is an agent. */
  readonly resourceOwner?: string;
  readonly context: Readonly<Record<string, ContextValue>>;
}

export type ContextValue =
  | boolean
  | number
  | string
  | readonly string[]
  | { readonly [name: string]: ContextValue };

export interface EngineAnswer {
  readonly allowed: boolean;
  /** Ids of the policies that determined the answer. */
  readonly reasons: readonly string[];
  /** Policies that could not be evaluated. */
  readonly errors: readonly { readonly policy: string; readonly message: string }[];
}

/** Splits a file into its policies; their texts stand in the file as they are. */
export function splitPolicies(
  text: string,
): { readonly texts: readonly string[] } | { readonly faults: readonly EngineFault[] } {
  const parsed = checkParsePolicySet({ staticPolicies: text });
  if (parsed.type === 'failure') return { faults: parsed.errors.map((error) => toFault(error, null)) };
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') return { faults: parts.errors.map((error) => toFault(error, null)) };
  if (parts.policy_templates.length > 0) {
    return {
      faults: [
        { policy: null, message: 'templates (?principal, ?resource) are not taken here', offset: null },
      ],
    };
  }
  return { texts: parts.policies };
}

/** The form of one policy that `splitPolicies` gave. */
export function formOf(text: string): PolicyForm {
  const answer = policyToJson(text);
  if (answer.type === 'failure') throw new TypeError(`not a policy: ${answer.errors[0]?.message ?? ''}`);
  return answer.json;
}

/** Null when the schema is good. */
export function schemaFault(schema: string): EngineFault | null {
  const answer = checkParseSchema(schema);
  return answer.type === 'success' ? null : toFault(answer.errors[0], null);
}

/** Every place where a policy does not fit the schema. */
export function validatePolicies(
  schema: string,
  policies: Readonly<Record<string, string>>,
): readonly EngineFault[] {
  const answer = validate({
    schema,
    policies: { staticPolicies: { ...policies } },
    validationSettings: { mode: 'strict' },
  });
  if (answer.type === 'failure') return answer.errors.map((error) => toFault(error, null));
  return [...answer.validationErrors, ...answer.validationWarnings].map(({ policyId, error }) =>
    toFault(error, policyId),
  );
}

/** Keeps a parsed set under `slot` until another takes its place. */
export function prepare(slot: string, policies: Readonly<Record<string, string>>): void {
  const answer = preparsePolicySet(slot, { staticPolicies: { ...policies } });
  if (answer.type === 'failure')
    throw new TypeError(`policies that were checked do not parse: ${answer.errors[0]?.message}`);
}

/** Asks the set in `slot`. Throws when Cedar can't answer at all. */
export function ask(slot: string, request: EngineRequest): EngineAnswer {
  const agents = [
    { uid: request.principal, owner: request.owner },
    ...(request.resourceOwner === undefined ? [] : [{ uid: request.resource, owner: request.resourceOwner }]),
  ];
  const entities = agents.flatMap(({ uid, owner }): EntityJson[] => [
    { uid, attrs: {}, parents: [{ type: 'Owner', id: owner }] },
    { uid: { type: 'Owner', id: owner }, attrs: {}, parents: [] },
  ]);
  const answer: AuthorizationAnswer = statefulIsAuthorized({
    principal: request.principal,
    action: { type: 'Action', id: request.action },
    resource: request.resource,
    context: request.context as never,
    preparsedPolicySetId: slot,
    entities,
  });
  if (answer.type === 'failure') throw new Error(answer.errors.map((error) => error.message).join('; '));
  const { decision, diagnostics } = answer.response;
  return {
    allowed: decision === 'allow',
    reasons: diagnostics.reason,
    errors: diagnostics.errors.map(({ policyId, error }) => ({ policy: policyId, message: error.message })),
  };
}

function toFault(error: DetailedError | undefined, policy: string | null): EngineFault {
  const hint = error?.sourceLocations?.[0]?.label ?? error?.help;
  return {
    policy,
    message: `${error?.message ?? 'not readable'}${hint ? ` (${hint})` : ''}`,
    offset: error?.sourceLocations?.[0]?.start ?? null,
  };
}
