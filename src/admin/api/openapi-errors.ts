import { describeRefusal, type JsonObject, REFUSAL_CODES, type RefusalCode } from '../../core/index.ts';

/** RFC 9457, with our members. */
export const PROBLEM_SCHEMA: JsonObject = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'remedy'],
  properties: {
    type: { type: 'string', description: '`urn:sallyport:refusal:<code>`.' },
    title: { type: 'string', description: 'What happened.' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', enum: [...REFUSAL_CODES] },
    remedy: { type: 'string', description: 'What to do.' },
    errors: {
      type: 'array',
      description: 'All faults of the input.',
      items: {
        anyOf: [
          { type: 'string' },
          {
            type: 'object',
            properties: {
              in: { enum: ['path', 'query', 'body'] },
              pointer: { type: 'string', description: 'JSON pointer (RFC 6901).' },
              detail: { type: 'string' },
            },
          },
        ],
      },
    },
  },
};

type Codes = Readonly<Record<number, readonly RefusalCode[]>>;

/** What each kind of operation is refused with. Status and codes are checked against the real maps by a test. */
const ALWAYS: Codes = {
  400: ['request_malformed', 'input_invalid'],
  401: ['admin_unauthenticated'],
  403: ['admin_forbidden'],
  421: ['authority_mismatch'],
  429: ['throttled'],
  500: ['internal_error'],
  503: ['audit_unavailable', 'vault_sealed', 'policy_unavailable', 'overloaded', 'shutting_down'],
};
const WITH_PATH: Codes = { 404: ['not_found'] };
const WITH_BODY: Codes = { 413: ['body_too_large'] };
const WITH_CHANGE: Codes = {
  409: ['conflict', 'idempotency_in_flight', 'idempotency_interrupted'],
  422: ['idempotency_mismatch'],
};
const PASSPORT: Codes = {
  401: ['passport_missing', 'passport_invalid', 'passport_expired', 'passport_revoked', 'proof_invalid'],
  403: ['agent_quarantined', 'scope_insufficient'],
};
const GATEWAY: Codes = {
  400: ['request_malformed', 'input_invalid'],
  413: ['body_too_large'],
  429: ['throttled'],
  500: ['internal_error'],
  503: ['audit_unavailable', 'policy_unavailable', 'detector_late', 'overloaded', 'shutting_down'],
};

export function adminErrors(o: {
  readonly path: boolean;
  readonly body: boolean;
  readonly change: boolean;
}): Codes {
  return {
    ...ALWAYS,
    ...(o.path ? WITH_PATH : {}),
    ...(o.body ? WITH_BODY : {}),
    ...(o.change ? WITH_CHANGE : {}),
  };
}

export function gatewayErrors(open: boolean): Codes {
  return open
    ? { 500: ['internal_error'], 503: ['shutting_down'] }
    : { ...GATEWAY, ...PASSPORT, ...WITH_PATH };
}

/** A response for each status, with an example of its first code. */
export function errorResponses(codes: Codes): JsonObject {
  return Object.fromEntries(
    Object.entries(codes).map(([status, list]) => [status, errorResponse(Number(status), list)]),
  );
}

function errorResponse(status: number, codes: readonly RefusalCode[]): JsonObject {
  const [code = 'internal_error'] = codes;
  const { what, remedy } = describeRefusal(code);
  return {
    description: codes.map((one) => `\`${one}\``).join(', '),
    content: {
      'application/problem+json': {
        schema: { $ref: '#/components/schemas/Problem' },
        example: { type: `urn:sallyport:refusal:${code}`, title: what, status, code, remedy },
      },
    },
  };
}
