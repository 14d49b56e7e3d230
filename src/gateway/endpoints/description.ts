import { z } from 'zod';
import { hookBodySchema } from './hook-body.ts';

/** One of the gate's own URLs as the OpenAPI document tells it. */
export interface GatewayOperation {
  readonly method: 'get' | 'post';
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly summary: string;
  /** True: no passport is asked for. */
  readonly open: boolean;
  readonly params: z.ZodObject | null;
  readonly query: z.ZodObject | null;
  readonly body: z.ZodType | null;
  readonly result: z.ZodType;
}

const finding = z.object({
  check: z.string(),
  title: z.string(),
  severity: z.enum(['low', 'medium', 'high', 'critical']),
});

const decision = z
  .object({
    decision: z.enum(['allow', 'hold', 'deny']),
    callId: z.string(),
    reason: z.string(),
    findings: z.array(finding),
    code: z.string().optional().describe('Why not: a code of docs/reference/refusals.md.'),
    remedy: z.string().optional(),
    scope: z.string().optional().describe('What to ask the issuer for.'),
    authorization_details: z.array(z.record(z.string(), z.json())).optional(),
    retryAfterMs: z.int().optional().describe('A hold that ends by itself.'),
    approval: z
      .object({
        id: z.string(),
        url: z.string(),
        waitUrl: z.string(),
        expiresAt: z.int().nullable().describe('Milliseconds since the epoch.'),
      })
      .optional()
      .describe('A hold that a person ends.'),
  })
  .meta({
    id: 'ToolDecision',
    examples: [{ decision: 'allow', callId: 'call_example', reason: 'Allowed by call.', findings: [] }],
  });

/** Every JSON endpoint of the gateway; what is checked here is what the endpoints check. */
export const GATEWAY_OPERATIONS: readonly GatewayOperation[] = [
  {
    method: 'post',
    path: '/v1/decide',
    summary: 'May this tool call run? A no of policy, detector or approvals is an answer with status 200.',
    open: false,
    params: null,
    query: null,
    body: hookBodySchema,
    result: decision,
  },
  {
    method: 'post',
    path: '/v1/observe',
    summary: 'What an agent was asked for, is about to do, or has read, for the session’s provenance.',
    open: false,
    params: null,
    query: null,
    body: hookBodySchema,
    result: z.object({
      findings: z.array(finding),
      result: z
        .string()
        .optional()
        .describe('What the agent is to read instead: the result with a decoy in it.'),
    }),
  },
  {
    method: 'get',
    path: '/v1/services',
    summary: 'What the passport may reach, and the credentials by name.',
    open: false,
    params: null,
    query: null,
    body: null,
    result: z.object({
      services: z.array(
        z.object({
          name: z.string(),
          url: z.string().describe('Base of its reverse URL.'),
          origins: z.array(z.string()),
          credential: z.string().nullable(),
        }),
      ),
      credentials: z.array(z.looseObject({ name: z.string() })),
    }),
  },
  {
    method: 'post',
    path: '/v1/ca',
    summary: 'A short-lived certificate authority for the hosts in the passport’s scopes (sallyport run).',
    open: false,
    params: null,
    query: null,
    body: null,
    result: z.object({ certificate: z.string(), hosts: z.array(z.string()), expiresAt: z.int() }),
  },
  {
    method: 'get',
    path: '/v1/approvals/{id}',
    summary: 'What became of a held call, told to the session that made it; waits up to 60 seconds.',
    open: false,
    params: z.strictObject({ id: z.string().meta({ examples: ['approval_example'] }) }),
    query: z.strictObject({
      wait: z
        .string()
        .regex(/^\d{1,4}$/)
        .optional()
        .describe('Seconds.'),
    }),
    body: null,
    result: z.object({
      id: z.string(),
      status: z.enum(['pending', 'approved', 'denied', 'used']),
      expiresAt: z.int(),
      reason: z.string().nullable(),
    }),
  },
  {
    method: 'get',
    path: '/healthz',
    summary: '200 while calls are taken, 503 once the gate closes.',
    open: true,
    params: null,
    query: null,
    body: null,
    result: z.looseObject({ status: z.string() }),
  },
  {
    method: 'get',
    path: '/.well-known/oauth-protected-resource',
    summary: 'Which issuer’s passports this gate takes, and how (RFC 9728).',
    open: true,
    params: null,
    query: null,
    body: null,
    result: z.looseObject({ resource: z.string(), authorization_servers: z.array(z.string()).optional() }),
  },
];
